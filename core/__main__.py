"""The same without a screen.

python -m core score --dataset mnist --embedding raw --strategy leverage --out scores.parquet
python -m core warm        fills assets/results with what the first screens and the lesson show
python -m core networks    trains the networks in assets/networks
python -m core retrain --candidates "top:raw random" --budgets "1000 5000" --out run.csv
python -m core retrain --shipped    computes the experiments that come with the app
python -m core active --shipped     computes the active-learning runs that come with the app
python -m core influence --shipped  computes the utilities and queries that come with the app
python -m core simulations --shipped    computes the BAIT paper's simulations that come with the app
python -m core trim --shipped       computes the trimming experiments that come with the app
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from core import cache, datasets, embeddings, export, lesson, strategy
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
    """Train on selections and write the tidy rows, and beside them a manifest; or compute and pack what comes with the app."""
    from core.experiments import presets, results
    from core.experiments.retrain import KNOBS, Retraining

    if options.shipped:
        _ship(presets.SHIPPED)
        return
    names = ("dataset", "n", "subset", "candidates", "budgets", *KNOBS)
    plan = Retraining().with_(**{name: value for name in names if (value := getattr(options, name)) is not None})
    out = Path(options.out or "retraining.csv")
    kind = out.suffix.lstrip(".")
    export.encode(pd.DataFrame({"nothing": [0]}), kind)  # an unknown format is said before the work
    fingerprint = _sweep(plan)
    found = results.outcomes(plan, fingerprint)
    _write(out, export.encode(pd.DataFrame(results.rows(plan, found)), kind))
    _write(out.with_suffix(".manifest.json"), export.run_manifest(plan.title(), plan.to_query(), fingerprint, len(found)).encode())
    print(f"{plan.title()}: {len(found):,} trainings -> {out}")


def active(options: argparse.Namespace) -> None:
    """Compute and pack the active-learning runs that come with the app."""
    from core.experiments import presets

    _ship(presets.ACTIVE)


def influence(options: argparse.Namespace) -> None:
    """Compute and pack the utilities and queries that come with the app."""
    from core.experiments import presets

    _ship(presets.INFLUENCE)


def trimming(options: argparse.Namespace) -> None:
    """Compute and pack the trimming experiments that come with the app, and the FI paper's simulations in the plane."""
    from core.experiments import plane, presets

    for name in plane.WORLDS:
        with cache.without_bundle():
            entries = plane.table(name), plane.picture(name, 1)
        for entry in entries:
            cache.bundle(entry.key, entry.arrays, entry.facts)
            print(entry.key, flush=True)
    _ship(presets.TRIMS)


def simulations(options: argparse.Namespace) -> None:
    """Compute and pack the simulations that come with the app."""
    from core.experiments import presets

    _ship(presets.SIMULATIONS)


def _ship(plans) -> None:
    from core.experiments import results

    for plan in plans:
        fingerprint = _sweep(plan)
        cache.bundle(results.bundle_key(plan, fingerprint), *results.pack(plan, fingerprint))


def _sweep(plan) -> str:
    """Run a plan to its end with progress on the terminal; the data's fingerprint."""
    import time

    from core.experiments import active, retrain, simulation_plan, sweep, trim, utilities

    data = simulation_plan.source(plan) if plan.kind == "simulations" else datasets.load(plan.dataset, n=plan.n, seed=plan.subset)
    rooms = {"retrain": retrain, "active": active, "influence": utilities, "simulations": simulation_plan, "trim": trim}
    rooms[plan.kind].check(plan, data)
    running, said = sweep.start(plan, data.fingerprint, "command line"), -1
    while not running.finished:
        time.sleep(0.2)
        if running.done != said:
            said, left = running.done, running.seconds_left
            print(f"{plan.title()}: {said:,} of {running.total:,}" + (f", about {left / 60:.0f} min left" if left else ""), flush=True)
    for note in running.notes:
        print(note, file=sys.stderr)
    if running.error:
        raise UserError(running.error)
    return data.fingerprint


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
    labelling = commands.add_parser("active", help="compute the active-learning runs that come with the app (about half an hour)")
    labelling.add_argument("--shipped", action="store_true", required=True, help="compute what is missing and pack everything")
    labelling.set_defaults(run=active)
    foreseeing = commands.add_parser("influence", help="compute the utilities and queries that come with the app (about ten minutes)")
    foreseeing.add_argument("--shipped", action="store_true", required=True, help="compute what is missing and pack everything")
    foreseeing.set_defaults(run=influence)
    simulating = commands.add_parser("simulations", help="compute the simulations that come with the app (about a quarter of an hour)")
    simulating.add_argument("--shipped", action="store_true", required=True, help="compute what is missing and pack everything")
    simulating.set_defaults(run=simulations)
    trims = commands.add_parser("trim", help="compute the trimming experiments that come with the app (a few minutes)")
    trims.add_argument("--shipped", action="store_true", required=True, help="compute what is missing and pack everything")
    trims.set_defaults(run=trimming)
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
    parser.add_argument("--shipped", action="store_true", help="compute what comes with the app (more than an hour on two cores)")
    parser.set_defaults(run=retrain)


if __name__ == "__main__":
    sys.exit(main())
