"""Do the finished runs come to the sentences that they support?"""

import numpy as np
import pytest

from core.experiments.sampling import outcomes
from core.experiments.sampling.plan import Sampling
from core.spec import Spec

PLAN = Sampling().with_(
    seen=Spec(dataset="runge"), rules="leverage top d_optimal", budgets="20 50", seeds=3
)


def outcome(ratio, accuracy=np.nan):
    values = {name: np.full(2, 1.0) for name in ("error", "directions", "condition", "bought")}
    full = np.array([13, 2_000, 6.4, 300.0, accuracy, 0.1])
    return values | {"ratio": np.array(ratio), "accuracy": np.full(2, accuracy), "full": full}


@pytest.fixture
def bought():
    ratios = {
        "uniform": [8.0, 2.0],
        "leverage": [2.0, 1.98],
        "top": [4e5, 9.0],
        "d_optimal": [2, 2],
    }
    found = {
        unit: outcome(np.array(ratios[unit.rule]) * (1 + 0.001 * unit.seed))
        for unit in PLAN.units()
    }
    return outcomes.bought_of(PLAN, found)


def test_runs_lie_in_their_places_and_one_without_chance_in_every_draw(bought):
    np.testing.assert_allclose(bought.ratio[0, 0], 8 * (1 + 0.001 * np.arange(1, 4)))
    np.testing.assert_allclose(bought.ratio[2, 0], 4e5 * 1.001)
    assert bought.whole.rank == 13 and not bought.classes and not bought.whole.exact


def test_losses_are_compared_by_their_logarithm_positive_is_better(bought):
    found = outcomes.versus(bought, "uniform", "ratio", 0.02)
    assert found["leverage"].differences[0] == pytest.approx(np.log(4))
    assert [one.outcome for one in found["leverage"].outcomes] == ["better", "equal"]
    assert [one.outcome for one in found["top"].outcomes] == ["worse", "worse"]


def test_two_rules_without_chance_are_not_judged_against_each_other(bought):
    found = outcomes.versus(bought, "top", "ratio", 0.02)
    assert {one.outcome for one in found["d_optimal"].outcomes} == {"unclear"}
    assert {one.seeds for one in found["d_optimal"].outcomes} == {0}
    assert found["leverage"].outcomes[0].outcome == "better"


def test_what_is_not_finished_is_nan():
    first = PLAN.units()[0]
    half = outcomes.bought_of(PLAN, {first: outcome([2.0, np.nan])})
    assert np.isfinite(half.ratio).sum() == 1
    assert not outcomes.bought_of(PLAN, {}).finished


def test_the_tidy_rows_hold_every_number():
    unit = PLAN.units()[0]
    rows = outcomes.tidy_columns(PLAN, {unit: outcome([2.0, np.nan])})
    assert rows["metric"].count("ratio") == 1 and rows["value"][0] == 2.0
    assert set(rows["strategy"]) == {"uniform"} and set(rows["budget"]) == {20, 50}
