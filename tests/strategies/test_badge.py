"""Does BADGE draw by squared gradient distance, and is the factored algebra the gradients' own?"""

import numpy as np
import pytest
from scipy import stats

from core.linalg.outer_products import Outer, gradients
from core.linalg.weighted_draws import by_weight
from core.strategies.badge import badge
from core.types import UserError

N, D, C = 14, 4, 3


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def problem(n=N, d=D, c=C, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(n, d)).astype(dtype)
    return h, softmax(rng.normal(size=(n, c)))


def explicit(h, probs):
    """The gradients as rows (n, c d), each label's one-hot vector being that of the predicted
    class.
    """
    return (
        (probs - np.eye(probs.shape[1])[probs.argmax(axis=1)])[:, :, None]
        * h[:, None, :].astype(np.float64)
    ).reshape(len(h), -1)


def distances(g):
    return ((g[:, None] - g[None]) ** 2).sum(axis=2)


# ---- the algebra ----


def test_factored_products_are_the_explicit_ones():
    h, probs = problem()
    x, g = gradients(h, probs, exact=True), explicit(h, probs)
    direction = np.random.default_rng(1).normal(size=(C, D))
    assert x.squares == pytest.approx((g**2).sum(axis=1), abs=1e-12)
    assert x.dot(3) == pytest.approx(g @ g[3], abs=1e-12)
    assert x.along(direction) == pytest.approx(g @ direction.ravel(), abs=1e-12)
    assert x.gram() == pytest.approx(g @ g.T, abs=1e-12)
    assert x.dual() == pytest.approx(g.T @ g, abs=1e-12)
    assert np.vstack(list(x.written_out())) == pytest.approx(g, abs=1e-12)
    assert x.direct_distances(np.arange(N), 3) == pytest.approx(distances(g)[3], abs=1e-12)
    assert x[5].ravel() == pytest.approx(g[5], abs=1e-12)


def test_without_probabilities_the_rows_are_the_embedding():
    h, _ = problem()
    assert np.vstack(list(gradients(h, None, exact=True).written_out())) == pytest.approx(h, abs=0)


def test_direct_distances_keep_their_digits_for_near_copies():
    rng = np.random.default_rng(2)
    left, right = (
        np.repeat(rng.normal(size=(1, C)), 3, axis=0),
        np.repeat(rng.normal(size=(1, D)), 3, axis=0),
    )
    left[1], right[2] = left[0] + 1e-9, right[0] + 1e-9
    step, move = left[1] - left[0], right[2] - right[0]
    expected = [0, (step @ step) * (right[0] @ right[0]), (move @ move) * (left[0] @ left[0])]
    assert Outer(left, right).direct_distances(np.arange(3), 0) == pytest.approx(
        expected, rel=1e-12, abs=0
    )


def test_proposition_1_the_predicted_label_has_the_shortest_gradient():
    h, probs = problem(n=200, c=5)
    squares = {
        y: (((probs - np.eye(5)[y])[:, :, None] * h[:, None, :]) ** 2).sum(axis=(1, 2))
        for y in range(5)
    }
    for y in range(5):
        assert squares[y] == pytest.approx(
            ((probs**2).sum(axis=1) + 1 - 2 * probs[:, y]) * (h**2).sum(axis=1), abs=1e-12
        )
    shortest = gradients(h, probs, exact=True).squares
    assert shortest == pytest.approx(np.min(list(squares.values()), axis=0), abs=1e-12)
    assert np.array_equal(np.argmin(list(squares.values()), axis=0), probs.argmax(axis=1))


# ---- the draw ----


def second_picks(first, draws, seed=3, dtype=np.float64):
    h, probs = problem(dtype=dtype)
    rng = np.random.default_rng(seed)
    return np.array([badge(h, probs, k=2, rng=rng, first=first)[0] for _ in range(draws)])


@pytest.mark.parametrize(("dtype", "draws"), [(np.float64, 8_000), (np.float32, 4000)])
def test_the_second_pick_follows_squared_distance(dtype, draws):
    picks = second_picks("norm", draws, dtype=dtype)
    g = explicit(*problem(dtype=dtype))
    start = (g**2).sum(axis=1).argmax()
    assert (picks[:, 0] == start).all()
    counts = np.bincount(picks[:, 1], minlength=N)
    others = np.arange(N) != start
    assert counts[start] == 0
    squared = distances(g)[start]
    assert fit(counts, squared, others) > 1e-3
    assert fit(counts, np.sqrt(squared), others) < 1e-6  # distance instead of its square
    assert (
        fit(counts, np.minimum(squared, (g**2).sum(axis=1)), others) < 1e-6
    )  # the origin as another centre


def fit(counts, weights, where):
    expected = weights[where] / weights[where].sum() * counts.sum()
    return stats.chisquare(counts[where], expected).pvalue


def test_the_third_pick_follows_the_distance_to_the_nearer_of_two():
    h, probs = problem()
    rng, g = np.random.default_rng(4), explicit(*problem())
    picks = np.array([badge(h, probs, k=3, rng=rng)[0] for _ in range(6000)])
    second = np.bincount(picks[:, 1]).argmax()
    here = picks[picks[:, 1] == second]
    squared = distances(g)[[here[0, 0], second]].min(axis=0)
    counts = np.bincount(here[:, 2], minlength=N)
    assert fit(counts, squared, squared > 0) > 1e-3 and counts[squared == 0].sum() == 0


