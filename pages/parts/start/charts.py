"""The first page's charts, each with its sentence, from what comes with the app finished."""

from __future__ import annotations

import numpy as np

from core.charts.heatmaps import heatmap, heatmap_height
from core.charts.learning_curves import loss_by_labels_bought
from core.experiments import store
from core.experiments.sampling import outcomes
from core.experiments.sampling.outcomes import Bought
from core.experiments.sampling.plan import Sampling
from core.experiments.statistics import factor_estimate
from core.linalg.sampling import guarantee
from core.runtime import cache
from core.spec import Comparison, comparison_key, resolve, talk_comparison
from core.types import Floats
from pages.parts.start import ways_in
from pages.shared import cached, layout, memo
from pages.shared.experiments.sampling_rules import loss_text, rule_line
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
    lowest = int(np.argmin(means))
    i, j = divmod(lowest, len(means))
    return i, j


def least_alike_said(means: Floats, labels: list[str], cell: tuple[int, int]) -> str:
    """How little they agree."""
    one, other = (inside(labels[i]) for i in cell)
    return (
        f"The two that agree least, *{one}* and *{other}*, rank the same digits by leverage at a"
        f" Kendall's τ of *{means[cell]:.2f}*: 1 is the same order, 0 an unrelated one."
    )


def labels() -> None:
    """What a linear fit loses to few labels: drawn by leverage, uniformly, or from the top."""
    plan = Sampling()
    data = cached.dataset(plan.dataset, plan.n, plan.subset)
    bought = outcomes.bought_of(plan, store.outcomes(plan, data.fingerprint))
    if bought.whole is None:
        ways_in.not_yet()
        return
    said = drawn_against_uniform(bought)
    bound = guarantee(np.array(plan.budgets), bought.whole.rank)
    lines = [rule_line(rule) for rule in plan.rules]
    drawn = (loss_by_labels_bought, plan.budgets, bought.ratio, bound, bought.whole.rank, lines)
    with layout.fluid("start-labels", HEIGHT):
        how = {"alt": said.replace("*", ""), "height": "stretch"}
        memo.chart(*drawn, layout.dark(), key="start labels", **how)
    layout.under_picture(said)


def drawn_against_uniform(bought: Bought) -> str:
    """The losses where twice as many labels are bought as there are directions."""
    plan = bought.plan
    b = next(b for b, k in enumerate(plan.budgets) if k >= 2 * bought.whole.rank)
    loss = dict(zip(plan.rules, factor_estimate(bought.ratio[:, b]).mean, strict=True))
    return (
        f"A linear fit to {plan.budgets[b]:,} labels drawn by leverage has a loss"
        f" *{loss_text(loss['leverage'])}*, to as many drawn uniformly"
        f" *{loss_text(loss['uniform'])}*: means of {plan.seeds} draws."
    )
