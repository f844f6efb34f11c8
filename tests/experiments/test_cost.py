"""Is the predicted work that of the trainings, and the predicted time that of the slots?"""

import pytest

from core.experiments import cost
from core.experiments.retrain.plan import Retraining
from core.runtime import tasks
from core.types import UserError

PLAN = Retraining().with_(
    dataset="digits", network="mlp", epochs=3, seeds=2, budgets="100 1000", candidates="random"
)


def test_work_is_training_and_testing():
    """Testing looks 14 times at 2,000 points and once at 10,000, forwards only: 0.3 of a training
    step each.
    """
    small, large = PLAN.units()[:2]
    assert small.cost == 3 * 100 + 0.3 * 38_000 and large.cost == 3 * 1000 + 0.3 * 38_000
    steps = PLAN.with_(protocol="steps", steps=50).units()
    assert {unit.cost for unit in steps} == {50 * 64 + 0.3 * 38_000}


def test_the_time_is_the_longer_of_equal_shares_and_the_longest_one():
    units = PLAN.units()
    each = [unit.cost for unit in units]
    assert cost.predict(units, 1000.0, 1) == pytest.approx(sum(each) / 1000)
    assert cost.predict(units, 500.0, 2) == pytest.approx(sum(each) / 2 / 500)
    assert cost.predict(units, 1000.0, 100) == pytest.approx(max(each) / 1000)
    assert cost.predict([], 1000.0, 2) == 0


def test_a_measurement_trains_this_network_on_these_points():
    found = cost.measure("digits", 100, 0, "mlp")
    assert (
        found["rate"] > 0
        and found["memory"] > 1e6
        and found["weights"] == 64 * 128 + 128 + 128 * 10 + 10
    )
    assert cost.measure("digits", None, 0, "linear")["weights"] == 64 * 10 + 10
    with pytest.raises(UserError, match="lenet5 needs images of at least 12 pixels"):
        cost.measure("digits", 100, 0, "lenet5")


def test_a_plan_without_its_own_measurement_trains_its_network():
    measured = PLAN.measurement
    assert (measured.key, measured.task) == ("~rate digits mlp", tasks.NETWORK_SPEED)
    assert (
        measured.arguments == ("digits", None, 0, "mlp")
        and measured.told.format(1234.5) == "1,234 samples per second each"
    )
