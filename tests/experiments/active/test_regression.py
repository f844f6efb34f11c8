"""Regression in rounds: targets, squared loss, when a round has learned, and who may take part."""

import dataclasses

import numpy as np
import pytest
import torch

from core import datasets
from core.data.splits import split
from core.experiments.active import outcomes, round_training, rounds, speed
from core.experiments.active.outcomes import FinishedRuns
from core.experiments.active.plan import Active
from core.experiments.active.round_training import StopRule, answers_of, is_learned
from core.experiments.active.rounds import RoundSettings, run
from core.experiments.verdicts import LOSS, sentence
from core.models import evaluation, networks
from core.plugins import menu
from core.types import Dataset, UserError
from tests.tools.own_data import table

QUICK = RoundSettings(network="linear", batch=5, rounds=2, start=10, task="regression")
QUICK = dataclasses.replace(QUICK, until="epochs", epochs=20)


def measured(n=80, outputs=None, labeled=False, seed=0) -> Dataset:
    """Rows whose target is a linear function of them and some noise, far from 0 and wide."""
    data = table(n, labeled=labeled, seed=seed)
    rng = np.random.default_rng(seed)
    slopes = rng.normal(size=(data.d, outputs or 1))
    target = 1e4 + 500 * (data.points @ slopes + 0.01 * rng.normal(size=(n, outputs or 1)))
    return dataclasses.replace(data, target=target if outputs else target[:, 0], title="Rents")


def constant(values) -> networks.Network:
    """A linear network that answers the same for every point."""
    network = networks.build("linear", classes=len(values), shape=(2,), seed=0, regression=True)
    network.head.weight.data.zero_()
    network.head.bias.data[:] = torch.tensor(values)
    return network


def test_the_squared_loss_by_hand():
    """Answers (1, 0): squared distances to (1, 1), (0, 0), (3, 0) are 1, 1 and 4."""
    target = np.array([[1, 1], [0, 0], [3, 0]], np.float32)
    found = evaluation.evaluate(constant([1, 0]), np.zeros((3, 2)), target, objective="squared")
    assert found.loss == pytest.approx(2) and np.isnan(found.accuracy)
    labels = evaluation.evaluate(
        constant([1, 0]), np.zeros((2, 2)), np.arange(2), objective="squared"
    )
    assert labels.loss == pytest.approx(1), "one-hot labels: 0 and 2"


@pytest.mark.parametrize(("answer", "learned"), [(0.099, True), (0.101, False), (-0.099, True)])
def test_a_round_has_learned_when_a_hundredth_of_the_variance_is_left(answer, learned):
    """The targets 0 and 0 have a loss of answer^2; those of variance 1 allow 0.01."""
    target = np.array([[1 + answer], [-1 + answer]], np.float32)
    points = np.array([[1.0, 0], [-1, 0]], np.float32)
    network = constant([0.0])
    network.head.weight.data[0, 0] = 1.0  # answers 1 and -1, each off by `answer`
    assert is_learned(network, points, target) == learned


def test_a_training_goes_on_until_then():
    data = measured()
    answers = answers_of(data, "regression")
    network = networks.build("mlp", classes=1, shape=(5,), seed=0, regression=True)
    rows = np.arange(30)
    rule = StopRule("accuracy", 1, 5_000)
    done = round_training.train(
        network, data.points[rows], answers[rows], rule, seed=0, said=lambda fraction: None
    )
    left = evaluation.evaluate(network, data.points[rows], answers[rows], objective="squared").loss
    assert done.reached and 20 < done.steps < 5_000
    assert left <= 0.01 * answers[rows].var() < 2 * left


def test_a_target_is_learned_in_units_of_its_spread_and_labels_are_one_hot():
    data = measured(outputs=2)
    answers = answers_of(data, "regression")
    train = split(data, regression=True)[0]
    assert answers.shape == (80, 2) and answers.dtype == np.float32
    assert answers[train].mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert answers[train].std(axis=0) == pytest.approx(1, abs=1e-5)
    labeled = table(9)
    assert answers_of(labeled, "regression")[:3].tolist() == np.eye(3).tolist()
    assert answers_of(labeled, "classification") is labeled.labels


def test_a_target_of_one_value_is_refused():
    flat = dataclasses.replace(table(labeled=False), target=np.full(40, 0.1))
    with pytest.raises(UserError, match="found the same target at all 32 training points"):
        Active().with_(task="regression", strategies="k_center", network="linear").check(flat)