def test_a_uniform_first_pick_is_uniform():
    picks = second_picks("uniform", 4000)
    assert stats.chisquare(np.bincount(picks[:, 0], minlength=N)).pvalue > 1e-3


def test_gains_are_squared_distances_to_the_picks_before():
    h, probs = problem(n=60)
    g = explicit(h, probs)
    indices, gains = badge(h, probs, k=20, rng=np.random.default_rng(5))
    assert gains[0] == pytest.approx((g[indices[0]] ** 2).sum(), rel=1e-12)
    for j in range(1, 20):
        assert gains[j] == pytest.approx(distances(g)[indices[j], indices[:j]].min(), rel=1e-9)


def test_labeled_points_are_no_centres():
    h, probs = problem()
    labeled = np.arange(N) == 0
    h[1], probs[1] = h[0], probs[0]  # a copy of a labeled point is as good as any other
    rng = np.random.default_rng(6)
    picks = np.concatenate([badge(h, probs, labeled, k=4, rng=rng)[0] for _ in range(300)])
    assert 0 not in picks and 1 in picks


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_copies_are_drawn_only_when_nothing_else_is_left(dtype):
    h, probs = problem(n=400, d=30, dtype=dtype)
    h[40:], probs[40:] = h[7], probs[7]  # 90 per cent of the rows are one point
    h += dtype(50)  # far from the origin, where rounding would keep copies apart
    for seed in range(30):
        indices, gains = badge(h, probs, k=60, rng=np.random.default_rng(seed))
        copies = (indices >= 40) | (indices == 7)
        assert copies[:40].sum() == 1 and copies[40:].all() and len(set(indices)) == 60
        assert (gains[:40] > 0).all() and (gains[40:] == 0).all()


def test_among_copies_every_point_is_equally_probable():
    h, probs = np.ones((6, 2)), np.full((6, 2), 0.5)
    rng = np.random.default_rng(7)
    second = [badge(h, probs, k=2, rng=rng)[0][1] for _ in range(2000)]
    assert stats.chisquare(np.bincount(second, minlength=6)[1:]).pvalue > 1e-3


def test_points_without_doubt_are_drawn_last():
    h, probs = problem(n=30)
    probs[10:] = np.eye(C)[1]
    indices, gains = badge(h, probs, k=30, rng=np.random.default_rng(8))
    # The first of them lies at the origin of the gradients, as far from the others as these are
    # long; the rest are its copies.
    assert (
        (indices[11:] >= 10).all()
        and (gains[11:] == 0).all()
        and sorted(indices) == list(range(30))
    )


def test_dead_columns_classes_and_scale_change_nothing():
    h, probs = problem(n=50)
    expected = badge(h, probs, k=25, rng=np.random.default_rng(9))[0]
    wider, more = np.hstack([h, np.zeros((50, 3))]), np.hstack([probs, np.zeros((50, 2))])
    assert np.array_equal(badge(wider, more, k=25, rng=np.random.default_rng(9))[0], expected)
    for scale in (2.0**-60, 2.0**60):
        single = (h * scale).astype(np.float32)
        same = badge(
            h.astype(np.float32).astype(np.float64), probs, k=25, rng=np.random.default_rng(9)
        )[0]
        assert np.array_equal(badge(single, probs, k=25, rng=np.random.default_rng(9))[0], same)


def test_single_precision_picks_what_double_precision_does():
    h, probs = problem(n=500, d=40, c=6, dtype=np.float32)
    single = badge(h, probs, k=60, rng=np.random.default_rng(10))
    double = badge(h.astype(np.float64), probs, k=60, rng=np.random.default_rng(10))
    assert np.array_equal(single[0], double[0]) and single[1] == pytest.approx(double[1], rel=1e-4)


def test_a_batch_of_ten_thousand():
    h, probs = problem(n=12_000, d=2, dtype=np.float32)
    indices, gains = badge(h, probs, k=10_000, rng=np.random.default_rng(11))
    assert len(set(indices)) == 10_000 and (gains >= 0).all() and np.isfinite(gains).all()


def test_bad_input_is_refused():
    h, probs = problem()
    with pytest.raises(UserError, match="softmax"):
        badge(h, probs * 2, k=1, rng=np.random.default_rng(0))
    with pytest.raises(UserError, match="13 rows, the embedding 14"):
        badge(h, probs[1:], k=1, rng=np.random.default_rng(0))
    with pytest.raises(UserError, match="First pick: found 'longest'"):
        badge(h, probs, k=1, rng=np.random.default_rng(0), first="longest")
    with pytest.raises(UserError, match="NaN"):
        badge(h * np.nan, probs, k=1, rng=np.random.default_rng(0))


def test_draws_from_many_points_reach_the_right_one():
    weights = np.random.default_rng(12).random(1000) * (np.arange(1000) % 3 > 0)
    ends = np.cumsum(weights) / weights.sum()
    for i in np.flatnonzero(weights):
        assert by_weight(weights, ends[i] - 0.5 * weights[i] / weights.sum()) == i
    assert by_weight(weights > 0, 0.5) == 500 and by_weight(weights, np.nextafter(1, 0)) == 998


def test_weights_of_zero_are_never_drawn():
    weights = np.array([0.0, 1.0, 0.0, 3.0, 0.0])
    assert [by_weight(weights, u) for u in (0.0, 0.2499, 0.25, 0.9999, np.nextafter(1, 0))] == [
        1,
        1,
        3,
        3,
        3,
    ]
    assert by_weight(np.array([0.1] * 3 + [0.0]), np.nextafter(1, 0)) == 2
