"""Plans of trimming experiments: canonical, in a link and back, refused before the work, and their
finished runs as arrays.
"""

from dataclasses import replace

import numpy as np
import pytest

from core import datasets
from core.experiments import cost, presets, store
from core.experiments.plan import compute
from core.experiments.trim import plan as trim
from core.experiments.trim.outcomes import UNTRIMMED, tidy_columns, trimmed_of, versus
from core.experiments.trim.plan import Trim
from core.experiments.trim.run import METHODS, run
from core.runtime import cache, tasks
from core.types import UserError

QUICK = Trim().with_(
    dataset="digits",
    n=600,
    training=150,
    validation=80,
    budgets="20 5",
    methods="loss shapley",
    seeds=3,
    model="raw",
    share=0.1,
)


pytestmark = pytest.mark.usefixtures("own_cache")


def test_random_always_competes_and_comes_last():
    assert (
        Trim().methods[-1] == "random"
        and QUICK.methods == ("loss", "shapley", "random")
        and QUICK.budgets == (5, 20)
    )
    assert Trim().with_(methods="").methods == ("random",)
    assert Trim().with_(methods="random iv iv").methods == ("iv", "random")


def test_a_plan_survives_its_link():
    assert Trim.from_query(QUICK.to_query()) == (QUICK, [])
    assert Trim.from_query({}) == (Trim(), []) and Trim().to_query() == {}
    assert Trim() == Trim().with_(), "the first plan is canonical"


def test_settings_without_an_effect_are_at_their_default():
    assert Trim().with_(planted="none", share=0.3) == Trim().with_(planted="none")
    assert Trim().with_(epochs=3) == Trim() and Trim().with_(model="mlp", epochs=3) != Trim().with_(
        model="mlp"
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"methods": "oracle"}, "found 'oracle'"),
        ({"budgets": "5,6"}, "budget: found '5,6'"),
        ({"budgets": ""}, "Budgets: found 0"),
        ({"model": "forest"}, "model: found 'forest'"),
        ({"planted": "bugs"}, "planted: found 'bugs'"),
        ({"share": "0.9"}, "share: found 0.9"),
        ({"l2": "-1"}, "l2: found -1"),
        ({"l2": "nan"}, "l2: found nan"),
        ({"seeds": "1"}, "seeds: found 1"),
        ({"training": "x"}, "training: found 'x'"),
        ({"dataset": "imagenet"}, "imagenet"),
    ],
)
def test_what_a_link_says_wrongly_is_told_and_the_rest_is_kept(part, said):
    plan, problems = Trim.from_query({"validation": "77"} | part)
    assert plan == Trim().with_(validation=77) and len(problems) == 1 and said in problems[0]


def test_every_method_meets_every_seed_once():
    units = QUICK.units()
    assert len(units) == len(set(units)) == 9 and {(u.method, u.seed) for u in units[:3]} == {
        (m, 1) for m in QUICK.methods
    }
    assert len({unit.key("0" * 16) for unit in units}) == 9
    other = QUICK.with_(l2=0.5).units()[0]
    assert other.key("0" * 16) != units[0].key("0" * 16) != units[0].key("1" * 16)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training": 5_000}, "the training part has 480"),
        ({"budgets": (150,)}, "150 points to remove of 150"),
        ({"training": 12, "budgets": (2,)}, "draws no training point of class"),
    ],
)
def test_what_cannot_begin_is_refused_before_any_work(change, said):
    with pytest.raises(UserError, match=said):
        QUICK.with_(**change).check(datasets.load("digits", n=600))


def test_a_network_for_images_needs_images():
    with pytest.raises(UserError, match="adult is a table"):
        Trim().with_(
            dataset="adult", model="lenet5", training=200, validation=50, budgets="5"
        ).check(datasets.load("adult"))


@pytest.fixture
def finished():
    """All runs of QUICK but the last seed of random."""
    data = datasets.load("digits", n=600)
    for unit in QUICK.units()[:-1]:
        compute(unit)
    return data, store.outcomes(QUICK, data.fingerprint)


def test_a_run_is_computed_once_and_kept(finished, monkeypatch):
    data, found = finished
    unit = QUICK.units()[0]
    arrays, _ = run(data, unit.method, unit.setting, unit.seed)
    assert all(np.array_equal(found[unit][name], arrays[name], equal_nan=True) for name in arrays)
    monkeypatch.setattr(trim, "run", None)
    assert np.array_equal(compute(unit).arrays["accuracy"], arrays["accuracy"]), "from the cache"