@pytest.mark.parametrize("strategy", ["bait_regression", "k_center", "log_det", "k_dpp"])
@pytest.mark.parametrize("outputs", [None, 2])
def test_a_run_from_end_to_end(strategy, outputs):
    data = measured(outputs=outputs)
    arrays, facts = run(data, strategy, {}, QUICK, seed=1)
    assert arrays["labels"].tolist() == [10, 15, 20] and facts["strategy"] == strategy
    assert np.isfinite(arrays["loss"]).all() and np.isnan(arrays["accuracy"]).all()
    assert len(set(arrays["picks"].ravel())) == 10
    assert np.isfinite(arrays["log_det"]).all() and (arrays["norm"] > 0).all()


def test_more_labels_and_a_network_that_learned_lower_the_loss():
    setting = dataclasses.replace(QUICK, until="accuracy", batch=40, rounds=1)
    arrays, _ = run(measured(200), "leverage", {}, setting, seed=1)
    assert arrays["reached"].all() and arrays["loss"][1] < arrays["loss"][0]
    assert arrays["loss"][1] < 0.05, "of a variance of 1"


def test_one_hot_labels_are_learned_by_squared_loss():
    digits = datasets.load("digits", n=300)
    setting = dataclasses.replace(QUICK, network="mlp", until="accuracy", start=40)
    arrays, _ = run(digits, "random", {}, setting, seed=1)
    assert arrays["reached"].all() and (arrays["loss"] < 0.9).all(), "0.9 is what the mean leaves"


def test_what_needs_classes_says_why_it_is_out():
    out = {
        name: rounds.inputs_of(chosen.needs, QUICK) for name, chosen in menu.strategies().items()
    }
    takes_part = {name for name, reason in out.items() if reason is None}
    assert {"bait_regression", "k_center", "log_det", "k_dpp", "leverage", "random"} <= takes_part
    assert out["badge"] == "needs probabilities, and a regression has no classes"
    assert out["bald"] == "needs probabilities of several networks, and a regression has no classes"
    assert "needs labels and a validation set with labels" in out["knn_shapley"]
    assert {"entropy", "bait", "albl", "fi_active", "influence_value"}.isdisjoint(takes_part)
    plan = Active().with_(task="regression", strategies="badge", rounds=2)
    with pytest.raises(UserError, match="BADGE needs probabilities, and a regression has no cl"):
        plan.check(datasets.load("digits"))


def test_data_with_a_target_alone_are_no_classification():
    with pytest.raises(UserError, match=r"found a target and no classes.*Choose the task regress"):
        Active().with_(network="linear", strategies="k_center").check(measured())
    with pytest.raises(UserError, match="found 0 labeled training points"):
        split(measured())
    learn, judge = split(measured(), regression=True)
    assert len(learn) == 64 and len(judge) == 16


def test_the_cost_of_a_target_is_measured():
    found = speed.of_rounds(measured(), ("k_center", "random"), QUICK)
    assert found["rate"] > 0 and set(found["rates"]) == {
        "round",
        "picking by k_center",
        "picking by random",
    }


PLAN = Active(strategies=("k_center", "random"), rounds=2, task="regression", until="epochs")
PLAN = PLAN.with_(seeds=5)


def loss_runs(gap: float) -> FinishedRuns:
    """Random's loss falls 0.9, 0.5, 0.4; CORESET's is lower by `gap`."""
    seeds = 0.001 * np.arange(5)[:, None]
    random = np.array([0.9, 0.5, 0.4]) + seeds
    value = np.stack([random - gap - 0.1 * gap * seeds, random])
    none = np.zeros((2, 5, 2))
    return FinishedRuns(np.array([100, 200, 300]), value, np.ones_like(value), none, none, none, 10)


@pytest.mark.parametrize(
    ("gap", "said"),
    [(0.1, "CORESET is *0.1 lower* than random"), (-0.1, "CORESET is *0.1 higher* than random")],
)
def test_less_loss_is_better(gap, said):
    compared = outcomes.versus(PLAN, loss_runs(gap), "random", 0.01)["k_center"]
    assert compared.outcomes[0].outcome == ("better" if gap > 0 else "worse")
    assert compared.outcomes[0].mean == pytest.approx(gap, rel=0.01)
    assert sentence("CORESET", "random", compared, LOSS, 0.01).startswith(said)
    curves = outcomes.learning_curves(PLAN, loss_runs(gap))
    beats = outcomes.penalty_matrix([curves])
    assert curves.lower and beats.tolist() == ([[0, 1], [0, 0]] if gap > 0 else [[0, 0], [1, 0]])
    errors, _ = outcomes.normalised_errors([curves])
    assert (errors[0] < 1).all() if gap > 0 else (errors[0] > 1).all()


def test_budgets_end_where_random_s_loss_is_down():
    """At 300 labels 0.4, at 200 0.5 > 0.4 / 0.99: one batch after the first."""
    assert outcomes.budgets(outcomes.learning_curves(PLAN, loss_runs(0.1))) == [1]
