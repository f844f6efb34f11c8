"""Is the predicted work that of the units, and the predicted time that of the slots?"""

import itertools
import threading

import numpy as np
import pytest

from core.experiments import cost
from core.experiments.active import speed
from core.experiments.active.plan import Active
from core.experiments.retrain import plan as retrain
from core.experiments.retrain.plan import Retraining
from core.experiments.simulations.plan import PRESETS
from core.experiments.trim.plan import Trim
from core.runtime import cache, tasks
from core.types import UserError

PLAN = Retraining().with_(
    dataset="digits", network="mlp", epochs=3, seeds=2, budgets="100 1000", candidates="random"
)
FOUND = {"rate": 10.0, "rates": {"trained": 1000.0, "tested": 4000.0, "begun": 2.0}}


def test_work_is_training_testing_and_beginning():
    """A fifth of the 1,797 digits test: 359 after each of three passes. 1,000 points are 16 steps a
    pass, so 50 steps take four.
    """
    small, large = PLAN.units()[:2]
    assert small.work == {"trained": 3 * 100, "tested": 3 * 359, "begun": 1}
    assert large.work == {"trained": 3 * 1000, "tested": 3 * 359, "begun": 1}
    steps = PLAN.with_(protocol="steps", steps=50).units()[1]
    assert steps.work == {"trained": 50 * 64, "tested": 4 * 359, "begun": 1}
    long = PLAN.with_(dataset="mnist", epochs=100).units()[0]
    assert long.work["tested"] == 14 * 2_000 + 10_000


def test_the_time_is_the_longer_of_equal_shares_and_the_longest_one():
    units = PLAN.units()
    each = [unit.work["trained"] / 1000 + unit.work["tested"] / 4000 + 1 / 2 for unit in units]
    assert cost.predict(units, FOUND, 1) == pytest.approx(sum(each))
    assert cost.predict(units, FOUND, 2) == pytest.approx(sum(each) / 2)
    assert cost.predict(units, FOUND, 100) == pytest.approx(max(each))
    assert cost.predict([], FOUND, 2) == 0
    shared = {"cost": 70.0}
    assert cost.predict(units, FOUND, 2, shared) == pytest.approx(7 + sum(each) / 2)


def test_what_was_not_measured_is_not_taken_for_free():
    with pytest.raises(KeyError, match="trained"):
        cost.predict(PLAN.units(), {"rate": 10.0}, 1)


def test_a_rate_is_that_of_one_while_others_run():
    inside, most = itertools.count(1), []
    gate = threading.Barrier(3)

    def measured():
        most.append(next(inside))
        gate.wait(10)  # none of them ends before all have begun
        return np.array([1.0, float(most[-1])])

    assert cost.side_by_side(measured, 3)[0] == 1.0 and sorted(most) == [1, 2, 3]


def test_a_measurement_trains_this_network_on_these_points():
    found = cost.measure("digits", 100, 0, "mlp")
    assert (
        found["rate"] > 0
        and found["memory"] > 1e6
        and found["weights"] == 64 * 128 + 128 + 128 * 10 + 10
    )
    assert (
        set(found["rates"]) == {"trained", "tested", "begun"} and min(found["rates"].values()) > 0
    )
    assert cost.measure("digits", None, 0, "linear")["weights"] == 64 * 10 + 10
    assert cost.measure("digits", 100, 0, "linear", "talk_cnn")["rates"]["ranked"] > 0
    with pytest.raises(UserError, match="lenet5 needs images of at least 12 pixels"):
        cost.measure("digits", 100, 0, "lenet5")


def test_a_retraining_is_measured_on_its_network():
    measured = PLAN.measurement
    assert (measured.key, measured.task) == ("~rate digits mlp", tasks.NETWORK_SPEED)
    assert (
        measured.arguments == ("digits", None, 0, "mlp")
        and measured.told.format(1234.5) == "1,234 samples per second each"
    )


def test_networks_that_rank_and_are_not_bundled_are_counted_once(own_cache):
    """Five of each kind are bundled for MNIST; seeds 6 and 7 are trained, five epochs each, once
    for all budgets. What has been ranked is not trained again.
    """
    plan = Retraining().with_(
        candidates="top:cnn_regression top:raw random", seeds=7, budgets="100 1000"
    )
    assert plan.shared(plan.units(), "data") == {"ranked": 2 * 5 * 60_000}
    assert plan.measurement.arguments[4:] == ("talk_cnn",)
    five = plan.with_(seeds=5)
    assert five.shared(five.units(), "data") == {}
    assert five.measurement.arguments == ("mnist", None, 0, "talk_cnn")
    (spec,) = {
        unit.scores_spec
        for unit in plan.units()
        if unit.seed == 7 and unit.candidate.embedding == "cnn_regression"
    }
    cache.put(retrain.pool_key(spec, "data"), {"scores": np.zeros(3)}, {})
    assert plan.shared(plan.units(), "data") == {"ranked": 5 * 60_000}


def test_picking_is_counted_for_each_strategy():
    plan = Active().with_(strategies="bait random", rounds=3, seeds=2)
    bait, random = plan.units()[:2]
    assert bait.work == {speed.ROUND: 4, "picking by bait": 3}
    found = {"rate": 1.0, "rates": {speed.ROUND: 2.0, "picking by bait": 0.1}}
    assert cost.predict([bait], found, 1) == 4 / 2 + 3 / 0.1
    assert random.work == {speed.ROUND: 4, "picking by random": 3}
    assert {"picking by bait", speed.ROUND} <= set(PRESETS["backward"].units()[0].work)


def test_a_batch_from_the_pool_is_on_the_line_through_small_ones():
    assert speed.along((500, 1500), (1.0, 3.0), 10_000) == 20.0
    assert speed.along((500, 1500), (3.0, 1.0), 10_000) == 1.0, "noise is no negative time"


def test_a_small_pool_and_a_small_batch_are_measured_as_they_are(monkeypatch):
    asked = set()

    def small(data, text, setting, size, picks):
        asked.add((size, *picks))
        return np.arange(1.0 + len(picks))

    monkeypatch.setattr(speed, "_small", small)
    plan = Active().with_(dataset="digits", network="linear", batch=5, start=20, pool=300)
    data = plan.points()
    assert speed.picking_seconds(data, "random", plan.setting) == 0 + 1
    assert asked == {(300, 5)}
    asked.clear()
    large = plan.with_(pool=1_200, batch=100, rounds=2)
    assert speed.picking_seconds(data, "random", large.setting) == 0 + 1 + (100 - 1) / (9 - 1)
    assert asked == {(1_200, 1, 9)}


def test_a_round_that_takes_long_is_cut_and_estimated():
    """Ten seconds a pass: after the first pass it is known, and 25 are reckoned with."""
    plan = Active().with_(dataset="digits", network="linear", batch=5, rounds=2, start=20)
    now = itertools.count(0, 10)
    data = plan.points()
    cut = speed.round_seconds(data, plan.setting, clock=lambda: float(next(now)))
    assert cut == pytest.approx(20 * 25)


def test_rounds_and_batches_are_measured():
    plan = Active().with_(
        dataset="digits",
        network="linear",
        strategies="badge bald random",
        batch=5,
        rounds=2,
        start=20,
        pool=300,
    )
    assert plan.measurement.task == tasks.ROUNDS_SPEED
    found = speed.measure(*plan.measurement.arguments)
    assert 0 < cost.predict(plan.units(), found, 2) < 600


def test_every_kind_of_work_is_among_the_rates():
    assert Trim().units()[0].work == {"by fi": 1}
    assert {len(plan.units()[0].work) for plan in PRESETS.values()} == {1, 2}
