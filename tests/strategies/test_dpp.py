"""Is the k-DPP exact, also beyond the rank, and is the log-det batch what determinants say?"""

import itertools

import numpy as np
import pytest
from scipy import stats

from core.strategies import dpp as module
from core.strategies.dpp import k_dpp, log_det, log_elementary
from core.strategies.leverage import leverage
from core.types import UserError
from tests.strategies.test_badge import explicit, problem

N = 7


def exact_chances(kernel, k):
    """P(S) of every set of k points, by its determinant."""
    sets = list(itertools.combinations(range(len(kernel)), k))
    weights = np.array([max(np.linalg.det(kernel[np.ix_(s, s)]), 0.0) for s in sets])
    return dict(zip(sets, weights / weights.sum(), strict=True))


def counted(draw, draws, seed=0):
    rng, counts = np.random.default_rng(seed), {}
    for _ in range(draws):
        found = tuple(sorted(draw(rng)))
        counts[found] = counts.get(found, 0) + 1
    return counts


def agrees(counts, chances):
    """p-value of the counts under these chances; no set of chance 0 may have been drawn."""
    possible = [s for s, chance in chances.items() if chance > 1e-12]
    assert set(counts) <= set(possible)
    observed, expected = (
        np.array([counts.get(s, 0) for s in possible]),
        np.array([chances[s] for s in possible]),
    )
    return stats.chisquare(observed, expected / expected.sum() * observed.sum()).pvalue


# ---- elementary symmetric polynomials ----


def test_elementary_symmetric_polynomials_by_hand_and_by_sums():
    assert np.exp(log_elementary(np.log([2.0, 3.0, 5.0]), 3)[-1]) == pytest.approx(
        [1, 10, 31, 30], rel=1e-14
    )
    values = np.random.default_rng(0).random(9)
    table = np.exp(log_elementary(np.log(values), 4))
    for j, k in itertools.product(range(10), range(5)):
        assert table[j, k] == pytest.approx(
            sum(np.prod(s) for s in itertools.combinations(values[:j], k)), rel=1e-12
        )


def test_they_do_not_overflow():
    values = np.logspace(-8, 8, 2000)
    table = log_elementary(np.log(values), 1000)
    assert np.isfinite(table[-1]).all() and table[-1, 1000] > 710  # beyond what a float64 can hold


# ---- k-DPP ----


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("space", ["gradients", "embedding"])
def test_sets_are_drawn_by_their_determinants(k, space):
    h, probs = problem(n=N, d=3, seed=1)
    x = explicit(h, probs) if space == "gradients" else h
    counts = counted(lambda rng: k_dpp(h, probs, k=k, rng=rng, space=space)[0], 3000)
    assert agrees(counts, exact_chances(x @ x.T, k)) > 1e-3


def test_the_dual_and_the_plain_kernel_draw_alike(monkeypatch):
    h, _ = problem(n=N, d=3, seed=2)
    chances = exact_chances(h @ h.T, 2)
    assert (
        h.shape[1] < N
    )  # dual; the same points with columns of zeros appended go through the (n, n) kernel
    wide = np.hstack([h, np.zeros((N, 5))])
    for x in (h, wide):
        assert agrees(counted(lambda rng, x=x: k_dpp(x, k=2, rng=rng)[0], 3000), chances) > 1e-3


@pytest.mark.parametrize("k", [2, 3])
def test_inclusion_probabilities_follow_from_the_eigenvectors_exactly(k):
    """sum over kept directions J of P(J) times the diagonal of J's projection = the enumerated
    inclusion probabilities, to 1e-12.
    """
    h, _ = problem(n=9, d=4, seed=3)
    chances = exact_chances(h @ h.T, k)
    enumerated = [sum(chance for s, chance in chances.items() if i in s) for i in range(9)]
    values, frame = module._directions(module.gradients(h, None, exact=True))
    normaliser = np.exp(log_elementary(np.log(values), k)[-1, k])
    ours = sum(
        np.prod(values[list(j)]) / normaliser * frame(np.array(j)).lengths
        for j in itertools.combinations(range(4), k)
    )
    assert ours == pytest.approx(enumerated, abs=1e-12)
    assert ours.sum() == pytest.approx(k, abs=1e-12)


