"""Plans of the BAIT paper's simulations: canonical, in a link and back, refused before the work;
their runs, and what these say.
"""

import numpy as np
import pytest

from core import datasets
from core.experiments import cost, store
from core.experiments.active import rounds
from core.experiments.plan import compute
from core.experiments.simulations import bayes_risk, representations, run
from core.experiments.simulations.outcomes import curves, duel, reached, tidy_columns
from core.experiments.simulations.plan import (
    BAIT,
    DRAWN,
    FORWARD,
    LOG_DET,
    PRESETS,
    UNWEIGHED,
    Simulations,
    absent,
)
from core.experiments.simulations.run import LabelingRun, RiskRun
from core.plugins import menu
from core.runtime import cache, tasks
from core.types import UserError

RISK = PRESETS["risk"].with_(strategies=f"{BAIT} {LOG_DET}", seeds=2, pool=200)
SMALL = {"dataset": "digits", "pool": 200, "batch": 5, "rounds": 2, "seeds": 2}


pytestmark = pytest.mark.usefixtures("own_cache")


# ---- plans ----


@pytest.mark.parametrize("figure", PRESETS)
def test_a_plan_survives_its_link(figure):
    preset = PRESETS[figure]
    assert Simulations.from_query(preset.to_query()) == (preset, []) and preset.with_() == preset
    changed = preset.with_(
        seeds=3, pool=700, strategies="leverage" if figure == "risk" else "k_center"
    )
    assert Simulations.from_query(changed.to_query()) == (changed, []) and len(
        changed.to_query()
    ) == 3 + (figure != "risk")


def test_what_plays_no_part_in_a_figure_is_as_in_its_preset():
    assert PRESETS["risk"].with_(dataset="digits", n=500, batch=3, rounds=2) == PRESETS["risk"]
    assert PRESETS["backward"].with_(ridge=0.5) == PRESETS["backward"]
    assert (
        PRESETS["risk"].with_(ridge=0.5).ridge == 0.5
        and PRESETS["backward"].with_(batch=3).batch == 3
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"figure": "5"}, "figure: found '5', expected one of risk"),
        ({"pool": "7"}, "pool: found 7"),
        ({"ridge": "0"}, "ridge: found 0"),
        ({"strategies": "oracle"}, "found 'oracle'"),
        ({"seeds": "one"}, "seeds: found 'one'"),
        (
            {"seeds": "50", "strategies": "k_center leverage entropy margin badge log_det"},
            "Found 700 runs",
        ),
    ],
)
def test_what_a_link_says_wrongly_is_told_and_the_rest_is_kept(query, said):
    plan, problems = Simulations.from_query({"ridge": "0.1"} | query)
    assert any(said in problem for problem in problems) and isinstance(plan, Simulations)
    assert "ridge" in query or plan.ridge == 0.1


def test_budgets_are_points_picked_or_labels_known():
    assert PRESETS["risk"].budgets == bayes_risk.BUDGETS
    assert PRESETS["backward"].with_(**SMALL).budgets == (100, 105, 110)


def test_first_seeds_come_first_and_one_design_and_seed_side_by_side():
    units = PRESETS["representations"].with_(**SMALL).units()
    assert [unit.seed for unit in units] == [1] * 6 + [2] * 6
    assert [(unit.design, unit.strategy) for unit in units[:4]] == [
        ("learned", FORWARD),
        ("learned", UNWEIGHED),
        ("learned", "random"),
        ("random", FORWARD),
    ]
    assert {unit.setting.network for unit in units} == {"linear"} and {
        type(unit) for unit in RISK.units()
    } == {RiskRun}


def test_the_figure_is_about_two_strategies_or_what_comes_nearest():
    assert {figure: plan.duel for figure, plan in PRESETS.items()} == {
        "risk": (BAIT, LOG_DET),
        "representations": (FORWARD, UNWEIGHED),
        "backward": ("bait", FORWARD),
    }
    assert PRESETS["risk"].with_(strategies="leverage").duel == ("leverage", "random")
    assert PRESETS["risk"].with_(strategies=LOG_DET).duel == (LOG_DET, "random")
    assert PRESETS["risk"].with_(strategies="").duel == ("random", "random")


