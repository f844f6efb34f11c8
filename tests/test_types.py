"""What the nouns take: lists, frames and tensors are points too."""

import numpy as np
import pandas as pd
import pytest
import torch

from core import softmax_head
from core.plugins.menu import strategies
from core.strategy import pick
from core.types import Embedded, UserError, check_matrix

POINTS = np.random.default_rng(0).normal(size=(12, 3))
LABELS = [0, 1, 2] * 4
FORMS = {
    "a list": lambda x: x.tolist(),
    "a frame": pd.DataFrame,
    "a tensor": torch.tensor,
    "a tensor with a gradient": lambda x: torch.tensor(x, requires_grad=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_points_may_come_as(form):
    given = FORMS[form](POINTS)
    embedded = Embedded(given, labels=LABELS, labeled=[False] * 12)
    assert isinstance(embedded.embedding, np.ndarray)
    assert np.array_equal(embedded.embedding, POINTS) and embedded.labels.tolist() == LABELS
    for name in ("leverage", "typicality", "k_center", "textbook_qr", "bait_regression"):
        expected = pick(name, Embedded(POINTS), 4).indices
        assert pick(name, embedded, 4).indices.tolist() == expected.tolist()
        function = strategies()[name].function
        k = {} if strategies()[name].kind == "scorer" else {"k": 4}
        for one, other in zip(function(given, **k), function(POINTS, **k), strict=True):
            assert np.array_equal(one, other), name
    head = softmax_head.fit(given, np.array(LABELS), l2=0.1)
    same = softmax_head.fit(POINTS, np.array(LABELS), l2=0.1)
    assert np.array_equal(head.weights, same.weights)
    found = softmax_head.probabilities(given, head)
    assert np.array_equal(found, softmax_head.probabilities(POINTS, same))


def test_an_array_stays_itself():
    assert check_matrix(POINTS, "x") is POINTS and Embedded(POINTS).embedding is POINTS


@pytest.mark.parametrize("bad", [[[1.0, "a"]], [1.0, 2.0], pd.DataFrame({"a": [np.nan]})])
def test_what_is_no_matrix_is_refused(bad):
    with pytest.raises(UserError, match="embedding: "):
        Embedded(bad)
