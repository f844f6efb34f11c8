"""The same without a screen.

python -m core score --dataset mnist --embedding raw --strategy leverage --out scores.parquet
python -m core fetch cifar10    downloads a dataset, so that it is ready: for a host, whose visitors cannot
python -m core warm        fills assets/results with what the first screens and the lesson show
python -m core networks    trains the networks in assets/networks
python -m core retrain --candidates "top:raw random" --budgets "1000 5000" --out run.csv
python -m core experiments  computes and packs the experiments that come with the app finished
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from core import cache, datasets, embeddings, export, lesson, strategy
from core.experiments.kinds import KINDS
from core.spec import Comparison, Spec, talk_comparison
from core.types import UserError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 2 with a message for what the user can mend."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def score(options: argparse.Namespace) -> None:
    """Scores of all points into a table, and beside it a manifest of how they were made."""
    from core import pipeline  # computes with torch: only here

    out = Path(options.out)
    kind = out.suffix.lstrip(".")
    export.encode(export.table(datasets.load("digits", n=10), np.zeros(10)), kind)  # an unknown format is said before the work
    spec = _spec(options)
    entry = pipeline.scores(spec)
    data = pipeline.dataset(spec.dataset, spec.n, spec.subset)
    _write(out, export.encode(export.table(data, entry.arrays["scores"]), kind))
    _write(out.with_suffix(".manifest.json"), export.manifest(spec, data, entry.facts).encode())
    for note in entry.notes:
        print(note, file=sys.stderr)
    print(f"{spec.title()}: {len(data):,} scores, sum {entry.facts['sum']:.6f}, rank {entry.facts['rank']:,} -> {out}")


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
    from core.strategies.leverage import leverage

    data = datasets.load("mnist")
    for objective in trained.SHIPPED:
        for seed in trained.SEEDS:
            path, described = trained.file("mnist", objective, seed), trained.description(data, objective, seed)
            original = trained.fit(data, objective, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, trained.encode(original, described))
            shipped = trained.load(path, described)
            rankings = np.stack([leverage(training.embed(network, data.points)) for network in (original, shipped)])
            accuracy = training.evaluate(shipped, data.points[data.test], data.labels[data.test]).accuracy
            print(f"{path.name}: test accuracy {accuracy:.4f}, tau with float32 {agreement.kendall(rankings)[0, 1]:.5f}", flush=True)


def retrain(options: argparse.Namespace) -> None:
    """Train on selections and write the tidy rows, and beside them a manifest."""
    from core.experiments import results, shipping
    from core.experiments.retrain import KNOBS, Retraining

    names = ("dataset", "n", "subset", "candidates", "budgets", *KNOBS)
    plan = Retraining().with_(**{name: value for name in names if (value := getattr(options, name)) is not None})
    out = Path(options.out or "retraining.csv")
    kind = out.suffix.lstrip(".")
    export.encode(pd.DataFrame({"nothing": [0]}), kind)  # an unknown format is said before the work
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
        if (line := text.partition(", ")[0]) != told:  # not every megabyte
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


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
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
    _add_retrain(commands)
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
