"""Several comparisons in one matrix: grouped as the papers group them, and refused where they are
not whole or not of the same strategies.
"""

import numpy as np
import pytest

from core.experiments import store
from core.experiments.active import comparison_sums, outcomes
from core.experiments.active.plan import Active
from core.types import UserError

LABELS = np.array([100, 200, 300, 400])
RANDOM = np.array([0.5, 0.6, 0.7, 0.9])


def finish(plan, lead, cut=False):
    """Every run of the plan at once: entropy leads random by so much at all labels."""
    for unit in plan.units():
        ahead = lead * (unit.strategy == "entropy")
        arrays = {"accuracy": RANDOM + ahead + 0.001 * unit.seed, "reached": np.ones(4, bool)}
        arrays["reached"][1] = not (cut and unit.seed == 1)
        arrays |= {name: np.ones(3) for name in ("seconds", "log_det", "norm")}
        store.remember(unit.key(plan.dataset), arrays)
    return plan


def a_plan(**changes):
    return Active().with_(strategies="entropy", seeds=3, rounds=3, **changes)


@pytest.fixture
def settings(own_cache):
    """Entropy wins two, both with the MLP, and loses one; in the last a seed was cut at 200."""
    each = [
        finish(a_plan(), 0.05),
        finish(a_plan(network="linear"), -0.05),
        finish(a_plan(dataset="letter"), 0.05, cut=True),
    ]
    return [comparison_sums.setting_of(plan, plan.dataset, ("entropy", "random")) for plan in each]


def matrix(settings):
    return outcomes.penalty_matrix([one.curves for one in settings]).tolist()


def test_every_comparison_counts_one(settings):
    (everything,) = comparison_sums.grouped(settings, "all").values()
    assert matrix(everything) == [[0, 2], [1, 0]]
    by_network = comparison_sums.grouped(settings, "network")
    assert list(by_network) == ["mlp", "linear"]
    assert matrix(by_network["mlp"]) == [[0, 2], [0, 0]]
    assert matrix(by_network["linear"]) == [[0, 0], [1, 0]]
    assert list(comparison_sums.grouped(settings, "batch")) == ["batches of 100"]


def test_which_budgets_counted_is_said(settings):
    assert settings[0].counted == "budgets 200, 300"
    assert settings[2].counted == "budgets 200, 300; 1 of 6 pairs of runs fell out, cut before 99%"


def test_strategies_stand_in_the_order_asked_for(own_cache):
    plan = finish(a_plan().with_(strategies="margin entropy"), 0.05)
    as_it_is = comparison_sums.setting_of(plan, plan.dataset, plan.strategies)
    turned = comparison_sums.setting_of(plan, plan.dataset, ("random", "entropy", "margin"))
    assert turned.curves.random == 0
    assert matrix([turned]) == np.array(matrix([as_it_is]))[::-1, ::-1].tolist()


def test_what_is_not_whole_or_not_comparable_is_refused(own_cache):
    plan = a_plan(batch=50)
    with pytest.raises(UserError, match="6 of 6 runs are not finished"):
        comparison_sums.setting_of(plan, plan.dataset, plan.strategies)
    with pytest.raises(UserError, match="found the strategies entropy random"):
        comparison_sums.setting_of(finish(plan, 0.05), plan.dataset, ("badge", "random"))
