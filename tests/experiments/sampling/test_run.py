"""Does a run measure what it says, and does each rule choose as it says?"""

import numpy as np
import pytest

from core import datasets
from core.experiments.sampling import run
from core.experiments.sampling.plan import Sampling, usual_budgets
from core.experiments.sampling.rules import RULES, Known
from core.linalg import sampling
from core.spec import Spec
from core.strategies.leverage import leverage
from core.types import Dataset, UserError


def quietly(fraction, text):
    pass


@pytest.fixture(scope="module")
def curve():
    """Runge's curve in thirteen polynomials."""
    data = datasets.load("runge")
    return run.problem_of(data, data.points, "target")


@pytest.fixture(scope="module")
def digits():
    data = datasets.load("digits", n=900)
    return data, run.problem_of(data, data.points.reshape(len(data), -1) / 255, "labels")


def test_all_labels_give_the_least_loss(curve):
    x, y = curve.known.x.astype(float), curve.y
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    assert curve.full.loss == pytest.approx(((x @ best - y) ** 2).sum())
    found = run.measured(curve, np.arange(len(x)), np.ones(len(x)))
    assert found["ratio"] == pytest.approx(1) and found["condition"] == pytest.approx(1, abs=1e-4)
    assert (found["directions"], found["bought"]) == (13, 2_000)


def test_a_fit_is_judged_on_all_rows_and_on_the_test_part(digits):
    """Against the definition, in the columns' own coordinates."""
    data, problem = digits
    rng = np.random.default_rng(0)
    indices, weights = sampling.with_replacement(problem.known.scores, 300, rng)
    y = run.answers(data, "labels")
    x = data.points.reshape(len(data), -1) / 255
    own = sampling.sketched_least_squares(problem.known.x, problem.y, indices, weights)
    test = np.setdiff1d(np.arange(len(data)), problem.rows)
    found = run.measured(problem, indices, weights)
    ratio = ((problem.known.x @ own - problem.y) ** 2).sum() / problem.full.loss
    assert found["ratio"] == pytest.approx(ratio)
    right = (x[test] @ own).argmax(axis=1) == data.labels[test]
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["error"] == pytest.approx(((x[test] @ own - y[test]) ** 2).sum(axis=1).mean())
    assert found["bought"] == len(set(indices)) < 300


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_chooses_as_many_as_it_says_and_the_same_for_the_same_seed(rule, curve):
    arrays, facts = run.run(curve, rule, (20, 60), 3, quietly)
    again, _ = run.run(curve, rule, (60,), 3, quietly)
    for name in run.MEASURED:  # a budget does not hang on the others
        assert arrays[name][1] == again[name][0] or np.isnan(again[name][0])
    assert (arrays["ratio"] >= 1).all() and not facts["cannot"]
    if rule not in ("coins", "leverage", "unweighted", "ridge"):
        assert arrays["bought"].tolist() == [20, 60]
    other, _ = run.run(curve, rule, (20, 60), 4, quietly)
    assert np.array_equal(arrays["ratio"], other["ratio"]) != RULES[rule].drawn


def test_rules_by_hand():
    """Three rows: leverages 0.990, 0.0196 and 0.990; the whitened greedy design spreads."""
    known = Known(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 10.0]]))
    rng = np.random.default_rng(0)
    assert sorted(RULES["top"].draw(known, 2, rng)[0]) == [0, 2]
    assert sorted(RULES["d_optimal"].draw(known, 2, rng)[0]) == [0, 2]
    seen = {tuple(sorted(RULES["pivotal"].draw(known, 2, rng)[0])) for _ in range(300)}
    assert (0, 2) in seen and all(len(one) == 2 for one in seen)
    indices, weights = RULES["leverage"].draw(known, 50, rng)
    np.testing.assert_allclose(weights, 2 / (50 * leverage(known.x)[indices]))
    assert (RULES["unweighted"].draw(known, 50, rng)[1] == 1).all()


