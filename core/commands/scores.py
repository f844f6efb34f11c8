"""Rankings of points, written into a table.

python -m core score --dataset mnist --embedding raw --strategy leverage --out scores.parquet
    one ranking
python -m core export --dataset mnist --rankings "raw:leverage random" --map raw --out scores.csv
    several, and a map
python -m core leverage features.npy --out scores.parquet
    leverage of a table that need not fit into memory
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core import datasets
from core.commands import writing
from core.data.imports.wording import some
from core.exports import score_table
from core.exports.ranking_names import parse_ranking
from core.linalg.ties import gaps
from core.linalg.whitening import close_call
from core.plugins import menu
from core.runtime.cache import Entry
from core.spec import Spec
from core.types import UserError

NO_FEATURE = re.compile(r"label.*|class|target|y|split|id|.+[_ ]id|index|row|unnamed.*")


def add(commands) -> None:
    """Put these commands into the parser."""
    _add_score(commands)
    _add_export(commands)
    _add_leverage(commands)


def score(options: argparse.Namespace) -> None:
    """Scores of all points into a table, and beside it a manifest of how they were made."""
    spec = _spec(options)
    (entry,) = _write_scores([spec], None, options.out)
    out = options.out
    n = len(entry.arrays["scores"])
    print(
        f"{spec.title()}: {n:,} scores, sum {entry.facts['sum']:.6f}, {_rank(entry.facts)} -> {out}"
    )


def export_scores(options: argparse.Namespace) -> None:
    """Several rankings of the same points, and a map if one is wanted, into one table.

    What is missing is computed.
    """
    points = Spec().with_(dataset=options.dataset, n=options.n, subset=options.subset)
    specs = list(dict.fromkeys(parse_ranking(word, points) for word in options.rankings.split()))
    if not specs:
        raise UserError("Rankings: found none, expected at least one, such as raw:leverage.")
    mapped = parse_ranking(options.map, points) if options.map else None
    for spec, entry in zip(specs, _write_scores(specs, mapped, options.out), strict=True):
        print(f"{spec.title()}: {len(entry.arrays['scores']):,} scores -> {options.out}")
    if mapped:
        print(f"UMAP of {mapped.embedding_label} -> {options.out}")


def leverage(options: argparse.Namespace) -> None:
    """Leverage of a table that need not fit into memory, into a table with a row per row.

    Beside it lies a manifest.
    """
    from core.large import leverage as large
    from core.large import row_sources

    out = Path(options.out)
    ridge = menu.find("leverage").knobs["ridge"].parse(options.ridge)
    kind = score_table.kind_of(out.name)
    writing.check_writable(out)
    table = row_sources.open_table(options.table, options.without)
    _say_dimensions(getattr(table, "columns", ()))
    scores, facts = large.of_file(table, ridge, writing.tenths())
    writing.write(out, score_table.encode(large.frame(scores), kind))
    writing.write(
        out.with_suffix(".manifest.json"), large.manifest(table, options.without, facts).encode()
    )
    said = _rank(facts) if "rank" in facts else f"ridge {ridge:g}"
    print(f"{large.title(table)}: {len(scores):,} scores, sum {facts['sum']:.6f}, {said} -> {out}")


def _say_dimensions(columns: Sequence[str]) -> None:
    """Which columns count, and which of them may not be meant."""
    doubtful = [name for name in columns if NO_FEATURE.fullmatch(name.lower())]
    if columns:
        writing.say(f"{len(columns):,} dimensions: {some(columns, 8)}")
    if doubtful:
        writing.say(f"if they are no features, leave out: --without {' '.join(doubtful)}")


def _rank(facts: Mapping[str, Any]) -> str:
    close = close_call(facts["gap"], facts["condition"])
    return f"rank {facts['rank']:,}" + (" (a close call)" if close else "")


def _write_scores(specs: list[Spec], mapped: Spec | None, name: str) -> list[Entry]:
    """The table of these rankings, with the map of one Spec's embedding, and its manifest."""
    from core import pipeline  # computes with torch: only here

    out = Path(name)
    kind = score_table.kind_of(out.name)  # an unknown format is said before the work
    entries = [pipeline.scores(spec) for spec in specs]
    drawn = pipeline.map_of(mapped) if mapped else None
    columns = [
        score_table.Column(
            spec, gaps(entry.arrays["scores"], entry.arrays.get("unscored")), entry.facts
        )
        for spec, entry in zip(specs, entries, strict=True)
    ]
    projection = None
    if mapped and drawn:
        projection = score_table.Projection(mapped, drawn.arrays["coordinates"], drawn.facts)
    data = pipeline.dataset(specs[0].dataset, specs[0].n, specs[0].subset)
    manifest = score_table.manifest(data, columns, projection)
    writing.write(
        out, score_table.encode(score_table.table(data, columns, projection), kind, manifest)
    )
    writing.write(out.with_suffix(".manifest.json"), manifest.encode())
    for entry in (*entries, *filter(None, [drawn])):
        made_of = entry.facts.get("made_of") if "scores" in entry.arrays else None
        for said in (*entry.notes, *entry.facts.get("remarks", ()), *filter(None, [made_of])):
            print(said, file=sys.stderr)
    return entries


