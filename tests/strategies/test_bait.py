"""BAIT against its definition: brute-force gains, the published algorithm written out slowly, and
what must not change a pick.
"""

import itertools
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.linalg import a_optimal_design
from core.linalg.a_optimal_design import Design, Pool, Search, first_largest
from core.linalg.a_optimal_kernels import LanePool
from core.linalg.fisher_information import class_roots, contrasts, information
from core.strategies.bait import bait, bait_regression, weights
from core.strategy import find
from core.types import UserError

ROOT = Path(__file__).parents[2]


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def world(n=60, d=4, c=3, labeled=7, seed=0, sharp=1.0):
    """embedding (n, d), probs (n, c), labeled (n,)."""
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(n, d)) * (1 + np.arange(d))
    return (
        h,
        softmax(sharp * h @ rng.normal(size=(d, c))),
        np.isin(np.arange(n), rng.choice(n, labeled, replace=False)),
    )


def gradients(h, p):
    """V_x^T (n, c, c d) of the definition: row y is sqrt(p_y) (e_y - p) (x) h, the gradient under
    label y, weighed by its probability.
    """
    rows = np.sqrt(p)[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])
    return np.einsum("nya,nd->nyad", rows, h).reshape(len(h), p.shape[1], -1)


def slow_select(v, known, k, ridge, *, backward=True, weigh=True, scaling="reference"):
    """Ash et al.'s algorithm by inverting M + I(x) for every candidate and pick: the objective
    itself, no identity, no update.

    v (n, q, D): the transposed gradients. Returns the points in the order in which they went in,
    and the objective after every step.
    """
    f = np.einsum("nqa,nqb->ab", v, v) / len(v) if weigh else np.eye(v.shape[2])
    m = int(known.sum())
    w_labeled, w = {
        "reference": (1 / (m + k), k / (m + k)),
        "paper": (1 / max(m, 1), 1),
        "sum": (1, 1),
    }[scaling]
    base = ridge * np.eye(v.shape[2]) + w_labeled * np.einsum("nqa,nqb->ab", v[known], v[known])
    v = v * np.sqrt(w)

    def objective(points):
        return np.trace(
            np.linalg.solve(base + sum((v[x].T @ v[x] for x in points), np.zeros_like(base)), f)
        )

    pool, chosen = list(np.flatnonzero(~known)), []
    trail = [objective(chosen)]
    for _ in range(min(2 * k, len(pool)) if backward else k):
        values = [np.inf if x in chosen else objective([*chosen, x]) for x in pool]
        chosen.append(pool[int(np.argmin(values))])
        trail.append(min(values))
    while len(chosen) > k:
        values = [objective([*chosen[:i], *chosen[i + 1 :]]) for i in range(len(chosen))]
        del chosen[int(np.argmin(values))]
        trail.append(min(values))
    return chosen, trail


# ---- the algebra ----


def test_contrasts_are_orthonormal_and_orthogonal_to_the_ones():
    n = contrasts(6)
    assert n.T @ n == pytest.approx(np.eye(5), abs=1e-15)
    assert np.ones(6) @ n == pytest.approx(np.zeros(5), abs=1e-15)


@pytest.mark.parametrize(
    "p",
    [
        [0.2, 0.3, 0.5],
        [1, 0, 0],
        [0, 0.5, 0.5],
        [0.5, 0.5, 0],
        [1e-200, 1, 0],
        [0, 1e-9, 1 - 1e-9],
        [0, 0, 1],
    ],
)
def test_class_roots_by_definition(p):
    (root,) = class_roots(np.array([p]))
    expected = contrasts(3).T @ (np.diag(p) - np.outer(p, p)) @ contrasts(3)
    assert root @ root.T == pytest.approx(expected, abs=1e-16)


def test_a_tiny_probability_keeps_its_digits():
    (root,) = class_roots(
        np.array([[1e-30, 1.0]])
    )  # p (1 - p) times the square of the contrast (1, -1) / sqrt(2): 2 p (1 - p)
    assert (root**2).item() == pytest.approx(2e-30, rel=1e-14)


