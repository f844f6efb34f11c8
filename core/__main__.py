"""The same without a screen.

python -m core score --dataset mnist --embedding raw --strategy leverage --out scores.parquet
python -m core export --dataset mnist --rankings "raw:leverage cnn_classification:2:leverage random" --map raw --out scores.parquet
python -m core leverage features.npy --out scores.parquet    of a table that need not fit into memory
python -m core check my_scorer.py    does an own strategy keep the contract?
python -m core fetch cifar10    downloads a dataset, so that it is ready: for a host, whose visitors cannot
python -m core warm        fills assets/results with what the first screens and the lesson show
python -m core networks    trains the networks in assets/networks
python -m core retrain --candidates "top:raw random" --budgets "1000 5000" --out run.csv
python -m core experiments  computes and packs the experiments that come with the app finished
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from core import cache, datasets, embeddings, export, lesson, plugins, strategy
from core.cache import Entry
from core.commands import own_data
from core.experiments.kinds import KINDS
from core.ranking_names import parse_ranking
from core.spec import Comparison, Spec, talk_comparison
from core.types import UserError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 2 with a message for what the user can mend. `check` also knows 1."""
    options = _parser().parse_args(arguments)
    for problem in plugins.problems():
        print(f"Warning: {problem}", file=sys.stderr)
    try:
        return options.run(options) or 0
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


def score(options: argparse.Namespace) -> None:
    """Scores of all points into a table, and beside it a manifest of how they were made."""
    spec = _spec(options)
    (entry,), out = _write_scores([spec], None, options.out), options.out
    n = len(entry.arrays["scores"])
    print(f"{spec.title()}: {n:,} scores, sum {entry.facts['sum']:.6f}, rank {entry.facts['rank']:,} -> {out}")


def export_scores(options: argparse.Namespace) -> None:
    """Several rankings of the same points, and a map if one is wanted, into one table; what is missing is computed."""
    points = Spec().with_(dataset=options.dataset, n=options.n, subset=options.subset)
    specs = list(dict.fromkeys(parse_ranking(word, points) for word in options.rankings.split()))
    if not specs:
        raise UserError("Rankings: found none, expected at least one, such as raw:leverage.")
    mapped = parse_ranking(options.map, points) if options.map else None
    for spec, entry in zip(specs, _write_scores(specs, mapped, options.out), strict=True):
        print(f"{spec.title()}: {len(entry.arrays['scores']):,} scores -> {options.out}")
    if mapped:
        print(f"UMAP of {mapped.embedding_label} -> {options.out}")


def _write_scores(specs: list[Spec], mapped: Spec | None, name: str) -> list[Entry]:
    """The table of these rankings, with the map of one Spec's embedding, and its manifest."""
    from core import pipeline  # computes with torch: only here

    out, kind = Path(name), export.kind_of(Path(name).name)  # an unknown format is said before the work
    entries = [pipeline.scores(spec) for spec in specs]
    drawn = pipeline.map_of(mapped) if mapped else None
    columns = [export.Column(spec, entry.arrays["scores"], entry.facts) for spec, entry in zip(specs, entries, strict=True)]
    projection = export.Projection(mapped, drawn.arrays["coordinates"], drawn.facts) if mapped and drawn else None
    data = pipeline.dataset(specs[0].dataset, specs[0].n, specs[0].subset)
    manifest = export.manifest(data, columns, projection)
    _write(out, export.encode(export.table(data, columns, projection), kind, manifest))
    _write(out.with_suffix(".manifest.json"), manifest.encode())
    for note in [note for entry in (*entries, *filter(None, [drawn])) for note in entry.notes]:
        print(note, file=sys.stderr)
    return entries


def leverage(options: argparse.Namespace) -> None:
    """Leverage of a table that need not fit into memory, into a table with one row per row, and beside it a manifest."""
    from core import large, rows

    out, ridge = Path(options.out), strategy.find("leverage").knobs["ridge"].parse(options.ridge)
    kind = export.kind_of(out.name)
    _check_writable(out)
    table = rows.open_table(options.table, options.without)
    scores, facts = large.of_file(table, ridge, _tenths())
    _write(out, export.encode(large.frame(scores), kind))
    _write(out.with_suffix(".manifest.json"), large.manifest(table, options.without, facts).encode())
    rank = f", rank {facts['rank']:,}" if "rank" in facts else f", ridge {ridge:g}"
    print(f"{large.title(table)}: {len(scores):,} scores, sum {facts['sum']:.6f}{rank} -> {out}")


def check(options: argparse.Namespace) -> int:
    """Every strategy of a file against the contract, a line for each promise; 1 if one is broken, advice aside."""
    from core import contract

    broken = 0
    for entry in plugins.load_file(options.file):
        print(f"{entry.label} ({entry.name}, a {entry.kind})")
        for found in contract.findings(entry):
            print(f"  {found}", flush=True)
            broken += found.broken
    print(f"{broken} {'promise is' if broken == 1 else 'promises are'} broken." if broken else "Every promise is kept.")
    return int(broken > 0)