def test_ridge_leverage_is_that_of_half_the_directions(curve):
    ridge = sampling.ridge_for(curve.known.x, 6.5)
    expected = leverage(curve.known.x, ridge=ridge)
    np.testing.assert_allclose(curve.known.ridge_scores, expected, atol=1e-7)
    assert curve.known.ridge_scores.sum() == pytest.approx(6.5)


def test_leverage_wins_where_the_scores_are_uneven_and_not_where_they_are_even(curve):
    """Twice as many labels as polynomials: the ends of the line are seldom drawn uniformly."""
    losses = {
        rule: np.median(
            [run.run(curve, rule, (26,), seed, quietly)[0]["ratio"] for seed in range(15)]
        )
        for rule in ("uniform", "leverage", "pivotal", "top")
    }
    assert losses["pivotal"] < losses["leverage"] < losses["uniform"] < losses["top"]


def test_what_a_rule_cannot_do_is_told_and_the_rest_is_there(curve):
    arrays, facts = run.run(curve, "volume", (5, 13, 50), 1, quietly)
    assert np.isnan(arrays["ratio"][0]) and np.isfinite(arrays["ratio"][1:]).all()
    assert "at least the rank, 13" in facts["cannot"]["5"]


def test_chances_and_rows_are_there_for_the_page(curve):
    arrays, _ = run.run(curve, "leverage", (20, 60), 1, quietly)
    assert len(arrays["first"]) == len(arrays["weight"]) == run.SHOWN
    assert np.isin(arrays["first"], curve.rows).all()
    assert arrays["chances"][0] < 1 < arrays["chances"][-1]


def test_a_greedy_design_that_costs_too_much_is_refused(curve, monkeypatch):
    from core.experiments.sampling import rules

    monkeypatch.setattr(rules, "MOST_PRODUCTS", 13 * 2_000 * 30)
    with pytest.raises(UserError, match="at most 30"):
        RULES["a_optimal"].draw(curve.known, 31, np.random.default_rng())


@pytest.mark.parametrize(("learns", "says"), [("target", "no target"), ("labels", "no labels")])
def test_there_must_be_something_to_learn(learns, says):
    none = np.full(20, -1, np.int64)
    data = Dataset("t", np.ones((20, 2), np.float32), none, (), np.zeros(20, bool))
    with pytest.raises(UserError, match=says):
        run.answers(data, learns)


def test_rows_of_zeros_are_refused():
    labels = np.arange(20) % 2
    data = Dataset("t", np.zeros((20, 2), np.float32), labels, ("a", "b"), np.zeros(20, bool))
    with pytest.raises(UserError, match="zeros alone"):
        run.problem_of(data, data.points, "labels")


def test_a_plan_and_its_link():
    plan = Sampling().with_(seen=Spec(dataset="letter"), rules="top leverage", budgets="20 50")
    assert plan.rules == ("uniform", "top", "leverage")
    again, problems = Sampling.from_query(plan.to_query())
    assert (again, problems) == (plan, [])
    assert len(plan.units()) == 10 + 1 + 10  # the top has nothing to draw
    assert Sampling().with_(seen=Spec(dataset="runge")).learns == "target"
    _, problems = Sampling.from_query({"rules": "none", "budgets": "x"})
    assert len(problems) == 2 and "expected one of uniform" in problems[0]


def test_budgets_beyond_the_rows_are_refused():
    plan = Sampling().with_(seen=Spec(dataset="runge"), budgets="10 3000")
    with pytest.raises(UserError, match="2,000 rows"):
        plan.check(plan.points())


def test_usual_budgets_begin_near_the_dimension_and_end_at_half_of_the_rows():
    assert usual_budgets(784, 60_000) == (500, 1_000, 2_000, 5_000, 10_000, 20_000)
    assert usual_budgets(104, 5_000) == (100, 200, 500, 1_000, 2_000)
    assert usual_budgets(50, 30) == (15,)