def test_a_plan_that_cannot_run_is_refused_before_the_work():
    digits = datasets.load("digits")
    with pytest.raises(
        UserError, match=r"BAIT needs .*probabilities.* which a design does not have. Leave it out"
    ):
        PRESETS["risk"].with_(strategies="bait").check(DRAWN)
    with pytest.raises(UserError, match="the ridge is the prior's"):
        (PRESETS["risk"].with_(strategies="log_det:ridge=0.5")).check(DRAWN)
    with pytest.raises(
        UserError, match="Active learning: found a pool of 200 points, but 400 labels"
    ):
        PRESETS["backward"].with_(dataset="digits", pool=200).check(digits)
    with pytest.raises(
        UserError, match=r"found a pool of .* but 900 labels"
    ):  # half of the digits are not enough
        PRESETS["representations"].with_(dataset="digits", pool=2000, rounds=80).check(digits)
    PRESETS["backward"].with_(dataset="digits", pool=2000, rounds=80).check(digits)
    assert absent("leverage", "risk") is None and "training record" in absent(
        "forgetting", "backward"
    )
    for plan in PRESETS.values():
        plan.check(plan.with_(dataset="digits").points() if plan.needs_data else DRAWN)


def test_designs_are_drawn_and_the_others_have_a_dataset():
    assert PRESETS["risk"].points() is DRAWN
    assert (
        PRESETS["backward"].with_(dataset="digits").points().fingerprint
        == datasets.load("digits").fingerprint
    )


@pytest.mark.parametrize("design", bayes_risk.DESIGNS)
@pytest.mark.parametrize("name", [name for name in menu.strategies() if not absent(name, "risk")])
def test_every_strategy_that_is_offered_runs_on_a_design(name, design):
    risk = bayes_risk.risks(design, name, 1, budgets=(1, 10, 60), n=80, d=20)
    assert np.isfinite(risk).all() and (risk > 0).all() and risk[0] > risk[-1]


# ---- runs ----


def test_a_run_on_a_design_is_its_risks_whatever_the_dataset():
    unit = RISK.units()[0]
    entry = compute(unit)
    assert entry.key == unit.key("one dataset") == unit.key("another")
    expected = bayes_risk.risks(unit.design, "bait_regression", 1, knobs={"backward": False}, n=200)
    assert np.array_equal(entry.arrays["value"], expected) and entry.arrays[
        "budget"
    ].tolist() == list(bayes_risk.BUDGETS)


def test_a_run_of_rounds_is_computed_once_and_kept(monkeypatch):
    digits, unit = datasets.load("digits"), PRESETS["representations"].with_(**SMALL).units()[-1]
    assert (unit.design, unit.strategy, unit.seed) == ("random", "random", 2)
    entry = compute(unit)
    arrays, _ = rounds.run(
        representations.represent(digits, "random", 2), "random", {}, unit.setting, 2
    )
    assert np.array_equal(entry.arrays["value"], arrays["accuracy"]) and entry.arrays[
        "budget"
    ].tolist() == [100, 105, 110]
    assert entry.key == unit.key(digits.fingerprint) and np.array_equal(
        entry.arrays["picks"], arrays["picks"]
    )
    monkeypatch.setattr(rounds, "run", lambda *_: pytest.fail("computed again"))
    assert compute(unit).key == entry.key


def test_a_network_sees_the_dataset_itself():
    unit = PRESETS["backward"].with_(**SMALL).units()[-1]
    arrays, _ = rounds.run(datasets.load("digits"), "random", {}, unit.setting, unit.seed)
    assert unit.design == "network" and np.array_equal(
        compute(unit).arrays["value"], arrays["accuracy"]
    )


def test_keys_tell_what_differs():
    plans = [
        PRESETS["backward"].with_(**(SMALL | change))
        for change in ({}, {"batch": 6}, {"rounds": 3}, {"pool": 300})
    ]
    keys = {unit.key("x") for plan in plans for unit in plan.units()} | {
        plans[0].units()[0].key("y")
    }
    assert len(keys) == 4 * 6 + 1
    assert (
        len(
            {
                unit.key("x")
                for plan in (RISK, RISK.with_(ridge=1), RISK.with_(pool=300))
                for unit in plan.units()
            }
        )
        == 3 * 12
    )


