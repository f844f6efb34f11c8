"""What does a strategy make of points without a label, and of classes that cannot be learned?"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core import embeddings, softmax_head, strategy_inputs
from core.linalg import ties
from core.plugins import menu
from core.strategies.uncertainty import entropy
from core.strategy_inputs import HEAD_L2, LearningProblem
from core.types import UserError
from tests.tools.partly_labeled import CASES, NAMES, made

SCORERS = [name for name, reason in menu.rankers().items() if not reason]
OWN_LABEL = [name for name in SCORERS if not menu.find(name).scores_unlabeled({})]
OF_A_HEAD = ["entropy", "margin", "least_confidence", "bald"]
WITHOUT_LABELS = ["leverage", "textbook_qr", "typicality", "neighbour_distance", "random"]
UNTRAINED = "training part without labels"


def problem_of(case: str, kind: str = "table") -> LearningProblem:
    data = made(kind, case)
    embedder = {"table": "raw", "images": "pca"}[kind]
    knobs = {"k": 5} if kind == "images" else {}
    points = embeddings.embed(data, embedder, **knobs)
    return LearningProblem(points, data.test, len(NAMES), "Mine", NAMES)


def scores(name: str, problem: LearningProblem, **knobs):
    rng = np.random.default_rng(0)
    return strategy_inputs.scores(menu.find(name), problem, rng=rng, **knobs)


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("case", [case for case in CASES if case != UNTRAINED])
@pytest.mark.parametrize("name", SCORERS)
def test_every_point_that_can_have_a_score_has_one(name, case, kind):
    problem = problem_of(case, kind)
    found = scores(name, problem)
    labeled = problem.points.labels >= 0
    expected = labeled if name in OWN_LABEL else np.ones(len(labeled), bool)
    if name == "leave_one_out" and "once" in case:  # without its only point a class has no head
        expected = expected & (problem.points.labels < 2)
    assert np.array_equal(np.isfinite(found), expected)
    said = strategy_inputs.explained(menu.find(name), problem, rng=None)
    assert ("rank last" in said) == (not expected.all())


@pytest.mark.parametrize("name", OWN_LABEL + OF_A_HEAD)
def test_the_labeled_points_have_the_scores_that_they_have_alone(name):
    problem = problem_of("partly")
    rows = np.flatnonzero(problem.points.labels >= 0)
    alone = scores(name, problem.among(rows))
    assert scores(name, problem)[rows] == pytest.approx(alone, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", WITHOUT_LABELS)
def test_what_needs_no_label_takes_all_points(name):
    problem = problem_of("partly")
    unknown = dataclasses.replace(problem.points, labels=None, labeled=None)
    assert np.array_equal(
        scores(name, problem), scores(name, dataclasses.replace(problem, points=unknown))
    )


def test_points_without_a_label_are_judged_by_the_head_of_the_others():
    problem = problem_of("partly")
    x = problem.points.embedding
    labels = problem.points.labels
    rows = labels >= 0
    head = softmax_head.fit(x[rows], labels[rows], l2=HEAD_L2)
    direct = entropy(softmax_head.probabilities(x, head))
    assert scores("entropy", problem) == pytest.approx(direct, abs=1e-9)
    said = strategy_inputs.explained(menu.find("entropy"), problem)
    assert said.startswith("8 of 30 points have no label: what is fitted learns from the others")


def test_a_utility_that_asks_for_no_label_scores_the_points_without_one():
    problem = problem_of("partly")
    found = scores("goal_utility", problem, over="min")
    assert np.isfinite(found).all()
    assert np.isnan(scores("goal_utility", problem)).sum() == problem.unlabeled == 8


def test_a_class_in_the_test_part_only_has_probability_0_and_is_named():
    problem = problem_of("a class in the test part only")
    points, _ = strategy_inputs.whole_inputs(problem, {"probs"})
    assert points.probs.shape == (30, 3) and (points.probs[:, 2] == 0).all()
    assert points.probs.sum(axis=1) == pytest.approx(1)
    said = strategy_inputs.explained(menu.find("entropy"), problem)
    assert said == "Class cat has no training point: no head can learn it."
    assert not np.isin(problem.points.labels[problem.folds[0].validation], 2).any()
    assert "3 of the 7 test points" in (strategy_inputs.explained(menu.find("fi_util"), problem))


def test_el2n_of_a_class_that_cannot_be_learned_is_its_whole_error():
    problem = problem_of("a class in the test part only")
    points, _ = strategy_inputs.whole_inputs(problem, {"probs"})
    lost = problem.points.labels == 2
    direct = np.sqrt((points.probs[lost] ** 2).sum(axis=1) + 1)
    assert scores("el2n", problem)[lost] == pytest.approx(direct)


def test_a_class_with_one_point_is_learned_from_and_judges_nobody():
    problem = problem_of("a class once")
    for fold in problem.folds:
        assert 3 in fold.train and 3 not in fold.validation
    assert "Class cat has one labeled point, which judges nobody." in (
        strategy_inputs.explained(menu.find("knn_shapley"), problem)
    )


@pytest.mark.parametrize("name", SCORERS)
def test_without_labels_to_train_on_there_is_a_sentence(name):
    problem = problem_of(UNTRAINED)
    if name in [*WITHOUT_LABELS, "class_leverage", "forgetting"]:
        assert np.isfinite(scores(name, problem)).any()
        return
    with pytest.raises(UserError, match="Mine: found no label among 23 training points") as raised:
        scores(name, problem)
    assert "Label some of them" in str(raised.value)


def test_training_points_of_one_class_are_told():
    problem = problem_of("partly")
    labels = np.where(problem.points.labels == 0, 0, -1)
    points = dataclasses.replace(problem.points, labels=labels)
    with pytest.raises(UserError, match="are of one class, and a head needs at least two"):
        scores("entropy", dataclasses.replace(problem, points=points))


def test_what_has_no_score_ranks_last():
    ranked, absent = ties.last(np.array([1.0, np.nan, -3.0, np.nan]))
    assert ties.order(ranked).tolist() == [0, 2, 1, 3] and absent.tolist() == [0, 1, 0, 1]
    assert np.array_equal(ties.gaps(ranked, absent), [1, np.nan, -3, np.nan], equal_nan=True)
    equal_but_for_rounding = ties.last(np.array([np.nan, 1.0, 1 - 1e-16]))[0]
    assert ties.order(equal_but_for_rounding).tolist() == [1, 2, 0]
    whole = np.array([2.0, 1.0])
    assert ties.last(whole)[0] is whole and ties.gaps(whole, None) is whole
