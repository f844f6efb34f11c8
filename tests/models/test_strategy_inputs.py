"""What strategies are given: no point judges itself, nothing is taken from beyond the problem, and
every point is scored.
"""

import numpy as np
import pytest

from core import datasets, embeddings, softmax_head, strategy_inputs
from core.plugins import menu
from core.runtime import progress
from core.strategies.influence import influence_value
from core.strategies.local_influence import fi_util
from core.strategies.shapley import knn_shapley
from core.strategy_inputs import LearningProblem
from core.types import Embedded, UserError

N, D, C = 120, 4, 3


@pytest.fixture
def problem():
    return made_up(np.zeros(N, bool))


def made_up(test):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(N) % C)
    x = rng.normal(size=(N, D)) + 1.5 * np.eye(C, D)[labels]
    return LearningProblem(Embedded(x.astype(np.float32), labels=labels), test, C, "made up")


def scores(name, problem, **knobs):
    return strategy_inputs.scores(menu.find(name), problem, rng=np.random.default_rng(0), **knobs)


@pytest.mark.parametrize(
    "part", [np.zeros(N, bool), np.arange(N) >= 90], ids=["none published", "test part"]
)
def test_every_point_is_scored_once_by_judges_it_is_not_among(part):
    problem = made_up(part)
    assert sorted(np.concatenate([fold.scored for fold in problem.folds])) == list(range(N))
    for fold in problem.folds:
        assert set(fold.scored) <= set(fold.train) and not set(fold.train) & set(fold.validation)
        assert len(fold.train) + len(fold.validation) == N
    first, second = problem.folds
    assert len(first.train) == len(second.train)
    if part.any():
        assert first.validation.tolist() == np.flatnonzero(part).tolist() == second.scored.tolist()


SCORERS = {
    "influence_value": lambda x, y, seen, head: influence_value(x, y, seen, head),
    "fi_util": lambda x, y, seen, head: fi_util(x, y, seen, head),
    "knn_shapley": lambda x, y, seen, head: knn_shapley(x, y, seen),
}


@pytest.mark.parametrize("name", SCORERS)
def test_scores_are_those_of_the_function_on_each_training_set(name, problem):
    found, x, labels = scores(name, problem), problem.points.embedding, problem.points.labels
    for fold in problem.folds:
        rows, judges = fold.train, Embedded(x[fold.validation], labels=labels[fold.validation])
        head = softmax_head.fit(x[rows], labels[rows], l2=strategy_inputs.HEAD_L2)
        direct = SCORERS[name](x[rows], labels[rows], judges, head)
        assert found[fold.scored] == pytest.approx(
            direct[np.isin(rows, fold.scored)], rel=1e-6, abs=1e-12
        )


def test_a_point_that_would_judge_itself_would_stand_out():
    """Why there are two folds: scored from outside the training set, judges come first and far
    ahead of all others.
    """
    data = datasets.load("digits", n=300)
    problem = LearningProblem(embeddings.embed(data, "raw"), data.test, 10, "digits")
    first, fair = problem.folds[0], scores("influence_value", problem)
    naive = influence_value(
        problem.points.embedding,
        data.labels,
        strategy_inputs.part(problem.points, first.validation),
        problem.fit(0),
    )
    assert (
        np.isin(np.argsort(-naive)[:10], first.validation).all()
        and naive[first.validation].max() > 10 * naive[first.train].max()
    )
    assert (
        np.isin(np.argsort(-fair)[:10], first.validation).sum() < 8
        and fair[first.validation].max() < 5 * fair[first.train].max()
    )


@pytest.mark.parametrize("name", [name for name, reason in menu.rankers().items() if not reason])
def test_every_scorer_of_the_menu_scores_every_point(name, problem):
    found = scores(name, problem)
    assert found.shape == (N,) and np.isfinite(found).all()
    assert len(np.unique(found)) > 2, "a ranking, not a constant"