def test_the_grid_has_every_run_in_its_place(finished):
    _, found = finished
    trimmed = trimmed_of(QUICK, found, 10)
    assert trimmed.finished == 8 and trimmed.budgets == (0, 5, 20)
    assert trimmed.accuracy.shape == (3, 3, 3) and np.isnan(trimmed.accuracy[2, :, 2]).all()
    for unit, outcome in found.items():
        place = QUICK.methods.index(unit.method), slice(None), unit.seed - 1
        assert np.array_equal(trimmed.accuracy[place], outcome["accuracy"])
        assert np.array_equal(trimmed.removed[place], outcome["removed"]) and np.array_equal(
            trimmed.precision[place], outcome["precision"]
        )
    assert (trimmed.removed[0].sum(axis=-1) == np.array([5, 20])[:, None]).all()


def with_accuracies(accuracy):
    """The finished runs of QUICK with these accuracies (methods, 0 and the budgets, seeds)."""
    return replace(trimmed_of(QUICK, {}, 10), accuracy=np.array(accuracy, float))


def test_the_difference_is_taken_seed_by_seed():
    """By hand: loss is 3.9, 4, 4.1 points above random without 20, Shapley 9 below in the only seed
    that both have.
    """
    random = [[0.80, 0.90, 0.70], [0.60, 0.85, 0.75], [0.61, 0.82, 0.73]]
    loss = [random[0], [0.60, 0.85, 0.75], [0.649, 0.86, 0.771]]
    shapley = [random[0], [np.nan] * 3, [np.nan, np.nan, 0.64]]
    found = versus(with_accuracies([loss, shapley, random]), "random", 0.01)
    assert list(found) == ["loss", "shapley"]
    assert found["loss"].places == ["without 5", "without 20"]
    assert found["loss"].differences == pytest.approx(np.array([[0, 0, 0], [0.039, 0.04, 0.041]]))
    assert [one.outcome for one in found["loss"].outcomes] == ["equal", "better"]
    assert [one.seeds for one in found["shapley"].outcomes] == [0, 1]
    assert found["shapley"].outcomes[1].mean == pytest.approx(-0.09)
    assert found["shapley"].outcomes[1].outcome == "unclear"


def test_against_keeping_all_every_method_is_compared_with_its_own_beginning():
    before = [0.80, 0.90, 0.70]
    loss = [before, [0.80, 0.90, 0.70], [0.70, 0.80, 0.60]]
    random = [before, [0.79, 0.89, 0.69], [0.81, 0.91, 0.71]]
    found = versus(with_accuracies([loss, loss, random]), UNTRIMMED, 0.01)
    assert list(found) == ["loss", "shapley", "random"]
    assert [one.mean for one in found["loss"].outcomes] == pytest.approx([0, -0.1])
    assert [one.mean for one in found["random"].outcomes] == pytest.approx([-0.01, 0.01])


def test_random_is_compared_with_whom_is_chosen():
    flat = [[0.8] * 3] * 3
    found = versus(with_accuracies([flat, flat, flat]), "loss", 0.01)
    assert list(found) == ["shapley", "random"]


def test_the_rows_are_tidy(finished):
    _, found = finished
    columns = tidy_columns(QUICK, found)
    assert len({len(column) for column in columns.values()}) == 1 and len(columns["value"]) == 8 * (
        3 + 2 + 1
    )
    unit = QUICK.units()[0]
    lines = list(zip(*columns.values(), strict=True))
    assert (unit.method, 1, 20, "accuracy", float(found[unit]["accuracy"][2])) in lines
    assert (unit.method, 1, 0, "auc", float(found[unit]["auc"])) in lines


def test_a_pack_keeps_every_run(finished, monkeypatch, tmp_path):
    data, found = finished
    arrays, facts = store.pack(QUICK, data.fingerprint)
    entry = cache.Entry("pack", arrays, facts)
    for row, outcome in enumerate(found.values()):
        for name, value in store.unpack(entry, row).items():
            assert value == pytest.approx(np.asarray(outcome[name]), nan_ok=True, rel=1e-6)


def test_the_presets_are_canonical_and_begin():
    assert presets.TRIMS[0] == Trim()
    for plan in presets.TRIMS:
        assert plan == plan.with_() and Trim.from_query(plan.to_query()) == (plan, [])
        plan.check(datasets.load(plan.dataset))
    assert set(presets.TRIMS[0].methods) == set(METHODS)


def test_the_measured_pace_is_in_units_of_work():
    measured = QUICK.measurement
    assert (
        measured.task == tasks.TRIMMING_SPEED and measured.key != QUICK.with_(l2=1).measurement.key
    )
    shown = trim.measure(*measured.arguments)
    assert shown["rate"] > 0 and shown["memory"] > 1e7 and shown["weights"] == (9 * 65) ** 2
    assert 0 < cost.predict(QUICK.units(), shown, 1) < 600


def test_no_penalty_is_refused_before_the_work():
    with pytest.raises(UserError, match="l2: found 0"):
        Trim().with_(l2=0).check(datasets.load("digits"))