def test_directions_are_drawn_by_the_products_of_their_eigenvalues():
    values = np.array([0.1, 1.0, 2.0, 7.0])
    counts = counted(lambda rng: module._draw_directions(np.log(values), 2, rng).tolist(), 3000)
    assert agrees(counts, exact_chances(np.diag(values), 2)) > 1e-3


def test_k_equal_to_the_rank_includes_points_by_their_leverage():
    h, _ = problem(n=9, d=3, seed=4)
    drawn = np.concatenate(
        [k_dpp(h, k=3, rng=np.random.default_rng(seed))[0] for seed in range(2000)]
    )
    share, expected = np.bincount(drawn, minlength=9) / 2000, leverage(h)
    assert np.abs(share - expected).max() < 4 * np.sqrt(0.25 / 2000)
    chances = exact_chances(h @ h.T, 3)
    assert [sum(c for s, c in chances.items() if i in s) for i in range(9)] == pytest.approx(
        expected, abs=1e-12
    )


def test_beyond_the_rank_it_is_volume_sampling():
    h, _ = problem(n=N, d=2, seed=5)
    sets = list(itertools.combinations(range(N), 4))
    volumes = np.array([np.linalg.det(h[list(s)].T @ h[list(s)]) for s in sets])
    counts = counted(lambda rng: k_dpp(h, k=4, rng=rng)[0], 3000)
    assert agrees(counts, dict(zip(sets, volumes / volumes.sum(), strict=True))) > 1e-3
    tempered = exact_chances(h @ h.T + 1e-7 * np.eye(N), 4)
    assert [tempered[s] for s in sets] == pytest.approx(volumes / volumes.sum(), abs=1e-5)


def test_copies_are_not_drawn_together():
    h, _ = problem(n=400, d=6, seed=6, dtype=np.float32)
    h[40:] = h[7]
    for seed in range(30):
        indices, gains = k_dpp(h, k=6, rng=np.random.default_rng(seed))
        assert (
            ((indices >= 40) | (indices == 7)).sum() <= 1
            and (gains > 0).all()
            and (gains <= 1).all()
        )


def test_labeled_points_are_left_out_of_the_kernel():
    h, _ = problem(n=N, d=3, seed=7)
    labeled = np.arange(N) < 2
    counts = counted(lambda rng: (k_dpp(h, None, labeled, k=2, rng=rng)[0] - 2).tolist(), 3000)
    assert agrees(counts, exact_chances(h[2:] @ h[2:].T, 2)) > 1e-3


def test_a_thousand_points_without_overflow():
    rng = np.random.default_rng(8)
    h = rng.normal(size=(1200, 1010)) * np.logspace(-2, 2, 1010)
    indices, gains = k_dpp(h, k=1000, rng=rng)
    assert len(set(indices)) == 1000 and np.isfinite(gains).all() and gains.min() > 0
    assert np.linalg.matrix_rank(h[indices]) == 1000


def test_what_is_too_large_for_an_exact_draw_is_refused(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 5)
    with pytest.raises(UserError, match="7 points of 9 numbers each; it needs at most 5"):
        k_dpp(*problem(n=N, d=3), k=2, rng=np.random.default_rng(0))
    assert len(k_dpp(problem(n=N, d=3)[0], k=2, rng=np.random.default_rng(0))[0]) == 2


# ---- log-det ----


def blocks_of(h, probs, kind):
    """(n, D, m): each point's block of vectors, written out."""
    if kind == "embedding":
        return h[:, :, None]
    if kind == "gradients":
        return explicit(h, probs)[:, :, None]
    roots = [np.linalg.eigh(np.diag(p) - np.outer(p, p)) for p in probs]
    return np.stack(
        [
            np.kron((v * np.sqrt(np.maximum(w, 0))), x[:, None])
            for (w, v), x in zip(roots, h, strict=True)
        ]
    )


