"""Which experiments are there? A kind is the name of its page; its module reads a plan from a link
and checks it against its points.

KINDS[kind].from_query(query) -> plan, problems        KINDS[kind].check(plan, data): a UserError if
                                                       the plan cannot run
points(plan)                                           what it runs on; has a fingerprint
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from core import datasets
from core.experiments.active import plan as active
from core.experiments.influence import plan as utilities
from core.experiments.retrain import plan as retrain
from core.experiments.simulations import plan as simulation_plan
from core.experiments.store import Plan
from core.experiments.trim import plan as trim

KINDS: dict[str, ModuleType] = {
    "retrain": retrain,
    "active": active,
    "influence": utilities,
    "trim": trim,
    "simulations": simulation_plan,
}


def points(plan: Plan) -> Any:
    """The points of a plan: a dataset, or where it draws its own, their source."""
    return (
        simulation_plan.source(plan)
        if plan.kind == "simulations"
        else datasets.load(plan.dataset, n=plan.n, seed=plan.subset)
    )
