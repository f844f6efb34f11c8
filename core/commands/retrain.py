"""python -m core retrain --candidates "top:raw random" --budgets "1000 5000" --out run.csv"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import pandas as pd

from core import datasets
from core.commands import writing
from core.experiments.retrain import outcomes
from core.exports import score_table


def add(commands) -> None:
    """Put the command into the parser."""
    from core.experiments.retrain.plan import KNOBS

    parser = commands.add_parser(
        "retrain", help="train networks on selections of the points, against random ones"
    )
    parser.add_argument("--dataset", help=f"one of {', '.join(datasets.names())}")
    parser.add_argument("--n", help="a class-stratified random subset of this many points")
    parser.add_argument("--subset", help="seed of the subset")
    parser.add_argument(
        "--candidates",
        help='rule:embedding:seed:strategy, several in quotes, such as "top:raw bottom:raw random"',
    )
    parser.add_argument("--budgets", help='numbers of points, such as "1000 5000"')
    for name, knob in KNOBS.items():
        parser.add_argument(f"--{name}", help=f"{knob.help or knob.label} Default {knob.default}.")
    parser.add_argument("--out", help="run.csv or run.parquet")
    parser.set_defaults(run=retrain)


def retrain(options: argparse.Namespace) -> None:
    """Train on selections and write the tidy rows, and beside them a manifest."""
    from core.experiments import bundling, store
    from core.experiments.retrain.plan import KNOBS, Retraining

    names = ("dataset", "n", "subset", "candidates", "budgets", *KNOBS)
    plan = Retraining().with_(
        **{name: value for name in names if (value := getattr(options, name)) is not None}
    )
    out = Path(options.out or "retraining.csv")
    kind = score_table.kind_of(out.name)  # an unknown format is said before the work
    fingerprint = bundling.finish(plan, writing.say, partial(print, file=sys.stderr))
    found = store.outcomes(plan, fingerprint)
    writing.write(out, score_table.encode(pd.DataFrame(outcomes.tidy_columns(plan, found)), kind))
    writing.write(
        out.with_suffix(".manifest.json"),
        score_table.run_manifest(plan.title(), plan.to_query(), fingerprint, len(found)).encode(),
    )
    print(f"{plan.title()}: {len(found):,} trainings -> {out}")
