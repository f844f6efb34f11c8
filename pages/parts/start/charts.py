"""The first page's charts, each with its sentence, from what comes with the app finished."""

from __future__ import annotations

import numpy as np

from core.charts.heatmaps import heatmap, heatmap_height
from core.charts.learning_curves import accuracy_by_budget
from core.experiments import presets, store
from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import RANDOM
from core.experiments.statistics import MARGIN
from core.experiments.verdicts import POINTS, sentence
from core.runtime import cache
from core.spec import Comparison, comparison_key, resolve, talk_comparison
from core.types import Floats
from pages.parts.start import ways_in
from pages.shared import cached, layout, memo
from pages.shared.experiments.line_styles import selection_lines
from pages.shared.words import inside, short

HEIGHT = 300


def agreement() -> None:
    """How alike the talk's embeddings rank the digits, family by family."""
    compared = talk_comparison()
    data = cached.dataset(compared.dataset, compared.n, compared.subset)
    entry = cache.get(comparison_key(compared, data.fingerprint))
    if entry is None:
        ways_in.not_yet()
        return
    means, names, families = family_means(entry.arrays["kendall"], compared)
    cell = least_alike(means)
    labels = {short(s.embedding): s.embedding_label for s in compared.columns}
    said = least_alike_said(means, [labels[name] for name in names], cell)
    tips = [{"measure": "Kendall τ, mean over seeds"}] * means.size
    drawn = (heatmap, means, names, families, tips, cell, True, layout.dark())
    with layout.fluid("start-agreement", heatmap_height(len(names))):
        memo.chart(*drawn, key="start heatmap", alt=said.replace("*", ""), height="stretch")
    layout.under_picture(said)


def family_means(matrix: Floats, compared: Comparison) -> tuple[Floats, list[str], list[str]]:
    """Mean τ between families (f, f), and with another seed of its own (1 where there is none).

    With the families' short names and the names of their colours.
    """
    called = [short(spec.embedding) for spec in compared.columns]
    names = list(dict.fromkeys(called))
    colours = {short(s.embedding): resolve(s).embedder.family for s in compared.columns}
    others = np.where(np.eye(len(called), dtype=bool), np.nan, matrix)
    places = [np.array(called) == name for name in names]
    means = np.ones((len(names), len(names)))
    for i, rows in enumerate(places):
        for j, columns in enumerate(places):
            block = others[np.ix_(rows, columns)]
            if np.isfinite(block).any():
                means[i, j] = np.nanmean(block)
    return means, names, [colours[name] for name in names]


def least_alike(means: Floats) -> tuple[int, int]:
    """The two families that agree least."""
    i, j = np.unravel_index(np.argmin(means), means.shape)
    return int(i), int(j)


def least_alike_said(means: Floats, labels: list[str], cell: tuple[int, int]) -> str:
    """How little they agree."""
    one, other = (inside(labels[i]) for i in cell)
    return (
        f"The two that agree least, *{one}* and *{other}*, rank the same digits by leverage at a"
        f" Kendall's τ of *{means[cell]:.2f}*: 1 is the same order, 0 an unrelated one."
    )


def labels() -> None:
    """What choosing by leverage brings, against the number of labels."""
    retraining()  # TO SWAP: the sampling curve, the loss ratio against labels, once it comes along


def retraining() -> None:
    """Test accuracy of networks trained on selections of the digits."""
    plan = presets.FAIR
    data = cached.dataset(plan.dataset, plan.n, plan.subset)
    grid = outcomes.grid(plan, store.outcomes(plan, data.fingerprint), len(data.class_names))
    if not grid.finished:
        ways_in.not_yet()
        return
    said = top_against_random(grid)
    drawn = (accuracy_by_budget, plan.budgets, grid.accuracy, selection_lines(plan, layout.dark()))
    with layout.fluid("start-labels", HEIGHT):
        how = {"alt": said.replace("*", ""), "height": "stretch"}
        memo.chart(*drawn, layout.dark(), key="start labels", **how)
    layout.under_picture(said)


def top_against_random(grid: Grid) -> str:
    """What the smallest budget of the highest leverage brings, against random."""
    budget = f"{grid.plan.budgets[0]:,}"
    versus = outcomes.versus(grid, RANDOM, MARGIN)[grid.plan.candidates[0]]
    here = versus.at(0)._replace(places=[""])
    name = f"A network trained on the {budget} digits of highest leverage"
    said = sentence(name, f"one trained on {budget} random digits", here, POINTS, MARGIN)
    return f"{said} Over {grid.plan.seeds} seeds, with the interval in brackets."
