"""Scores equal to rounding are equal: everywhere, in the points' order, and on any processor."""

import os
import subprocess
import sys

import numpy as np
import pytest

from core import agreement
from core.exports import score_table
from core.large import leverage as large
from core.linalg.ties import TOLERANCE, order, ranks, settle
from core.runtime.folders import ROOT
from core.strategy import top_k
from core.types import UserError
from pages.shared import cached

THREADS = """
from core.datasets import load
from core.embeddings import embed
from core.strategies.leverage import leverage
from core.strategy import top_k
from core.linalg.ties import order
scores = leverage(embed(load("mnist"), "raw").embedding[:1200])
assert (scores > 1 - 1e-9).sum() == 49
print(top_k(scores, 100).indices.tolist(), order(scores)[:60].tolist())
"""


def test_by_hand():
    """Two of rounding's twins, then one a little lower, then far away; the largest decides what
    rounding is.
    """
    scores = np.array([1.0, 5.0, 1.0 + 4e-12, 5.0 - 4e-12, 5.0 - 6e-12, -3.0])
    assert settle(scores).tolist() == [1 + 4e-12, 5.0, 1 + 4e-12, 5.0, 5.0 - 6e-12, -3.0]
    assert order(scores).tolist() == [1, 3, 4, 0, 2, 5]
    assert ranks(scores).tolist() == [4, 1, 5, 2, 3, 6]
    assert order(100 * np.append(scores, 1e6)).tolist() == [6, 1, 3, 4, 0, 2, 5]


def test_a_chain_of_neighbours_merges_nothing_further_apart():
    chain = 1.0 - 0.4 * TOLERANCE * np.arange(1000)
    settled = settle(chain)
    assert np.abs(settled - chain).max() <= TOLERANCE
    heads = np.unique(settled)
    assert len(heads) == pytest.approx(334, abs=5) and np.diff(heads).min() > TOLERANCE
    shuffled = np.random.default_rng(0).permutation(1000)
    assert np.array_equal(settle(chain[shuffled]), settled[shuffled])
    assert np.array_equal(settle(settled), settled)


def test_rows_empty_ones_and_what_cannot_be_ranked():
    scores = np.random.default_rng(1).normal(size=(3, 50))
    assert np.array_equal(settle(scores), scores) and len(order(np.zeros(0))) == 0
    assert np.array_equal(settle(scores), np.stack([settle(row) for row in scores]))
    assert order(np.zeros(4)).tolist() == [0, 1, 2, 3]
    with pytest.raises(UserError, match="NaN"):
        settle([1.0, np.nan])


def jittered():
    """30 points with 6 different scores, as floating point leaves them on two machines."""
    rng = np.random.default_rng(2)
    exact = rng.integers(0, 6, 30) / 5.0
    return [exact + 2e-13 * rng.uniform(size=30) for _ in range(2)]


RANKED = {
    "top_k": lambda scores: top_k(scores, 12).indices,
    "top_k beside labeled points": lambda scores: top_k(scores, 9, np.arange(30) % 3 == 0).indices,
    "bottom": lambda scores: top_k(-scores, 12).indices,
    "files": score_table.ranks,
    "files of large tables": lambda scores: large.frame(scores)["rank"].to_numpy(),
    "galleries": lambda scores: cached.ranking.__wrapped__("key", scores).order,
    "rank numbers": lambda scores: cached.ranking.__wrapped__("key", scores).rank,
    "percentiles": agreement.percentiles,
    "Kendall": lambda scores: agreement.kendall([scores, np.arange(30.0)]),
    "weighted Kendall": lambda scores: agreement.weighted_kendall([scores, np.arange(30.0)]),
    "Spearman": lambda scores: agreement.spearman([scores, np.arange(30.0)]),
    "overlap": lambda scores: agreement.overlap([scores, np.arange(30.0)], 7),
    "disagreement": lambda scores: agreement.disagreement(scores, np.arange(30.0), 9)[0],
    "density": lambda scores: agreement.rank_density(scores, np.arange(30.0), 5),
}


@pytest.mark.parametrize("where", RANKED)
def test_rounding_ranks_nothing(where):
    one, other = jittered()
    assert not np.array_equal(np.argsort(-one), np.argsort(-other))
    assert np.array_equal(RANKED[where](one), RANKED[where](other))


def test_one_thread_and_two_rank_alike():
    """Of the first 1,200 digits 49 have a leverage of exactly 1; as they come from the BLAS, 43 of
    the first 60 places differ.
    """
    said = []
    for count in "12":
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), count)
        run = subprocess.run(
            [sys.executable, "-c", THREADS],
            env=os.environ | threads,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        said.append(run.stdout)
    assert said[0] == said[1]