def test_the_learned_representation_is_learned_once_for_all_strategies(monkeypatch):
    """And every run gets it. The rounds themselves are made up."""
    learned, seen, original = [], [], representations.represent
    monkeypatch.setattr(
        representations,
        "represent",
        lambda *a: learned.append(a[1:]) or original(*a, width=64, epochs=1),
    )
    names = ("labels", "accuracy", "reached", "picks")
    monkeypatch.setattr(
        rounds,
        "run",
        lambda data, *_: (seen.append(data), (dict.fromkeys(names, np.ones(3)), {}))[1],
    )
    plan = PRESETS["representations"].with_(**SMALL, strategies="k_center")
    for unit in plan.units()[:4]:
        compute(unit)
    assert learned == [("learned", 1), ("random", 1)]
    assert [(data.name, data.points.shape[1]) for data in seen] == [
        *[("digits, learned", 64)] * 2,
        *[("digits, random", 64)] * 2,
    ]


def test_work_grows_with_rounds_and_with_what_bait_looks_at():
    quick, long = (PRESETS["backward"].with_(rounds=n).units() for n in (5, 10))
    assert all(b.cost > a.cost for a, b in zip(quick[:3], long[:3], strict=True))
    forward_backward, forward, random = quick[:3]
    assert forward_backward.cost > forward.cost > random.cost > 0
    assert isinstance(forward, LabelingRun) and PRESETS["risk"].units()[0].cost > 0


def test_the_cost_is_measured_as_the_plan_says():
    asked = PRESETS["risk"].measurement
    assert asked.task == tasks.CORE_SPEED and "2 times" in asked.told.format(2.0)
    found = cost.measure_core()
    assert found["rate"] > 0 and found["memory"] > 1e6 and found["weights"] == 0
    rounds = PRESETS["backward"].with_(dataset="digits", pool=200, batch=5, rounds=2, seeds=2)
    asked = rounds.measurement
    assert asked.task == tasks.LABELING_SPEED
    found = run.measure(*asked.arguments)
    assert found["weights"] == run.BYTES / 16 and 0 < cost.predict(rounds.units(), found, 1) < 600


# ---- results ----


def outcome(unit, values):
    return {"budget": np.array(RISK.budgets), "value": np.array(values, float)}