def test_information_by_definition():
    h, p, _ = world(c=4)
    n = contrasts(4)
    expected = sum(
        np.kron(n.T @ (np.diag(q) - np.outer(q, q)) @ n, np.outer(x, x))
        for x, q in zip(h, p, strict=True)
    )
    assert information(h, class_roots(p)) == pytest.approx(expected, abs=1e-12)


POOLS = [Pool, LanePool]


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("ridge, digits", [(1.0, 1e-9), (1e-2, 1e-9), (1e-4, 1e-6)])
def test_every_change_equals_brute_force_after_adds_and_removals(kind, ridge, digits, monkeypatch):
    """At the smallest ridge C of a point falls by six powers of ten when it goes in; as many digits
    go before a fresh start.
    """
    monkeypatch.setattr("core.linalg.a_optimal_design.pool", kind)
    h, p, _ = world(n=300, c=4)
    roots = class_roots(p)
    f = information(h, roots) / len(h)
    v = np.stack([np.kron(root, x[:, None]) for root, x in zip(roots, h, strict=True)])
    m = ridge * np.eye(len(f))
    search = Search(h, roots, m, f, np.zeros(300, bool))

    def exact(sign, points):
        now = np.trace(np.linalg.solve(m, f))
        return np.array(
            [sign * (now - np.trace(np.linalg.solve(m + sign * v[x] @ v[x].T, f))) for x in points]
        )

    for s, sign in [*((s, 1) for s in (5, 280, 17, 130, 44, 6)), (17, -1), (280, -1)]:
        assert search.move(s, sign) == pytest.approx(exact(sign, [s])[0], rel=digits)
        m = m + sign * v[s] @ v[s].T
        assert search.changes(1) == pytest.approx(exact(1, range(300)), rel=digits)
    inside = [5, 130, 44, 6]
    assert np.flatnonzero(search.inside).tolist() == sorted(inside)
    assert search.changes(-1)[inside] == pytest.approx(exact(-1, inside), rel=digits)
    assert np.abs(search.design.p @ m - np.eye(len(m))).max() < 1e-9 / ridge


@pytest.mark.parametrize("ridge", [1.0, 1e-2, 1e-4])
def test_two_hundred_moves_do_not_drift(ridge):
    h, p, _ = world(n=400, d=8, c=5)
    roots, order = class_roots(p), np.random.default_rng(1).permutation(400)[:130]
    f = information(h, roots) / len(h)
    search = Search(h, roots, ridge * np.eye(len(f)), f, np.zeros(400, bool))
    for s, sign in [*((s, 1) for s in order), *((s, -1) for s in order[:70])]:
        search.move(s, sign)
    assert sorted(np.flatnonzero(search.inside)) == sorted(order[70:])
    fresh = Search(h, roots, ridge * np.eye(len(f)), f, search.inside)
    assert search.changes(1) == pytest.approx(fresh.changes(1), rel=1e-8)


def test_the_probe_notices_lost_digits_and_the_search_starts_afresh(monkeypatch):
    h, p, _ = world(n=400, d=8, c=5)
    roots, order = class_roots(p), np.random.default_rng(1).permutation(400)[:200]
    f = information(h, roots) / len(h)
    monkeypatch.setattr("core.linalg.a_optimal_design.PRECISION", np.inf)
    careless = Search(h, roots, 1e-4 * np.eye(len(f)), f, np.zeros(400, bool))
    for s in order:
        careless.move(s, 1)
    fresh = Search(h, roots, 1e-4 * np.eye(len(f)), f, careless.inside)
    drift = np.abs(careless.changes(1) / fresh.changes(1) - 1).max()
    assert drift > 1e-5 and careless.design.error() > drift / 100


