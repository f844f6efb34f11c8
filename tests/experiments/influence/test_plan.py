"""Plans of utilities and queries: canonical, in a link and back, refused before the work, computed
once.
"""

import dataclasses

import numpy as np
import pytest

from core import datasets
from core.experiments import presets, store
from core.experiments.influence import add_or_remove_one, units
from core.experiments.influence.plan import Influence, Queries, Utilities
from core.experiments.influence.queries import STRATEGIES
from core.experiments.plan import compute
from core.runtime import tasks
from core.spec import Spec
from core.types import UserError

DIGITS = Spec(dataset="digits")
QUICK = Utilities().with_(seen=DIGITS, labeled=30, pool=12, validation=20, seeds=2)
ROUNDS = Queries().with_(seen=DIGITS, labeled=30, unlabeled=100, validation=20, seeds=2, rounds=2)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("plan", [Utilities(), Queries(), QUICK, ROUNDS, *presets.INFLUENCE])
def test_a_plan_survives_its_link(plan):
    assert Influence.from_query(plan.to_query()) == (plan, [])
    assert plan.with_() == plan


def test_the_first_plan_is_the_empty_link():
    assert Influence.from_query({}) == (Utilities(), []) and Utilities().to_query() == {}
    assert Queries().to_query() == {"study": "queries"}


def test_the_strategy_of_the_other_pages_plays_no_part():
    a, b = (Utilities().with_(seen=Spec().with_(strategy=name)) for name in ("leverage", "random"))
    assert a == b and a.units() == b.units()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"labeled": "1"}, "labeled: found 1, expected a number from 4"),
        ({"l2": "-1"}, "l2: found -1"),
        ({"l2": "much"}, "l2: found 'much'"),
        ({"pool": "5"}, "pool: found 5"),
        ({"seeds": "1"}, "seeds: found 1"),
        ({"study": "queries", "goal": "glory"}, "goal: found 'glory'"),
        ({"embedding": "raww"}, "Embedding: found 'raww'"),
        ({"dataset": "imagenet"}, "imagenet"),
    ],
)
def test_what_a_link_says_wrongly_is_told_and_the_rest_is_kept(part, said):
    plan, problems = Influence.from_query({"validation": "77"} | part)
    assert plan.validation == 77 and len(problems) == 1 and said in problems[0]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (QUICK.with_(l2=0), "l2: found 0. So few points can be separated"),
        (QUICK.with_(labeled=19), "found 19 for 10 classes"),
        (QUICK.with_(pool=2_000), "training points, but 30 labeled, 2,000 in the pool"),
        (ROUNDS.with_(rounds=11), "11 batches of 10 ask for 110 labels, but there are 100"),
    ],
)
def test_a_plan_that_cannot_run_is_refused_before_the_work(plan, said):
    with pytest.raises(UserError, match=said):
        plan.check(datasets.load("digits"))
    QUICK.check(datasets.load("digits"))
    ROUNDS.check(datasets.load("digits"))


def test_units_and_their_keys():
    units, runs = QUICK.units(), ROUNDS.units()
    assert [unit.seed for unit in units] == [1, 2]
    assert [(unit.seed, unit.strategy) for unit in runs] == [
        (seed, name) for seed in (1, 2) for name in STRATEGIES
    ]
    others = [
        QUICK.with_(**change).units()[0]
        for change in ({"l2": 0.1}, {"pool": 13}, {"seen": DIGITS.with_(embedding="pca")})
    ]
    keys = {unit.key("x") for unit in (*units, *runs, *others)} | {units[0].key("y")}
    assert len(keys) == len(units) + len(runs) + len(others) + 1
    assert units[0].cost == 12 * 10 + 30 + 100 and runs[0].cost == 30
    assert QUICK.with_(seeds=3).units()[:2] == units, "more seeds keep what is finished"


@pytest.mark.parametrize(
    ("plan", "module", "name"),
    [(QUICK, add_or_remove_one, "compare"), (ROUNDS, None, "run")],
)
def test_a_unit_is_computed_once_and_kept(monkeypatch, plan, module, name):
    from core.experiments.influence import queries

    unit, data = plan.units()[0], datasets.load("digits")
    entry = compute(unit)
    assert entry.key == unit.key(data.fingerprint)
    monkeypatch.setattr(module or queries, name, lambda *_, **__: pytest.fail("computed again"))
    assert compute(unit).key == entry.key
    found = store.outcomes(plan, data.fingerprint)
    assert list(found) == [unit] and found[unit]["labeled"].shape == (30,)


def test_what_is_packed_comes_out_again():
    for plan in (QUICK, ROUNDS):
        data = datasets.load("digits")
        for unit in plan.units():
            compute(unit)
        arrays, facts = store.pack(plan, data.fingerprint)
        found = store.outcomes(plan, data.fingerprint)
        entry = type("Packed", (), {"arrays": arrays, "facts": facts})
        last = store.unpack(entry, len(plan.units()) - 1)
        for name, array in found[plan.units()[-1]].items():
            assert last[name] == pytest.approx(array, rel=1e-6), name


def test_the_speed_is_measured_on_the_plans_own_points():
    measured = QUICK.measurement
    assert (
        measured.key != QUICK.with_(labeled=31).measurement.key
        and measured.task == tasks.HEADS_SPEED
    )
    assert (
        units.measure(*measured.arguments)["rate"] > 0
        and measured.told.format(1234.5) == "1,234 retrained heads per second each"
    )


def test_more_runs_than_a_machine_should_do_are_refused():
    with pytest.raises(UserError, match="seeds: found 40"):
        QUICK.with_(seeds=40)
    titles = [plan.title() for plan in presets.INFLUENCE]
    assert len(set(titles)) == len(titles) and "Letter, raw features" in titles[1]


def test_what_would_fail_in_the_first_unit_is_refused_before():
    letters = datasets.load("letter")
    big = Utilities().with_(seen=Spec(dataset="letter"), labeled=100, pool=2_000, validation=5_000)
    with pytest.raises(
        UserError, match=r"2,000 points judged by 5,000, which takes 2\.7e\+10 numbers"
    ):
        big.check(letters)
    big.with_(validation=1_000).check(letters)
    wide = dataclasses.replace(letters, points=np.zeros((20_000, 28, 28), np.uint8))
    with pytest.raises(
        UserError, match="400 points of 26 classes, whose head has 10,025 parameters"
    ):
        big.with_(validation=1_000, labeled=400, pool=50).check(wide)
