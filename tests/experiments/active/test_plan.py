"""Plans of active learning: canonical, in a link and back, and refused before the work where they
cannot run.
"""

import pytest

from core import datasets
from core.experiments.active import plan as active
from core.experiments.active.plan import Active
from core.experiments.active.strategy_texts import parse_strategy
from core.experiments.plan import compute
from core.runtime import tasks
from core.types import UserError

QUICK = {"dataset": "digits", "network": "linear", "pool": None, "seeds": 2}
QUICK |= {"batch": 20, "rounds": 2, "start": 30, "until": "epochs", "epochs": 2}


pytestmark = pytest.mark.usefixtures("own_cache")


def test_random_always_competes_and_comes_last():
    assert Active().with_(strategies="random leverage").strategies == ("leverage", "random")
    assert Active().with_(strategies="").strategies == ("random",)
    assert Active().with_(strategies="leverage leverage random random").strategies == (
        "leverage",
        "random",
    )


def test_a_plan_survives_its_link():
    plan = Active().with_(**QUICK, strategies="leverage:ridge=0.1 random")
    assert Active.from_query(plan.to_query()) == (plan, [])
    assert Active.from_query({}) == (Active(), []) and Active().to_query() == {}


def test_knobs_at_their_default_are_left_out():
    assert parse_strategy("leverage:ridge=0.0") == ("leverage", ())
    assert parse_strategy("leverage:ridge=0.5") == ("leverage", (("ridge", 0.5),))
    with pytest.raises(UserError, match="found 'leverage:ridge', expected a name and settings"):
        parse_strategy("leverage:ridge")
    with pytest.raises(UserError, match="no setting colour"):
        parse_strategy("leverage:colour=1")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"batch": "0"}, "batch: found 0"),
        ({"network": "alexnet"}, "network: found 'alexnet'"),
        ({"strategies": "oracle"}, "found 'oracle'"),
        ({"until": "bored"}, "until: found 'bored'"),
        ({"pool": "7"}, "pool: found 7"),
        ({"dataset": "imagenet"}, "imagenet"),
    ],
)
def test_what_a_link_says_wrongly_is_told_and_the_rest_is_kept(part, said):
    plan, problems = Active.from_query({"rounds": "3"} | part)
    assert plan == Active().with_(rounds=3) and len(problems) == 1 and said in problems[0]


def test_more_runs_than_a_machine_should_do_are_refused():
    names = " ".join(f"leverage:ridge={i}" for i in range(1, 12))
    with pytest.raises(UserError, match="Found 600 runs"):
        Active().with_(strategies=names, seeds=50)
    with pytest.raises(UserError, match="found 12 beside random"):
        Active().with_(strategies=f"{names} leverage")


def test_every_strategy_runs_with_every_seed_first_seeds_first():
    plan = Active().with_(**QUICK, strategies="leverage")
    assert [(unit.strategy, unit.seed) for unit in plan.units()] == [
        ("leverage", 1),
        ("random", 1),
        ("leverage", 2),
        ("random", 2),
    ]
    assert all(unit.setting == plan.setting and unit.setting.batch == 20 for unit in plan.units())


def test_a_run_is_computed_once_and_kept(monkeypatch):
    from core.experiments.active import rounds

    unit, data = Active().with_(**QUICK).units()[0], datasets.load("digits")
    entry = compute(unit)
    assert entry.key == unit.key(data.fingerprint) and entry.arrays["labels"].tolist() == [
        30,
        50,
        70,
    ]
    monkeypatch.setattr(rounds, "run", lambda *_: pytest.fail("computed again"))
    assert compute(unit).arrays["picks"].tolist() == entry.arrays["picks"].tolist()


def test_keys_tell_what_differs_and_not_the_way_it_was_written():
    a, b = (
        Active().with_(**QUICK, strategies=text).units()[0]
        for text in ("leverage", "leverage:ridge=0.0")
    )
    assert a.key("x") == b.key("x") != a.key("y")
    changes = ({"batch": 21}, {"epochs": 3}, {"task": "regression"})
    others = [
        Active().with_(**(QUICK | change), strategies="leverage").units()[0] for change in changes
    ]
    assert (
        len(
            {
                unit.key("x")
                for unit in (a, *others, Active().with_(**QUICK, strategies="leverage").units()[2])
            }
        )
        == 5
    )


def test_only_the_bound_that_plays_a_part_tells_runs_apart():
    by_passes = Active().with_(**QUICK)
    assert by_passes.with_(steps=7) == by_passes != by_passes.with_(epochs=7)
    learned = Active().with_(**(QUICK | {"until": "accuracy"}))
    assert learned.epochs == Active().epochs and learned.with_(steps=7) != learned
    keys = {
        plan.units()[0].key("x")
        for plan in (by_passes, by_passes.with_(steps=7), learned, learned.with_(steps=7))
    }
    assert len(keys) == 3


def test_a_plan_that_cannot_run_is_refused_before_the_work():
    data = datasets.load("digits")
    with pytest.raises(UserError, match="labels are asked for"):
        (Active().with_(**(QUICK | {"batch": 1000, "rounds": 50}))).check(data)
    Active().with_(**QUICK, strategies="leverage").check(data)


def test_the_work_grows_with_labels_and_passes():
    small, large = (
        Active().with_(**(QUICK | {"batch": batch})).units()[0].cost for batch in (20, 40)
    )
    assert small == 2 * (30 + 50 + 70) and large == 2 * (30 + 70 + 110)
    costly = {
        name: Active().with_(**QUICK, strategies=name).units()[0].cost / (2 * (30 + 50 + 70))
        for name in ("entropy", "albl", "bald")
    }
    assert costly == {
        "entropy": 1,
        "albl": 3,
        "bald": 4,
    }, "ALBL's reward takes two networks, an ensemble four"
    assert active.ActiveRun.task == tasks.UNIT
    few = Active().with_(dataset="letter", start=20, rounds=1, batch=100, steps=50).units()[0]
    assert few.cost == 50 * 20 + 50 * 64, "never more than the cap lets through"


def test_the_page_begins_with_the_first_plan():
    """A knob's default is the plan's: the page builds its first plan from the knobs."""
    first = active.Active()
    assert {name: knob.default for name, knob in active.KNOBS.items()} == {
        name: getattr(first, name) for name in active.KNOBS
    }


@pytest.mark.parametrize("pool", [None, 200, 10_000])
def test_a_pool_survives_its_link(pool):
    plan = active.Active().with_(pool=pool)
    assert plan.pool == pool and active.Active.from_query(plan.to_query()) == (plan, [])