@pytest.mark.parametrize("name", ["bald", "forgetting", "influence_harm", "fi_util", "entropy"])
def test_the_rest_of_the_data_takes_no_part(name, problem):
    rows = np.arange(0, N, 2)
    alone = LearningProblem(
        strategy_inputs.part(problem.points, rows), np.zeros(len(rows), bool), C, "made up"
    )
    assert np.array_equal(scores(name, problem.among(rows)), scores(name, alone))


def test_a_head_of_the_callers_is_used_and_asked_for_by_sitting(problem):
    asked = []

    def fit(fold):
        asked.append(fold)
        return problem.fit(fold)

    strategy_inputs.scores(menu.find("influence_value"), problem, fit, rng=None)
    strategy_inputs.scores(menu.find("entropy"), problem, fit, rng=None)
    strategy_inputs.scores(menu.find("knn_shapley"), problem, fit, rng=None)
    assert asked == [0, 1, None]


def test_a_record_of_the_callers_is_used(problem):
    table = np.full((2, N, C), 0.1)
    table[0, :, 0], table[1, :, 1] = 0.8, 0.8
    found = strategy_inputs.scores(
        menu.find("forgetting"), problem, recorded=lambda: table, rng=None
    )
    assert found.tolist() == [{0: 1, 1: 0, 2: 2}[label] for label in problem.points.labels]


def test_what_the_screen_says_is_what_was_done(problem):
    said = strategy_inputs.explained(menu.find("fi_util"), problem)
    assert (
        "24 points, a fifth of each class, judge the other 96" in said
        and "24 of those, drawn class by class, judge the first 24" in said
    )
    assert "the 30 test points judge the other 90" in strategy_inputs.explained(
        menu.find("influence_value"), made_up(np.arange(N) >= 90)
    )
    assert "8 linear heads" in strategy_inputs.explained(
        menu.find("bald"), problem
    ) and "of the 120 training points" in strategy_inputs.explained(menu.find("bald"), problem)
    assert (
        "15 passes" in strategy_inputs.explained(menu.find("forgetting"), problem)
        and strategy_inputs.explained(menu.find("leverage"), problem) == ""
    )
    assert "test points included" in strategy_inputs.explained(
        menu.find("forgetting"), made_up(np.arange(N) >= 90)
    )


def test_too_few_points_to_judge_are_told():
    few = LearningProblem(
        Embedded(np.eye(3, dtype=np.float32), labels=np.array([0, 1, 0])),
        np.zeros(3, bool),
        2,
        "made up",
    )
    with pytest.raises(UserError, match="found 3 labeled training points and 0 labeled test"):
        scores("knn_shapley", few)


def test_limits_say_what_to_do():
    rng = np.random.default_rng(0)
    many = LearningProblem(
        Embedded(rng.normal(size=(2600, 2)).astype(np.float32), labels=np.arange(2600) % 2),
        np.zeros(2600, bool),
        2,
        "made up",
    )
    with pytest.raises(
        UserError, match=r"found 2,080 points, and each costs a retraining\. Take at most 2,000"
    ):
        scores("leave_one_out", many)
    with pytest.raises(UserError, match="expected at most 500 points"):
        scores("data_shapley", many)


def test_a_long_scoring_says_how_far_it_is_and_can_be_stopped(problem, monkeypatch):
    said = []
    monkeypatch.setattr(progress, "report", lambda fraction, text="": said.append((fraction, text)))
    scores("fi_util", problem)
    assert [text for _, text in said].count("Fitting a linear head") == 2 and (
        0.0,
        "Scoring, 0 of 96 points",
    ) in said

    def stop():
        raise progress.Cancelled

    monkeypatch.setattr(progress, "check", stop)
    for name in (
        "fi_util",
        "knn_shapley",
        "leave_one_out",
        "data_shapley",
        "newton_influence",
        "bald",
        "forgetting",
    ):
        with pytest.raises(progress.Cancelled):
            scores(name, problem)