def test_the_pool_that_a_gpu_uses_gives_the_same_in_torch(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(
        "core.linalg.row_blocks.place", lambda array: torch.from_numpy(np.ascontiguousarray(array))
    )
    h, p, _ = world(n=300, c=4)
    roots, f = class_roots(p), information(h, class_roots(p)) / len(h)
    assert isinstance(f, torch.Tensor)
    design = Design(torch.eye(len(f), dtype=torch.float64), f)
    state = Pool(h, roots, design)
    before = state.changes(1)
    for s, sign in [(5, 1), (280, 1), (5, -1), (280, -1)]:
        pair, change = design.move(h[s], roots[s], sign)
        assert isinstance(change, float)
        state.move(pair, sign)
        assert not np.allclose(state.changes(1), before) or (s, sign) == (280, -1)
    assert state.changes(1) == pytest.approx(before, rel=1e-9)


def test_picks_in_torch_are_those_in_numpy(monkeypatch):
    torch = pytest.importorskip("torch")
    h, p, known = world(n=150, c=4)
    h, p = h.astype(np.float32), p.astype(np.float32)
    expected = bait(h, p, known, k=9, ridge=0.1)
    monkeypatch.setattr(
        "core.linalg.row_blocks.place", lambda array: torch.from_numpy(np.ascontiguousarray(array))
    )
    monkeypatch.setattr("core.linalg.row_blocks.device", lambda: "a GPU")
    indices, gains = bait(h, p, known, k=9, ridge=0.1)
    assert indices.tolist() == expected[0].tolist()
    assert gains == pytest.approx(expected[1], rel=1e-10)


# ---- the published algorithm ----


@pytest.mark.parametrize(
    "c, ridge, labeled", [(2, 1.0, 0), (3, 1e-2, 7), (3, 1.0, 1), (5, 1e-3, 20), (4, 10.0, 40)]
)
@pytest.mark.parametrize("scaling", ["reference", "paper", "sum"])
def test_same_picks_in_the_same_order_as_the_published_algorithm(c, ridge, labeled, scaling):
    h, p, known = world(c=c, labeled=labeled, seed=c)
    expected, _ = slow_select(gradients(h, p), known, 5, ridge, scaling=scaling)
    assert bait(h, p, known, k=5, ridge=ridge, scaling=scaling)[0].tolist() == expected


def test_same_picks_with_dead_columns():
    h, p, known = world()
    dead = np.insert(h, [1, 3], 0, axis=1)
    expected, _ = slow_select(gradients(dead, p), known, 5, 0.1)
    assert (
        bait(dead, p, known, k=5, ridge=0.1)[0].tolist()
        == expected
        == bait(h, p, known, k=5, ridge=0.1)[0].tolist()
    )


@pytest.mark.parametrize("backward, weigh", [(False, True), (True, False), (False, False)])
def test_same_picks_without_the_fisher_term_and_forward_only(backward, weigh):
    h, p, known = world()
    expected, _ = slow_select(gradients(h, p), known, 6, 0.1, backward=backward, weigh=weigh)
    assert (
        bait(h, p, known, k=6, ridge=0.1, backward=backward, fisher=weigh)[0].tolist() == expected
    )


def test_each_setting_matters():
    h, p, known = world()
    picks = [
        tuple(bait(h, p, known, k=6, **{"ridge": 0.1, **more})[0])
        for more in (
            {},
            {"backward": False},
            {"fisher": False},
            {"scaling": "paper"},
            {"scaling": "sum"},
            {"ridge": 100.0},
        )
    ]
    assert len(set(picks)) >= 5
    assert set(picks[0]) != set(picks[1]) and set(picks[0]) != set(picks[2])


@pytest.mark.parametrize("ridge, labeled", [(1.0, 0), (1e-2, 7), (1e-3, 20)])
@pytest.mark.parametrize("backward", [True, False])
def test_regression_picks_those_of_the_published_algorithm_on_rank_one_information(
    ridge, labeled, backward
):
    h, _, known = world(labeled=labeled)
    expected, _ = slow_select(h[:, None, :], known, 6, ridge, backward=backward)
    assert bait_regression(h, known, k=6, ridge=ridge, backward=backward)[0].tolist() == expected


def fractions_trace(m, f):
    """tr(M^-1 F) by Gauss's elimination, in fractions: nothing is rounded."""
    d = len(m)
    rows = [list(m[i]) + list(f[i]) for i in range(d)]
    for i in range(d):
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in set(range(d)) - {i}:
            rows[j] = [b - rows[j][i] * a for a, b in zip(rows[i], rows[j], strict=True)]
    return sum(rows[i][d + i] for i in range(d))


def exact_picks(h, k, ridge):
    """Regression BAIT forward by its definition, h whole numbers: each the largest fall of
    tr(M^-1 F).
    """
    n, d = h.shape
    h = [[Fraction(int(value)) for value in row] for row in h]
    f = [[sum(x[a] * x[b] for x in h) / n for b in range(d)] for a in range(d)]
    m = [[ridge * (a == b) for b in range(d)] for a in range(d)]
    chosen = []
    for _ in range(k):
        with_each = [[[m[a][b] + x[a] * x[b] for b in range(d)] for a in range(d)] for x in h]
        left = [i for i in range(n) if i not in chosen]
        chosen.append(min(left, key=lambda i: fractions_trace(with_each[i], f)))
        m = with_each[chosen[-1]]
    return chosen


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_regression_is_exact_up_to_a_ratio_of_5e12_and_refuses_above_1e13(seed):
    h = np.random.default_rng(seed).integers(-1000, 1000, (16, 6)).astype(float)
    longest = int((h**2).sum(axis=1).max())
    ridge = Fraction(longest, 5 * 10**12)
    found = bait_regression(h, k=5, ridge=float(ridge), backward=False)[0]
    assert found.tolist() == exact_picks(h, 5, ridge)
    bait_regression(h, k=5, ridge=longest / 0.99e13)
    with pytest.raises(UserError, match="rounding would decide who is picked"):
        bait_regression(h, k=5, ridge=longest / 1.01e13)


def test_without_a_word_the_ridge_is_one():
    """The default of the authors' code."""
    h, p, known = world()
    for select, inputs in ((bait, (h, p, known)), (bait_regression, (h, known))):
        gains = select(*inputs, k=6)[1]
        assert np.array_equal(gains, select(*inputs, k=6, ridge=1.0)[1])
        assert not np.array_equal(gains, select(*inputs, k=6, ridge=0.1)[1])
        assert find(select.__name__).knobs["ridge"].default == 1.0


def test_gains_are_what_the_objective_loses_and_it_is_monotone():
    h, p, known = world()
    _, trail = slow_select(gradients(h, p), known, 6, 0.1, backward=False)
    _, gains = bait(h, p, known, k=6, ridge=0.1, backward=False)
    assert gains == pytest.approx(-np.diff(trail), rel=1e-9) and (gains > 0).all()
    both = slow_select(gradients(h, p), known, 6, 0.1)[1]
    assert (np.diff(both[:13]) <= 1e-12).all() and (np.diff(both[12:]) >= -1e-12).all()
    twelve = bait(h, p, known, k=12, ridge=0.1, backward=False, scaling="sum")
    six = bait(h, p, known, k=6, ridge=0.1, scaling="sum")
    gain_of = dict(zip(twelve[0], twelve[1], strict=True))
    assert six[1] == pytest.approx(
        [gain_of[x] for x in six[0]], rel=1e-12
    )  # survivors keep the gain with which they went in
    assert six[0].tolist() == [x for x in twelve[0] if x in six[0]]


def test_weights_by_hand():
    assert weights("reference", 30, 10) == (1 / 40, 10 / 40)
    assert weights("reference", 0, 10) == (1 / 10, 1.0)
    assert weights("paper", 30, 10) == (1 / 30, 1.0)
    assert weights("sum", 30, 10) == (1.0, 1.0)
    with pytest.raises(UserError, match="reference, paper, sum"):
        weights("mean", 30, 10)


# ---- what must not change a pick ----


def test_two_points_by_hand():
    # One dimension, regression: F = (1 + 4) / 2; a point h lowers F / lambda to F / (lambda + h^2).
    indices, gains = bait_regression(np.array([[1.0], [2.0]]), k=1, ridge=1.0, backward=False)
    assert indices.tolist() == [1] and gains == pytest.approx([2.5 - 2.5 / 5], rel=1e-14)


def test_orthonormal_design_spends_picks_on_likely_directions():
    """p_i ~ 1 / i^2 on five axes, eight picks: the exhaustive optimum puts 3, 2, 1, 1, 1 of them
    there.
    """
    copies = 3600 // np.arange(1, 6) ** 2
    h, p = np.repeat(np.eye(5), copies, axis=0), copies / copies.sum()
    designs = [c for c in itertools.product(range(9), repeat=5) if sum(c) == 8]
    best = min(designs, key=lambda c: (p / (np.array(c) + 1e-2)).sum())
    for backward in (True, False):
        indices, _ = bait_regression(h, k=8, ridge=1e-2, backward=backward)
        assert h[indices].sum(axis=0).tolist() == list(best) == [3, 2, 1, 1, 1]


@pytest.fixture
def plain():
    h, p, known = world(c=4)
    return h, p, known, bait(h, p, known, k=6, ridge=0.1)[0].tolist()


def test_scale_of_embedding_and_ridge_together_change_nothing(plain):
    h, p, known, picks = plain
    assert bait(4 * h, p, known, k=6, ridge=16 * 0.1)[0].tolist() == picks


def test_rotated_padded_and_reordered_inputs_change_nothing(plain):
    h, p, known, picks = plain
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    assert bait(h @ rotation, p, known, k=6, ridge=0.1)[0].tolist() == picks
    assert bait(np.hstack([h, np.zeros((60, 3))]), p, known, k=6, ridge=0.1)[0].tolist() == picks
    assert bait(h, p[:, [2, 0, 3, 1]], known, k=6, ridge=0.1)[0].tolist() == picks
    order = np.random.default_rng(3).permutation(60)
    assert order[bait(h[order], p[order], known[order], k=6, ridge=0.1)[0]].tolist() == picks


def test_an_impossible_class_changes_nothing(plain):
    h, p, known, picks = plain
    assert bait(h, np.hstack([p, np.zeros((60, 1))]), known, k=6, ridge=0.1)[0].tolist() == picks


def test_two_equal_classes_are_regression_with_twice_the_ridge():
    # Lambda in the one contrast is 1/2 everywhere.
    h, _, known = world()
    half = bait(h, np.full((60, 2), 0.5), known, k=6, ridge=0.5)
    assert half[0].tolist() == bait_regression(h, known, k=6, ridge=1.0)[0].tolist()


# ---- degenerate input ----


def test_certain_points_gain_exactly_nothing():
    h, p, _ = world(n=12)
    p[:8] = np.eye(3)[np.arange(8) % 3]
    indices, gains = bait(h, p, k=7, ridge=0.1, backward=False)
    assert sorted(indices[:4]) == [8, 9, 10, 11] and (gains[:4] > 0).all()
    assert indices[4:].tolist() == [0, 1, 2] and gains[4:].tolist() == [0, 0, 0]
    indices, gains = bait(h, np.eye(3)[np.zeros(12, int)], k=3)
    assert indices.tolist() == [0, 1, 2] and gains.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "select",
    [
        lambda h, p, known, k: bait(h, p, known, k=k),
        lambda h, p, known, k: bait_regression(h, known, k=k),
    ],
)
def test_budgets_at_the_edges(select):
    h, p, known = world(n=20, labeled=5)
    indices, gains = select(h, p, known, 0)
    assert indices.shape == gains.shape == (0,) and indices.dtype == np.int64
    for k in (9, 15):  # twice 9 is more than the pool holds; 15 is all of it
        indices, _ = select(h, p, known, k)
        assert len(set(indices)) == k and not known[indices].any()
    with pytest.raises(UserError, match="Choose k between 0 and 15"):
        select(h, p, known, 16)
    assert len(select(h, p, np.zeros(20, bool), 3)[0]) == 3
    with pytest.raises(UserError, match="Choose k between 0 and 0"):
        select(h, p, np.ones(20, bool), 1)


