"""Is a question's cost told before it is asked, and is every number that it may hold bounded?"""

import pytest

from core import embeddings, strategy
from core.experiments.active import plan as active
from core.experiments.influence import plan as influence
from core.experiments.retrain import plan as retrain
from core.experiments.simulations import plan as simulations
from core.experiments.trim import plan as trim
from core.hosting import estimates, limits
from core.hosting.policy import BOUNDS
from core.models import shipped_networks
from core.plugins import menu
from core.runtime import tasks, worker
from core.spec import Comparison, Spec, from_query
from core.strategy import Knob
from core.types import UserError
from tests.tools import pages

DIGITS = Spec().with_(dataset="digits", n=400)
ABUSE = {
    "dataset": "digits",
    "n": "400",
    "strategy": "data_shapley",
    "s.orders": "3000000",
    "s.tolerance": "0",
}


def all_knobs():
    for name in menu.strategies():
        yield from ((name, knob) for knob in strategy.find(name).knobs.values())
    for name in embeddings.registered():
        yield from ((name, knob) for knob in embeddings.find(name).knobs.values())
    for module in (active, influence, retrain, simulations, trim):
        held = [part for part in vars(module).values() if isinstance(part, Knob)]
        tables = [part for part in vars(module).values() if isinstance(part, dict)]
        held += [knob for table in tables for knob in table.values() if isinstance(knob, Knob)]
        yield from ((module.__name__, knob) for knob in held)


def test_every_number_has_a_smallest_and_a_largest_value():
    numbers = [(name, knob) for name, knob in all_knobs() if knob.kind in (int, float)]
    assert len(numbers) > 20
    assert [
        (name, knob.name) for name, knob in numbers if knob.low is None or knob.high is None
    ] == []


def test_every_ranker_has_an_estimate_that_grows_with_the_points():
    for name in menu.rankers():
        few, many = (
            estimates.of(tasks.SCORES, (DIGITS.with_(n=n, strategy=name),)) for n in (100, 400)
        )
        assert 0 < few.seconds < many.seconds < BOUNDS.seconds, name
        assert few.megabytes <= many.megabytes, name


def test_a_knob_that_multiplies_the_work_multiplies_the_estimate():
    def seconds(orders):
        spec = DIGITS.with_(strategy="data_shapley", strategy_knobs=(("orders", orders),))
        return estimates.of(tasks.SCORES, (spec,)).seconds

    assert seconds(20) - seconds(10) == pytest.approx(seconds(30) - seconds(20))
    assert seconds(1000) > 20 * seconds(10)


def test_a_network_that_does_not_come_with_the_program_is_counted():
    bundled, fresh = (
        estimates.of(tasks.SCORES, (Spec().with_(embedding="cnn_classification", seed=seed),))
        for seed in (1, max(shipped_networks.SEEDS) + 1)
    )
    trained = 60_000 * shipped_networks.RECIPE["epochs"] / estimates.TRAINED
    assert fresh.seconds - bundled.seconds > trained


def test_a_comparison_takes_what_its_columns_take():
    columns = tuple(DIGITS.with_(strategy=name) for name in ("leverage", "typicality"))
    alone = sum(estimates.of(tasks.SCORES, (column,)).seconds for column in columns)
    together = estimates.of(tasks.AGREEMENT, (Comparison(columns),)).seconds
    assert alone <= together < 1.1 * alone + 0.1


@pytest.fixture
def hosted(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (DIGITS.with_(strategy="data_shapley", strategy_knobs=(("orders", 1000),)), "seconds"),
        (Spec().with_(embedding="cnn_classification", seed=9), "seconds"),
    ],
)
def test_what_would_take_too_much_is_refused_with_a_mend(spec, found, hosted):
    with pytest.raises(UserError, match=rf"about [\d,]+ {found} .* Choose fewer points"):
        limits.check_task(tasks.SCORES, (spec,))


def test_memory_is_bounded_as_time_is(hosted, monkeypatch):
    monkeypatch.setattr(estimates, "of", lambda *_: estimates.Estimate(1.0, 1e4, True))
    with pytest.raises(UserError, match="about 10,000 megabytes of memory"):
        limits.check_task(tasks.SCORES, (DIGITS,))


@pytest.mark.parametrize(
    ("spec", "room"),
    [
        (Spec().with_(n=5_000), worker.LIGHT),
        (DIGITS.with_(strategy="entropy"), worker.LIGHT),
        (DIGITS.with_(strategy="data_shapley"), worker.HEAVY),
        (DIGITS.with_(strategy="influence_value"), worker.HEAVY),
        (Spec().with_(n=10_000, strategy="entropy"), worker.HEAVY),
    ],
)
def test_what_is_heavy_has_a_room_of_its_own_and_everything_an_end(spec, room, hosted):
    how = limits.check_task(tasks.SCORES, (spec,))
    expected = estimates.of(tasks.SCORES, (spec,)).seconds
    assert how["room"] == room
    assert how["seconds"] == max(limits.LEAST_SECONDS, BOUNDS.patience * expected)
    assert limits.check_task(tasks.MAP, (DIGITS,))["room"] == worker.HEAVY


def test_at_home_nothing_is_bounded():
    heavy = DIGITS.with_(strategy="data_shapley", strategy_knobs=(("orders", 1000),))
    assert limits.check_task(tasks.SCORES, (heavy,)) == {}


def test_a_link_that_asks_for_millions_of_orders_ends_in_a_sentence(hosted, held):
    begun = held("scores")
    at = pages.visit("pages/explore.py", **ABUSE)
    spec, problems = from_query(ABUSE)
    assert problems == ["orders: found 3000000, expected a number from 1 to 1000."]
    assert not at.exception and any("from 1 to 1000" in note.value for note in at.warning)
    assert dict(spec.strategy_knobs).get("orders", 10) == 10 and len(begun) == 1


held = pages.held