def first_screens() -> list[tuple[str, Spec | Comparison]]:
    """What the pages show before any input: which pipeline function, of what."""
    shown = [Spec(embedding=name) for name in ("raw", "cnn_untrained", "cnn_regression", "cnn_classification")]
    each = [(function, spec) for function in ("scores", "map_of") for spec in shown]
    return [*each, ("textbook_scores", Spec()), ("agreement_of", talk_comparison()), *lesson.results()]


def warm(options: argparse.Namespace) -> None:
    """Compute what the pages show before any input, and bundle it."""
    from core import pipeline

    for function, spec in first_screens():
        if options.only and function not in options.only:
            continue
        with cache.without_bundle():
            entry = getattr(pipeline, function)(spec)
        cache.bundle(entry.key, entry.arrays, entry.facts)
        print(f"{function}: {entry.key}", flush=True)


def networks(options: argparse.Namespace) -> None:
    """Train the shipped networks and print how well each does, and what float16 costs its leverage ranking."""
    from core import agreement, trained, training
    from core.strategies import leverage

    data = datasets.load("mnist")
    for objective in trained.SHIPPED:
        for seed in trained.SEEDS:
            path, described = trained.file("mnist", objective, seed), trained.description(data, objective, seed)
            original = trained.fit(data, objective, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, trained.encode(original, described))
            shipped = trained.load(path, described)
            rankings = np.stack([leverage.leverage(training.embed(network, data.points)) for network in (original, shipped)])
            accuracy = training.evaluate(shipped, data.points[data.test], data.labels[data.test]).accuracy
            print(f"{path.name}: test accuracy {accuracy:.4f}, tau with float32 {agreement.kendall(rankings)[0, 1]:.5f}", flush=True)


def retrain(options: argparse.Namespace) -> None:
    """Train on selections and write the tidy rows, and beside them a manifest."""
    from core.experiments import results, shipping
    from core.experiments.retrain import KNOBS, Retraining

    names = ("dataset", "n", "subset", "candidates", "budgets", *KNOBS)
    plan = Retraining().with_(**{name: value for name in names if (value := getattr(options, name)) is not None})
    out = Path(options.out or "retraining.csv")
    kind = export.kind_of(out.name)  # an unknown format is said before the work
    fingerprint = shipping.finish(plan, _say, partial(print, file=sys.stderr))
    found = results.outcomes(plan, fingerprint)
    _write(out, export.encode(pd.DataFrame(results.rows(plan, found)), kind))
    _write(out.with_suffix(".manifest.json"), export.run_manifest(plan.title(), plan.to_query(), fingerprint, len(found)).encode())
    print(f"{plan.title()}: {len(found):,} trainings -> {out}")


def fetch(options: argparse.Namespace) -> None:
    """Make a dataset ready on this machine."""
    told = ""

    def say(fraction: float | None, text: str) -> None:
        nonlocal told
        if (line := text.partition(",")[0]) != told:  # not every megabyte
            told = line
            _say(line)

    datasets.fetch(options.dataset, say)
    about = datasets.info(options.dataset)
    where = "come with the app" if about.bundled else f"are ready in {datasets.data_folder()}"
    print(f"{about.title}: {about.n:,} points {where}")


def experiments(options: argparse.Namespace) -> None:
    """Compute and pack the experiments that come with the app."""
    from core.experiments import presets, shipping

    shipping.ship(options.only or presets.SHIPPED, _say)


def _tenths() -> Callable[[float | None, str], None]:
    """Says how far a pass is, a line for each tenth of it."""
    said: list = []

    def tell(fraction: float | None, text: str) -> None:
        now = [text.partition(",")[0], int(10 * (fraction or 0))]
        if text and now != said:
            said[:] = now
            print(text, file=sys.stderr, flush=True)

    return tell


def _say(text: str) -> None:
    print(text, flush=True)


def _spec(options: argparse.Namespace) -> Spec:
    knobs = {"embedding_knobs": _pairs(options.embedding_knob), "strategy_knobs": _pairs(options.knob)}
    plain = {name: getattr(options, name) for name in ("dataset", "n", "subset", "embedding", "seed", "strategy", "draw")}
    return Spec().with_(**plain, **knobs)


def _pairs(settings: list[str]) -> tuple[tuple[str, str], ...]:
    for setting in settings:
        if "=" not in setting:
            raise UserError(f"Setting: found {setting!r}, expected name=value, such as ridge=0.1.")
    return tuple((name, value) for name, _, value in (setting.partition("=") for setting in settings))


def _check_writable(path: Path) -> None:
    """Before hours of work: can this file be written? It is left as it was."""
    there = path.exists()
    _write(path, b"", "ab")
    if not there:
        path.unlink()