def test_duplicates_are_picked_in_the_order_of_the_points():
    h, p, _ = world(n=8)
    h, p = np.tile(h, (30, 1)), np.tile(p, (30, 1))
    indices, gains = bait(h, p, k=40)
    assert len(set(indices)) == 40 and (gains > 0).all()
    for x in range(8):
        copies = sorted(i for i in indices if i % 8 == x)
        assert copies == [x + 8 * i for i in range(len(copies))]


def test_one_point_one_dimension_and_all_zeros():
    assert bait(np.ones((1, 1)), np.array([[0.4, 0.6]]), k=1)[0].tolist() == [0]
    indices, gains = bait(np.zeros((5, 3)), np.full((5, 2), 0.5), k=2)
    assert indices.tolist() == [0, 1] and gains.tolist() == [0, 0]


def test_removing_the_only_point_of_a_direction_is_never_chosen():
    h = np.vstack(
        [1e4 * np.eye(3), np.ones((5, 3)) + 0.1 * np.random.default_rng(0).normal(size=(5, 3))]
    )
    indices, gains = bait_regression(h, k=3, ridge=1e-2)
    assert sorted(indices) == [0, 1, 2] and np.isfinite(gains).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"probs": np.full((60, 3), 0.5)}, "do not sum to 1"),
        ({"probs": np.array([[1.5, -0.5, 0]] * 60)}, "negative"),
        ({"probs": np.full((60, 1), 1.0)}, "at least 2"),
        ({"probs": np.full((59, 2), 0.5)}, "59 rows"),
        ({"probs": np.full((60, 2), np.nan)}, "NaN"),
        ({"embedding": np.full((60, 4), np.inf)}, "NaN or infinity"),
        ({"labeled": np.zeros(59, bool)}, "labeled"),
        ({"labeled": np.arange(60)}, "True or False"),
        ({"ridge": 0.0}, "above 0"),
        ({"ridge": np.inf}, "above 0"),
        ({"scaling": "none"}, "scaling"),
    ],
)
def test_bad_input_is_refused(change, message):
    h, p, known = world()
    arguments = {"embedding": h, "probs": p, "labeled": known, "k": 3} | change
    with pytest.raises(UserError, match=message):
        bait(**arguments)


