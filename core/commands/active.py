"""python -m core active "dataset=mnist" "dataset=mnist&batch=1000" --group batch --out beats.csv"""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd

from core.commands import writing
from core.experiments.active.comparison_sums import GROUPS, Setting
from core.exports import score_table
from core.types import Floats, UserError


def add(commands) -> None:
    """Put the command into the parser."""
    parser = commands.add_parser(
        "active", help="who beats whom, summed over comparisons of active learning"
    )
    parser.add_argument(
        "links",
        nargs="+",
        metavar="LINK",
        help="of a comparison, as the Active page gives it behind the question mark: only what"
        ' differs from its first screen, such as "dataset=letter&batch=10"',
    )
    parser.add_argument("--group", default="all", choices=GROUPS, help="one matrix for each")
    parser.add_argument("--out", help="beats.csv or beats.parquet")
    parser.set_defaults(run=active)


def active(options: argparse.Namespace) -> None:
    """Run what is missing of the comparisons, then print and write the papers' matrices."""
    from core.experiments import bundling
    from core.experiments.active import comparison_sums
    from core.experiments.active.plan import Active

    if options.out:
        score_table.kind_of(options.out)  # an unknown format is said before the work
    plans = []
    for link in options.links:
        plan, problems = Active.from_query(dict(parse_qsl(link)))
        if problems:
            raise UserError(" ".join(problems))
        plans.append(plan)
    if len({plan.task for plan in plans}) > 1:
        raise UserError(
            "Comparisons: found classification and regression, expected one task in a sum. Leave"
            " the others out."
        )
    strategies = plans[0].strategies
    settings = []
    for plan in dict.fromkeys(plans):
        fingerprint = bundling.finish(plan, writing.say)
        settings.append(comparison_sums.setting_of(plan, fingerprint, strategies))
    rows = []
    for name, some in comparison_sums.grouped(settings, options.group).items():
        rows += _said(name, some, strategies)
    if options.out:
        frame = pd.DataFrame(rows, columns=("group", "row", "column", "value"))
        kind = score_table.kind_of(options.out)
        writing.write(Path(options.out), score_table.encode(frame, kind))


def _said(name: str, settings: list[Setting], strategies: tuple[str, ...]) -> list[tuple]:
    """Print one group's matrix and what counted; its tidy rows."""
    from core.experiments.active import outcomes

    penalty = outcomes.penalty_matrix([one.curves for one in settings])
    beaten = outcomes.beaten_on_average(penalty)
    labels = [*strategies, "beaten on average"]
    values: Floats = np.vstack([penalty, beaten])
    print(f"{name}: of {len(settings)} settings, how often the row beats the column")
    print(pd.DataFrame(values, labels, strategies).to_string(float_format="{:.2f}".format))
    for one in settings:
        print(f"  {one.plan.title()}: {one.counted}")
    return [
        (name, row, column, float(values[i, j]))
        for i, row in enumerate(labels)
        for j, column in enumerate(strategies)
    ]