def _write(path: Path, content: bytes, mode: str = "wb") -> None:
    try:
        with path.open(mode) as file:
            file.write(content)
    except OSError as error:
        raise UserError(f"{path}: could not be written ({error.strerror}). Choose a folder that exists and is writable.") from None


def _parser() -> argparse.ArgumentParser:
    default = Spec()
    parser = argparse.ArgumentParser(prog="python -m core", description="Leverage Lab without a screen.")
    commands = parser.add_subparsers(required=True)
    scoring = commands.add_parser("score", help="score every point and write a table")
    scoring.add_argument("--dataset", default=default.dataset, help=f"one of {', '.join(datasets.names())}")
    scoring.add_argument("--n", help="a class-stratified random subset of this many points")
    scoring.add_argument("--subset", default=0, help="seed of the subset")
    scoring.add_argument("--embedding", default=default.embedding, help=f"one of {', '.join(embeddings.embedders())}")
    scoring.add_argument("--seed", default=1, help="seed of the embedding")
    scoring.add_argument("--embedding-knob", action="append", default=[], metavar="NAME=VALUE")
    scoring.add_argument(
        "--strategy",
        default=default.strategy,
        help=f"one of {', '.join(n for n, s in strategy.strategies().items() if s.kind == 'scorer')}",
    )
    scoring.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE", help="a setting of the strategy, such as ridge=0.1")
    scoring.add_argument("--draw", default=0, help="seed of a strategy that draws random numbers")
    scoring.add_argument("--out", required=True, help="scores.csv or scores.parquet")
    scoring.set_defaults(run=score)
    _add_export(commands)
    _add_leverage(commands)
    checking = commands.add_parser("check", help="does an own strategy keep the contract?")
    checking.add_argument("file", help="a Python file with functions under @scorer or @selector")
    checking.set_defaults(run=check)
    _add_retrain(commands)
    own_data.add(commands)
    fetching = commands.add_parser("fetch", help="download a dataset and prepare it")
    fetching.add_argument("dataset", help=f"one of {', '.join(datasets.names())}")
    fetching.set_defaults(run=fetch)
    shipping = commands.add_parser("experiments", help="compute and pack the experiments that come with the app (hours on two cores)")
    shipping.add_argument("--only", nargs="+", choices=KINDS, help="those of these pages only; the others stay as they are")
    shipping.set_defaults(run=experiments)
    learning = commands.add_parser("networks", help="train the shipped networks (ten of them, about half a minute each on two cores)")
    learning.set_defaults(run=networks)
    warming = commands.add_parser("warm", help="bundle what the first screen shows")
    functions = sorted({function for function, _ in first_screens()})
    warming.add_argument("--only", nargs="+", choices=functions, help="these results only; the others stay as they are")
    warming.set_defaults(run=warm)
    return parser


def _add_export(commands) -> None:
    parser = commands.add_parser("export", help="write several rankings of the same points, and a map, into one table")
    parser.add_argument("--dataset", default=Spec().dataset, help=f"one of {', '.join(datasets.names())}")
    parser.add_argument("--n", help="a class-stratified random subset of this many points")
    parser.add_argument("--subset", default=0, help="seed of the subset")
    parser.add_argument("--rankings", required=True, help='embedding:seed:strategy:draw, several in quotes, such as "raw:leverage random"')
    parser.add_argument("--map", help="the embedding whose map gives projection_x and projection_y, such as raw or cnn_classification:2")
    parser.add_argument("--out", required=True, help="scores.csv or scores.parquet")
    parser.set_defaults(run=export_scores)


def _add_leverage(commands) -> None:
    parser = commands.add_parser("leverage", help="leverage of a table that need not fit into memory")
    parser.add_argument("table", help="a .npy file, a .parquet file, or a folder of .parquet files")
    parser.add_argument("--ridge", default=0.0, help="added to every eigenvalue of X^T X. Default 0.")
    parser.add_argument("--without", nargs="+", default=[], metavar="COLUMN", help="columns of a Parquet table that are no features")
    parser.add_argument("--out", required=True, help="scores.csv or scores.parquet")
    parser.set_defaults(run=leverage)


def _add_retrain(commands) -> None:
    from core.experiments.retrain import KNOBS

    parser = commands.add_parser("retrain", help="train networks on selections of the points, against random ones")
    parser.add_argument("--dataset", help=f"one of {', '.join(datasets.names())}")
    parser.add_argument("--n", help="a class-stratified random subset of this many points")
    parser.add_argument("--subset", help="seed of the subset")
    parser.add_argument("--candidates", help='rule:embedding:seed:strategy, several in quotes, such as "top:raw bottom:raw random"')
    parser.add_argument("--budgets", help='numbers of points, such as "1000 5000"')
    for name, knob in KNOBS.items():
        parser.add_argument(f"--{name}", help=f"{knob.help or knob.label} Default {knob.default}.")
    parser.add_argument("--out", help="run.csv or run.parquet")
    parser.set_defaults(run=retrain)


if __name__ == "__main__":
    sys.exit(main())
