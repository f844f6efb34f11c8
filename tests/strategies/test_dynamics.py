"""Do EL2N, GraNd and forgetting count what their papers count?"""

import numpy as np
import pytest
import torch

from core.strategies.dynamics import (
    correctness,
    el2n,
    forgetting,
    forgetting_events,
    grand,
    mean_el2n,
)
from core.types import UserError

N, D, C = 30, 5, 4


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    h, weights = rng.normal(size=(N, D)), rng.normal(size=(C, D))
    logits = h @ weights.T
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return h, weights, probs, rng.integers(0, C, N)


def record_of(right):
    """A record in which point i is right after epoch t where right[t, i]; the label is 0."""
    return np.where(np.array(right, bool)[..., None], [0.9, 0.1], [0.2, 0.8])


def test_el2n_by_hand():
    probs = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert el2n(probs, np.zeros(3, int)) == pytest.approx([0, np.sqrt(2), np.sqrt(0.5)], abs=1e-15)


def test_grand_is_the_length_of_autograds_gradient(problem):
    h, weights, probs, labels = problem
    for i in range(N):
        w = torch.tensor(weights, requires_grad=True)
        torch.nn.functional.cross_entropy(
            torch.tensor(h[i : i + 1]) @ w.T, torch.tensor(labels[i : i + 1])
        ).backward()
        assert grand(h, probs, labels)[i] == pytest.approx(w.grad.norm().item(), abs=1e-12)


def test_forgetting_by_hand():
    right = [
        [1, 0, 0, 1, 1],
        [1, 1, 0, 0, 1],
        [1, 0, 0, 1, 0],
        [1, 1, 0, 0, 0],
    ]  # always right; forgotten once; never right; forgotten twice; forgotten once and for all
    assert forgetting_events(np.array(right, bool)).tolist() == [0, 1, 0, 2, 1]
    assert forgetting(record_of(right), np.zeros(5, int)).tolist() == [0, 1, 4, 2, 1]
    assert correctness(record_of(right), np.zeros(5, int)).astype(int).tolist() == right


def test_one_epoch_forgets_nothing():
    assert forgetting(record_of([[1, 0]]), np.zeros(2, int)).tolist() == [0, 1]


def test_mean_el2n_is_the_mean(problem):
    _, _, probs, labels = problem
    record = np.stack([probs, probs[:, ::-1]])
    assert mean_el2n(record, labels) == pytest.approx(
        (el2n(record[0], labels) + el2n(record[1], labels)) / 2, abs=1e-15
    )


@pytest.mark.parametrize("score", [forgetting, mean_el2n])
def test_a_record_of_another_shape_is_refused(score):
    with pytest.raises(UserError, match="record: found shape"):
        score(np.full((3, 2), 0.5), np.zeros(3, int))


def test_labels_must_fit(problem):
    h, _, probs, labels = problem
    with pytest.raises(UserError, match="have none"):
        el2n(probs, labels - 1)
    with pytest.raises(UserError, match="found class 4"):
        grand(h, probs, labels + 1)
    with pytest.raises(UserError, match="29 rows, the embedding 30"):
        grand(h, probs[1:], labels)
    with pytest.raises(UserError, match="labels"):
        forgetting(record_of([[1, 0]]), np.zeros(3, int))