def test_what_would_not_fit_into_memory_is_refused():
    embedding = np.broadcast_to(np.float32(1), (10, 2000))
    with pytest.raises(UserError, match="fewer dimensions"):
        bait(embedding, np.full((10, 40), 1 / 40), k=3)


def test_small_tiles_and_threads_change_nothing(monkeypatch):
    h, p, known = world(n=300)
    expected = bait(h, p, known, k=8)[0].tolist()
    monkeypatch.setattr("core.linalg.fisher_information.TILE", 7)
    monkeypatch.setattr("core.linalg.a_optimal_design.ROWS", 3)
    monkeypatch.setattr("core.linalg.a_optimal_kernels.CHUNK", 128)
    assert bait(h, p, known, k=8)[0].tolist() == expected


def test_first_largest_takes_the_first_of_equals():
    assert first_largest(np.array([0.1, 1.0, 1.0 + 1e-15, 0.9])) == 1
    assert first_largest(np.array([-np.inf, -3.0, -2.0, -2.0])) == 2
    assert first_largest(np.array([1.0, 1.0 + 1e-9])) == 1
    assert a_optimal_design.TIE < 1e-9


THREADS = """
import numpy as np, torch
from core.strategies.bait import bait
torch.set_num_threads(1)
before, rng = torch.get_num_threads(), np.random.default_rng(0)
bait(rng.standard_normal((40, 3)), rng.dirichlet(np.ones(3), 40), k=2)
print(before, torch.get_num_threads())
"""


def test_a_selection_leaves_torch_its_number_of_threads():
    """Numba, asked how many threads it has, starts OpenMP with as many, and a training after that
    took 30 times its time on busy cores.
    """
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", THREADS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "1"]