def slow_log_det(v, k, ridge, labeled):
    """The definition: at every pick the determinant with every candidate added."""
    matrix = ridge * np.eye(v.shape[1]) + sum(v[i] @ v[i].T for i in labeled)
    picks, gains, taken = [], [], set(labeled)
    for _ in range(k):
        base = np.linalg.slogdet(matrix)[1]
        added = [
            -np.inf if i in taken else np.linalg.slogdet(matrix + v[i] @ v[i].T)[1] - base
            for i in range(len(v))
        ]
        i = int(np.argmax(added))
        picks, gains, matrix = [*picks, i], [*gains, added[i]], matrix + v[i] @ v[i].T
        taken.add(i)
    return picks, gains


KINDS = {"embedding": {"space": "embedding"}, "gradients": {}, "all labels": {"all_labels": True}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ridge", [1.0, 1e-3])
@pytest.mark.parametrize(
    "labeled", [(), (2, 9), range(20)], ids=["none", "two", "more than the dimensions"]
)
def test_picks_and_gains_are_those_of_determinants(kind, ridge, labeled):
    h, probs = problem(n=40, d=4, seed=9)
    mask = np.isin(np.arange(40), labeled)
    indices, gains = log_det(h, probs, mask, k=15, ridge=ridge, **KINDS[kind])
    picks, expected = slow_log_det(blocks_of(h, probs, kind), 15, ridge, labeled)
    assert indices.tolist() == picks
    assert gains == pytest.approx(np.array(expected), abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gains_never_increase_and_telescope(kind):
    h, probs = problem(n=60, d=5, seed=10)
    indices, gains = log_det(h, probs, k=60, ridge=0.5, **KINDS[kind])
    v = blocks_of(h, probs, kind)
    whole = 0.5 * np.eye(v.shape[1]) + sum(b @ b.T for b in v)
    assert sorted(indices) == list(range(60)) and (np.diff(gains) <= 1e-12).all()
    assert gains.sum() == pytest.approx(
        np.linalg.slogdet(whole)[1] - v.shape[1] * np.log(0.5), abs=1e-10
    )


def test_without_probabilities_the_embedding_is_used():
    h, probs = problem(n=30)
    assert np.array_equal(log_det(h, k=9)[0], log_det(h, probs, k=9, space="embedding")[0])
    assert not np.array_equal(log_det(h, k=9)[0], log_det(h, probs, k=9)[0])


def test_in_blocks_equals_at_once(monkeypatch):
    h, probs = problem(n=50, d=5)
    labeled = np.arange(50) < 20
    expected = log_det(h, probs, labeled, k=12, all_labels=True)
    monkeypatch.setattr("core.linalg.log_determinant.BLOCK", 40)
    monkeypatch.setattr("core.linalg.outer_products.BLOCK", 40)
    found = log_det(h, probs, labeled, k=12, all_labels=True)
    assert np.array_equal(found[0], expected[0]) and found[1] == pytest.approx(
        expected[1], abs=1e-12
    )


@pytest.mark.parametrize("kind", KINDS)
def test_certain_points_add_nothing_but_their_place_in_the_batch(kind):
    h, probs = problem(n=20)
    probs[5:] = np.eye(3)[1]
    indices, gains = log_det(h, probs, k=20, **KINDS[kind])
    assert sorted(indices) == list(range(20)) and np.isfinite(gains).all()
    if kind != "embedding":
        assert (
            sorted(indices[:5]) == list(range(5))
            and indices[5:].tolist() == list(range(5, 20))
            and not gains[5:].any()
        )


def test_bad_input_is_refused():
    h, probs = problem()
    for ridge in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(UserError, match="Ridge"):
            log_det(h, probs, k=2, ridge=ridge)
    with pytest.raises(UserError, match="All labels"):
        log_det(h, k=2, all_labels=True)
    with pytest.raises(UserError, match="All labels"):
        log_det(h, probs, k=2, all_labels=True, space="embedding")
    with pytest.raises(UserError, match="Vectors: found 'pixels'"):
        k_dpp(h, k=2, rng=np.random.default_rng(0), space="pixels")
    with pytest.raises(UserError, match="below 4e-12"):
        log_det(2 * np.eye(3), k=2, ridge=1e-12)
    with pytest.raises(UserError, match="softmax"):
        log_det(h, probs * 3, k=2, space="gradients")