def test_the_duel_on_risks_is_a_mean_of_ratios_by_hand():
    """Twice and half as high at half of the budgets each cancel; half everywhere in every seed is
    50% lower, exactly.
    """
    plan = RISK.with_(seeds=3)
    b = len(plan.budgets)
    factors = {("gaussian", BAIT): [2.0, 0.5] * (b // 2) + [1.0], ("orthonormal", BAIT): [0.5] * b}
    found = {
        unit: outcome(
            unit, np.array(factors.get((unit.design, unit.strategy), [1.0] * b)) * unit.seed
        )
        for unit in plan.units()
    }
    values = curves(plan, found)
    assert values.shape == (2, 3, 3, b)
    assert values[1, 0, 1].tolist() == [1.0] * b  # 0.5 with the second seed
    answer = duel(plan, values, 0.01)
    assert answer.places == plan.designs
    assert answer.differences == pytest.approx(np.array([[0] * 3, [np.log(2)] * 3]), abs=1e-12)
    equal, better = answer.outcomes
    assert (equal.outcome, better.outcome) == ("equal", "better")
    assert [better.low, better.high] == pytest.approx([np.log(2)] * 2), "no seed differs"
    assert (equal.seeds, better.seeds) == (3, 3)


def made_up(plan, gains):
    """The curves where every run of a seed is as good, but for these gains of forward-backward."""
    values = {
        unit: {
            "value": 0.5
            + unit.seed / 10
            + (gains[unit.seed - 1] if unit.strategy == "bait" else 0)
            + np.zeros(3)
        }
        for unit in plan.units()
    }
    return curves(plan, values)


def test_the_duel_on_accuracies_is_a_paired_difference_by_hand():
    """Seeds are 10 points apart and strategies 2 to 4: only pairs show it."""
    plan = PRESETS["backward"].with_(**SMALL | {"seeds": 3})
    (found,) = duel(plan, made_up(plan, [0.02, 0.03, 0.04]), 0.01).outcomes
    assert found.outcome == "better" and found.mean == pytest.approx(0.03)
    half = 4.302653 * 0.01 / np.sqrt(3)  # t of 2 degrees of freedom; Student's is near: far from 1
    assert [found.low, found.high] == pytest.approx([0.03 - half, 0.03 + half], abs=2e-4)
    (found,) = duel(plan, made_up(plan, [0.004, -0.003, 0.001]), 0.02).outcomes
    assert found.outcome == "equal"
    (found,) = duel(plan, made_up(plan, [0.2, -0.3, 0.1]), 0.02).outcomes
    assert found.outcome == "unclear"


def test_rounds_that_were_cut_or_do_not_say_so_are_not_compared():
    plan = PRESETS["backward"].with_(**SMALL)
    found = {
        unit: {
            "value": 0.5 + np.array([0.3 * (unit.strategy == "bait"), 0.0, 0.0]),
            "reached": np.array([unit.strategy != "bait", True, True]),
        }
        for unit in plan.units()
    }
    values, learned = curves(plan, found), reached(plan, found)
    assert learned[0, 0].tolist() == [[0, 1, 1]] * plan.seeds
    assert duel(plan, values, 0.01).differences == pytest.approx(0.1)
    told = duel(plan, np.where(learned == 1, values, np.nan), 0.01)
    assert told.differences == pytest.approx(0)
    silent = {unit: {"value": arrays["value"]} for unit, arrays in found.items()}
    assert np.isnan(reached(plan, silent)).all()
    risks = {unit: outcome(unit, np.ones(len(RISK.budgets))) for unit in RISK.units()}
    assert (reached(RISK, risks) == 1).all(), "nothing is trained there"


def test_two_seeds_and_one_strategy_are_no_verdict():
    each = [found.outcome for found in duel(RISK, curves(RISK, {}) + 1, 0.01).outcomes]
    assert each == ["unclear"] * 2
    found = {unit: outcome(unit, np.ones(len(RISK.budgets))) for unit in RISK.units()}
    compared = duel(RISK, curves(RISK, found), 0.01).outcomes
    assert [(one.outcome, one.seeds) for one in compared] == [("unclear", 2)] * 2
    assert all(np.isnan(one.low) for one in compared)
    alone = RISK.with_(strategies="random")
    assert duel(alone, curves(alone, {}), 0.01) is None


def test_the_rows_hold_every_budget_of_every_run():
    units = RISK.units()
    found = {unit: outcome(unit, np.arange(len(RISK.budgets))) for unit in units}
    table = tidy_columns(RISK, found)
    assert {len(column) for column in table.values()} == {len(units) * len(RISK.budgets)}
    assert table["budget"][: len(RISK.budgets)] == list(RISK.budgets) and table["value"][2] == 2.0
    assert (
        set(table["metric"]) == {"bayes risk"}
        and set(table["figure"]) == {"risk"}
        and table["design"][0] == "gaussian"
    )


def test_packed_runs_come_back(monkeypatch, tmp_path):
    for unit in RISK.units():
        compute(unit)
    arrays, facts = store.pack(RISK, DRAWN.fingerprint)
    assert (
        len(facts["units"]) == 12
        and facts["kind"] == "simulations"
        and Simulations.from_query(facts["plan"]) == (RISK, [])
    )
    before = store.outcomes(RISK, DRAWN.fingerprint)
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    cache.bundle(store.bundle_key(RISK, DRAWN.fingerprint), arrays, facts)
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    store.forget()
    after = store.outcomes(RISK, DRAWN.fingerprint)
    assert all(
        after[unit]["value"] == pytest.approx(before[unit]["value"], rel=1e-6)
        for unit in RISK.units()
    )


@pytest.mark.parametrize(
    "changes", [{"n": 8_000, "subset": 2}, {"dataset": "emnist_letters", "n": 100_000, "subset": 3}]
)
def test_points_survive_the_link_whatever_the_order_of_its_parts(changes):
    plan = PRESETS["backward"].with_(**changes)
    query = plan.to_query()
    for order in (query, dict(reversed(query.items()))):
        assert Simulations.from_query(order) == (plan, [])
