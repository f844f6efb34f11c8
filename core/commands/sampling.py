"""python -m core sampling "dataset=letter" --out losses.csv
python -m core buy features.npy --k 5000 --rule pivotal --out rows.csv
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd

from core.commands import writing
from core.exports import score_table
from core.types import UserError


def add(commands) -> None:
    """Put the commands into the parser."""
    from core.large.buying import RULES

    parser = commands.add_parser(
        "sampling", help="least squares on bought labels: rules that choose, against each other"
    )
    parser.add_argument(
        "link",
        nargs="?",
        default="",
        help="of an experiment, as the Sampling page gives it behind the question mark: only what"
        ' differs from its first screen, such as "dataset=letter&budgets=100 500"',
    )
    parser.add_argument("--out", default="sampling.csv", help="run.csv or run.parquet")
    parser.set_defaults(run=sampling)
    buying = commands.add_parser(
        "buy", help="which rows of a table to label, and their weights in the fit"
    )
    buying.add_argument("table", help="a .npy file, a .parquet file, or a folder of .parquet files")
    buying.add_argument("--k", type=int, required=True, help="labels to buy")
    buying.add_argument("--rule", default="pivotal", choices=tuple(RULES), help="default pivotal")
    buying.add_argument("--seed", type=int, default=1, help="of the draw; default 1")
    buying.add_argument(
        "--without", nargs="*", default=[], help="columns of a Parquet table that are no features"
    )
    buying.add_argument("--out", default="rows.csv", help="rows.csv or rows.parquet")
    buying.set_defaults(run=buy)


def sampling(options: argparse.Namespace) -> None:
    """Run a plan to its end and write the tidy rows, and beside them a manifest."""
    from core.experiments import bundling, store
    from core.experiments.sampling import outcomes
    from core.experiments.sampling.plan import Sampling

    plan, problems = Sampling.from_query(dict(parse_qsl(options.link)))
    if problems:
        raise UserError(" ".join(problems))
    out = Path(options.out)
    kind = score_table.kind_of(out.name)  # an unknown format is said before the work
    fingerprint = bundling.finish(plan, writing.say, partial(print, file=sys.stderr))
    found = store.outcomes(plan, fingerprint)
    writing.write(out, score_table.encode(pd.DataFrame(outcomes.tidy_columns(plan, found)), kind))
    writing.write(
        out.with_suffix(".manifest.json"),
        score_table.run_manifest(plan.title(), plan.to_query(), fingerprint, len(found)).encode(),
    )
    print(f"{plan.title()}: {len(found):,} runs -> {out}")


def buy(options: argparse.Namespace) -> None:
    """Choose rows of a table that need not fit into memory; write their numbers and weights."""
    from core.large import buying, row_sources

    out = Path(options.out)
    kind = score_table.kind_of(out.name)
    writing.check_writable(out)
    table = row_sources.open_table(options.table, options.without)
    rng = np.random.default_rng(options.seed)
    indices, weights, rank = buying.choose(table, options.rule, options.k, rng, writing.tenths())
    frame = pd.DataFrame({"row": indices, "weight": weights})
    writing.write(out, score_table.encode(frame, kind))
    print(
        f"{options.table}: {len(frame):,} of {len(table):,} rows, {frame['row'].nunique():,} of"
        f" them different, rank {rank:,} -> {out}"
    )
