"""What comes with the app, made anew:

python -m core warm          what the first screens and the lesson show
python -m core networks      the networks in assets/networks
python -m core experiments   the experiments that come finished
python -m core index         assets/results/INDEX.md, which says in words what each result is

The commands that bundle results write the index as well.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core import datasets, lesson
from core.commands import writing
from core.experiments.kinds import KINDS
from core.runtime import cache
from core.spec import Comparison, Spec, from_query, talk_comparison


@dataclass(frozen=True)
class Step:
    """Bundled results of one kind: what they are, who shows them, which command makes them anew."""

    title: str
    what: str
    pages: str
    command: str


# By the folder in assets/results; in the order of the index.
STEPS = {
    "scores": Step(
        "Scores of every point",
        "One number a point, higher picked first; the rank and spectrum of the embedding as facts.",
        "Explore; as colours on Map; the lesson",
        "warm --only scores",
    ),
    "map": Step(
        "Maps",
        "UMAP: two coordinates a point.",
        "Map",
        "warm --only map_of",
    ),
    "textbook": Step(
        "Leverage by unpivoted QR",
        "What the textbook code gives in place of leverage, and which points are its artefacts.",
        "Explore (How QR fooled us); the lesson",
        "warm --only textbook_scores",
    ),
    "agreement": Step(
        "Agreement of rankings",
        "The talk's figure: four matrices between the rankings, and the scores behind them.",
        "Agreement; the lesson",
        "warm --only agreement_of",
    ),
    "plane": Step(
        "Digits in two directions",
        "Some points that do not cover one another in the plane, with their scores.",
        "The lesson",
        "warm --only plane_of",
    ),
    "favourites": Step(
        "What each strategy picks first",
        "The first ten of one small pool, which is all that the strategy is given.",
        "The lesson",
        "warm --only favourites_of",
    ),
    "pack": Step(
        "Experiments",
        "Every finished unit of a plan, stacked.",
        "The page named in the row; the lesson shows two of Retrain's",
        "experiments",
    ),
    "trim_table": Step(
        "The FI paper's tables",
        "Test accuracies of every seed, before and after trimming.",
        "Trim",
        "experiments --only trim",
    ),
    "plane_trimmed": Step(
        "The FI paper's points in the plane",
        "One seed: the points, what each method trims, and the boundaries before and after.",
        "Trim",
        "experiments --only trim",
    ),
}


def add(commands) -> None:
    """Put these commands into the parser."""
    bundling = commands.add_parser(
        "experiments",
        help="compute and pack the experiments that come with the app (hours on two cores)",
    )
    bundling.add_argument(
        "--only",
        nargs="+",
        choices=KINDS,
        help="those of these pages only; the others stay as they are",
    )
    bundling.add_argument(
        "--anew",
        metavar="TITLE",
        help="those alone whose title holds this text, computed anew; may be stopped and goes on",
    )
    bundling.set_defaults(run=experiments)
    learning = commands.add_parser(
        "networks",
        help="train the bundled networks (ten of them, about half a minute each on two cores)",
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
    indexing = commands.add_parser("index", help="say in words what each bundled result is")
    indexing.set_defaults(run=index)


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
    index(options)


def networks(options: argparse.Namespace) -> None:
    """Train the bundled networks; print how well each does, and what float16 costs its ranking."""
    from core import agreement
    from core.models import evaluation, shipped_networks
    from core.strategies import leverage

    data = datasets.load("mnist")
    for objective in shipped_networks.SHIPPED:
        for seed in shipped_networks.SEEDS:
            path = shipped_networks.file("mnist", objective, seed)
            described = shipped_networks.description(data, objective, seed)
            original = shipped_networks.fit(data, objective, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            writing.write(path, shipped_networks.encode(original, described))
            bundled = shipped_networks.load(path, described)
            embedded = (evaluation.embed(network, data.points) for network in (original, bundled))
            rankings = np.stack([leverage.leverage(matrix) for matrix in embedded])
            test = (data.points[data.test], data.labels[data.test])
            accuracy = evaluation.evaluate(bundled, *test).accuracy
            print(
                f"{path.name}: test accuracy {accuracy:.4f}, tau with float32"
                f" {agreement.kendall(rankings)[0, 1]:.5f}",
                flush=True,
            )


def experiments(options: argparse.Namespace) -> None:
    """Compute and pack the experiments that come with the app."""
    from core.experiments import bundling, presets

    bundling.bundle_plans(options.only or presets.BUNDLED, writing.say, options.anew)
    index(options)


def index(options: argparse.Namespace) -> None:
    """Write INDEX.md beside the bundled results."""
    writing.write(cache.BUNDLED / "INDEX.md", index_text().encode())


def index_text() -> str:
    """What each bundled result is, as Markdown: a section a step, a row a result."""
    folders = {
        step: [entry.parent for entry in sorted(cache.BUNDLED.glob(f"{step}/*/entry.json"))]
        for step in STEPS
    }
    megabytes = sum(_bytes(folder) for found in folders.values() for folder in found) / 1e6
    opening = [
        "# What comes finished with the app",
        "",
        "Written by `python -m core index`; do not edit."
        " A result is a folder of plain arrays and `entry.json`.",
        f"Results: {sum(map(len, folders.values()))}, {megabytes:.1f} MB. README.md beside this"
        " file says what they show.",
    ]
    sections = [_section(step, found) for step, found in folders.items() if found]
    return "\n".join([*opening, *(line for lines in sections for line in lines)]) + "\n"


def _section(step: str, folders: list[Path]) -> list[str]:
    about = STEPS[step]
    rows = [
        f"| {_in_words(step, _facts(folder))} | {_bytes(folder) / 1e3:,.0f} | {folder.name} |"
        for folder in folders
    ]
    return [
        "",
        f"## {about.title}",
        "",
        f"{about.what}",
        f"Shown on: {about.pages}. Made anew by `python -m core {about.command}`.",
        "",
        f"| what | kB | folder in `{step}/` |",
        "|---|---|---|",
        *sorted(rows, key=str.casefold),
    ]


def _in_words(step: str, facts: dict[str, Any]) -> str:
    if step == "pack":
        plan, _ = KINDS[facts["kind"]].from_query(facts["plan"])
        count = f"{len(facts['units'])} {plan.units_are}"
        title = plan.title() if count in plan.title() else f"{plan.title()} ({count})"
        return f"{facts['kind'].capitalize()}: {title}"
    if step == "agreement":
        first, _ = from_query(facts["columns"][0])
        return f"{first.title()}, and the same under {len(facts['columns']) - 1} other embeddings"
    if "world" in facts:
        return datasets.info(facts["world"]).title
    spec, _ = from_query(facts["spec"])
    if step in ("map", "textbook"):  # of an embedding, whatever the strategy
        return spec.title().replace(", Leverage", "")
    missing = facts.get("missing")
    return spec.title() + (f": none, it {missing}" if missing else "")


def _facts(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "entry.json").read_bytes())["facts"]


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
