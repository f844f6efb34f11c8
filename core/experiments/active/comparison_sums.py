"""Several comparisons of the same strategies in one penalty matrix, as the papers sum them.

    settings = [setting_of(plan, fingerprint, strategies), ...]
    grouped(settings, "batch")     {"batches of 100": [...], ...}, for outcomes.penalty_matrix

The BADGE paper sums 33 settings and shows them by batch size and by network too; the BAIT paper
does the same with its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.experiments import store
from core.experiments.active import outcomes
from core.experiments.active.outcomes import LearningCurves
from core.experiments.active.plan import Active
from core.types import UserError

GROUPS = {"all": "All settings", "batch": "By batch size", "network": "By network"}


@dataclass(frozen=True, eq=False)
class Setting:
    """One finished comparison, its strategies in an order that several share."""

    plan: Active
    curves: LearningCurves

    @property
    def counted(self) -> str:
        """Which of its budgets count, in words."""
        places = outcomes.budgets(self.curves)
        if not places:
            return "no budget: random is within 1% of its final value after one batch"
        said = ", ".join(f"{self.curves.labels[place]:,}" for place in places)
        out, pairs = outcomes.fallen_out(self.curves, places)
        lost = f"; {out:,} of {pairs:,} pairs of runs fell out, cut before 99%" if out else ""
        return f"budgets {said}{lost}"


def setting_of(plan: Active, fingerprint: str, strategies: Sequence[str]) -> Setting:
    """A plan's finished runs. A UserError if some run is missing, or others compete."""
    if set(plan.strategies) != set(strategies):
        raise UserError(
            f"{plan.title()}: found the strategies {' '.join(plan.strategies)}, expected"
            f" {' '.join(strategies)} in every comparison of one sum. Leave it out."
        )
    if missing := len(store.missing(plan, fingerprint)):
        raise UserError(
            f"{plan.title()}: {missing:,} of {len(plan.units()):,} runs are not finished. Finish"
            " it, or leave it out."
        )
    runs = outcomes.finished_runs(plan, store.outcomes(plan, fingerprint))
    curves = outcomes.learning_curves(plan, runs)
    rows = [plan.strategies.index(name) for name in strategies]
    return Setting(
        plan,
        replace(
            curves,
            value=curves.value[rows],
            learned=curves.learned[rows],
            random=rows.index(curves.random),
        ),
    )


def grouped(settings: Iterable[Setting], by: str) -> dict[str, list[Setting]]:
    """The settings of each group by its name, in the order in which they come."""
    groups: dict[str, list[Setting]] = {}
    for one in settings:
        called = {
            "all": "all settings",
            "batch": f"batches of {one.plan.batch:,}",
            "network": one.plan.network,
        }
        groups.setdefault(called[by], []).append(one)
    return groups
