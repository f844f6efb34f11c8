"""What comes with the app, made anew:

python -m core warm          what the first screens and the lesson show
python -m core networks      the networks in assets/networks
python -m core experiments   the experiments that come finished
"""

from __future__ import annotations

import argparse

import numpy as np

from core import datasets, lesson
from core.commands import files
from core.experiments.kinds import KINDS
from core.runtime import cache
from core.spec import Comparison, Spec, talk_comparison


def add(commands) -> None:
    """Put these commands into the parser."""
    shipping = commands.add_parser(
        "experiments",
        help="compute and pack the experiments that come with the app (hours on two cores)",
    )
    shipping.add_argument(
        "--only",
        nargs="+",
        choices=KINDS,
        help="those of these pages only; the others stay as they are",
    )
    shipping.set_defaults(run=experiments)
    learning = commands.add_parser(
        "networks",
        help="train the shipped networks (ten of them, about half a minute each on two cores)",
    )
    learning.set_defaults(run=networks)
    warming = commands.add_parser("warm", help="bundle what the first screen shows")
    functions = sorted({function for function, _ in first_screens()})
    warming.add_argument(
        "--only",
        nargs="+",
        choices=functions,
        help="these results only; the others stay as they are",
    )
    warming.set_defaults(run=warm)


def first_screens() -> list[tuple[str, Spec | Comparison]]:
    """What the pages show before any input: which pipeline function, of what."""
    shown = [
        Spec(embedding=name)
        for name in ("raw", "cnn_untrained", "cnn_regression", "cnn_classification")
    ]
    each = [(function, spec) for function in ("scores", "map_of") for spec in shown]
    return [
        *each,
        ("textbook_scores", Spec()),
        ("agreement_of", talk_comparison()),
        *lesson.results(),
    ]


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
    """Train the shipped networks and print how well each does, and what float16 costs its leverage
    ranking.
    """
    from core import agreement
    from core.models import shipped_networks, training
    from core.strategies import leverage

    data = datasets.load("mnist")
    for objective in shipped_networks.SHIPPED:
        for seed in shipped_networks.SEEDS:
            path = shipped_networks.file("mnist", objective, seed)
            described = shipped_networks.description(data, objective, seed)
            original = shipped_networks.fit(data, objective, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, shipped_networks.encode(original, described))
            shipped = shipped_networks.load(path, described)
            rankings = np.stack(
                [
                    leverage.leverage(training.embed(network, data.points))
                    for network in (original, shipped)
                ]
            )
            accuracy = training.evaluate(
                shipped, data.points[data.test], data.labels[data.test]
            ).accuracy
            print(
                f"{path.name}: test accuracy {accuracy:.4f}, tau with float32"
                f" {agreement.kendall(rankings)[0, 1]:.5f}",
                flush=True,
            )


def experiments(options: argparse.Namespace) -> None:
    """Compute and pack the experiments that come with the app."""
    from core.experiments import presets, shipping

    shipping.ship(options.only or presets.SHIPPED, files.say)
