"""The textbook's QR: leverage where the rank is full, and its artefacts where it is not."""

import numpy as np
import pytest

from core.datasets import load
from core.embeddings import embed
from core.runtime import cache
from core.spec import Spec, scores_key
from core.strategies.leverage import leverage
from core.strategies.textbook_qr import artefacts, textbook_qr
from core.strategy import find, top_k


def test_full_rank_is_leverage_and_the_menu_warns():
    x = np.random.default_rng(0).normal(size=(60, 7))
    scores = textbook_qr(x)
    assert (
        scores == pytest.approx(leverage(x), abs=1e-12) and len(artefacts(scores, leverage(x))) == 0
    )
    entry = find("textbook_qr")
    assert entry.label == "Textbook QR" and entry.summary.startswith("Warning: wrong wherever")


def test_a_dead_column_gives_the_row_of_its_number_nearly_a_full_unit():
    x = np.random.default_rng(1).normal(size=(60, 7))
    x[:, [2, 5]] = 0
    scores = textbook_qr(x)
    assert scores.sum() == pytest.approx(7) and leverage(x).sum() == pytest.approx(5)
    assert artefacts(scores, leverage(x)).tolist() == [2, 5] and leverage(x)[[2, 5]].max() < 0.4
    assert scores[[2, 5]].min() > 0.98
    assert len(artefacts(textbook_qr(x[:4]), leverage(x[:4]))) == 0, "every leverage is 1"


def test_dead_pixels_fool_it():
    """The leverage is the bundled one, which tests/test_pipeline.py computes anew."""
    mnist = load("mnist")
    scores = textbook_qr(embed(mnist, "raw").embedding)
    exact = cache.get(scores_key(Spec(), mnist.fingerprint)).arrays["scores"]
    top = top_k(scores, 60).indices
    assert scores.sum() == pytest.approx(784, abs=1e-6)
    assert np.isin(top, artefacts(scores, exact)).sum() == 43
    assert scores[0] == pytest.approx(1.0, abs=1e-9)