def _spec(options: argparse.Namespace) -> Spec:
    knobs = {
        "embedding_knobs": _pairs(options.embedding_knob),
        "strategy_knobs": _pairs(options.knob),
    }
    plain = {
        name: getattr(options, name)
        for name in ("dataset", "n", "subset", "embedding", "seed", "strategy", "draw")
    }
    return Spec().with_(**plain, **knobs)


def _pairs(settings: list[str]) -> tuple[tuple[str, str], ...]:
    for setting in settings:
        if "=" not in setting:
            raise UserError(f"Setting: found {setting!r}, expected name=value, such as ridge=0.1.")
    return tuple(
        (name, value) for name, _, value in (setting.partition("=") for setting in settings)
    )


def _add_score(commands) -> None:
    default = Spec()
    scoring = commands.add_parser("score", help="score every point and write a table")
    scoring.add_argument(
        "--dataset", default=default.dataset, help=f"one of {', '.join(datasets.names())}"
    )
    scoring.add_argument("--n", help="a class-stratified random subset of this many points")
    scoring.add_argument("--subset", default=0, help="seed of the subset")
    scoring.add_argument(
        "--embedding", default=default.embedding, help=f"one of {', '.join(menu.embedders())}"
    )
    scoring.add_argument("--seed", default=1, help="seed of the embedding")
    scoring.add_argument("--embedding-knob", action="append", default=[], metavar="NAME=VALUE")
    scoring.add_argument(
        "--strategy",
        default=default.strategy,
        help=f"one of {', '.join(n for n, s in menu.strategies().items() if s.kind == 'scorer')}",
    )
    scoring.add_argument(
        "--knob",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the strategy, such as ridge=0.1",
    )
    scoring.add_argument("--draw", default=0, help="seed of a strategy that draws random numbers")
    scoring.add_argument("--out", required=True, help="scores.csv or scores.parquet")
    scoring.set_defaults(run=score)


def _add_export(commands) -> None:
    parser = commands.add_parser(
        "export", help="write several rankings of the same points, and a map, into one table"
    )
    parser.add_argument(
        "--dataset", default=Spec().dataset, help=f"one of {', '.join(datasets.names())}"
    )
    parser.add_argument("--n", help="a class-stratified random subset of this many points")
    parser.add_argument("--subset", default=0, help="seed of the subset")
    parser.add_argument(
        "--rankings",
        required=True,
        help='embedding:seed:strategy:draw, several in quotes, such as "raw:leverage random"',
    )
    parser.add_argument(
        "--map",
        help=(
            "the embedding whose map gives projection_x and projection_y,"
            " such as raw or cnn_classification:2"
        ),
    )
    parser.add_argument("--out", required=True, help="scores.csv or scores.parquet")
    parser.set_defaults(run=export_scores)


def _add_leverage(commands) -> None:
    parser = commands.add_parser(
        "leverage", help="leverage of a table that need not fit into memory"
    )
    parser.add_argument("table", help="a .npy file, a .parquet file, or a folder of .parquet files")
    parser.add_argument(
        "--ridge", default=0.0, help="added to every eigenvalue of X^T X. Default 0."
    )
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="columns of a Parquet table that are no features",
    )
    parser.add_argument("--out", required=True, help="scores.csv or scores.parquet")
    parser.set_defaults(run=leverage)
