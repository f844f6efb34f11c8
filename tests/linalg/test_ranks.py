"""Which directions count? No real one is cut without a word, and no rounding counts as one."""

import numpy as np
import pytest

from core.large.dask_rows import Spread
from core.large.leverage import Streamed
from core.linalg import row_blocks
from core.linalg.whitening import (
    close_call,
    decided,
    from_passes,
    least_singular,
    precision,
    read_rank,
    whiten,
)
from core.strategies.leverage import effective_rank, leverage
from core.types import UserError


def polynomials(degree, n=400):
    return np.vander(np.linspace(0, 1, n), degree + 1, increasing=True)


def nearly_twice(noise, n=400, d=7):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    x[:, -1] = x[:, 0] + noise * rng.normal(size=n)
    return x


REAL = {
    "polynomials of degree 8": (polynomials(8), 9),
    "polynomials of degree 12": (polynomials(12), 13),
    "a column and itself with noise of 1e-6": (nearly_twice(1e-6), 7),
    "a column and itself with noise of 1e-9": (nearly_twice(1e-9), 7),
    "fewer points than dimensions": (np.ascontiguousarray(polynomials(12, 60).T), 13),
}


def close_of(found):
    return close_call(found.gap, found.condition)


@pytest.mark.parametrize("kind", REAL)
def test_directions_that_the_gram_matrix_hardly_sees_count_and_are_told(kind):
    """Scores as from Q of Householder's QR, which never squares."""
    x, rank = REAL[kind]
    found = whiten(x)
    assert found.rank == rank and close_of(found)
    scores = leverage(x)
    assert scores.sum() == pytest.approx(rank, abs=1e-5)
    if len(x) > x.shape[1]:
        q, _ = np.linalg.qr(x)
        assert np.abs(scores - (q**2).sum(axis=1)).max() < 1e-6


def test_exact_dependencies_are_no_directions_and_no_close_call():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 9)) @ rng.normal(size=(9, 30))
    for table in (x, x.astype(np.float32), np.ascontiguousarray(x.T)):
        found = whiten(table)
        assert found.rank == 9 and found.gap > 1e4 and not close_of(found)


def test_float32_knows_no_more_than_its_digits():
    """Of 13 polynomials rounding to float32 leaves those above sqrt(d) 1.2e-7, and that is told."""
    x = polynomials(12).astype(np.float32)
    values = np.linalg.svd(x / np.linalg.norm(x, axis=0).astype(np.float64), compute_uv=False)
    assert whiten(x).rank == (values > np.sqrt(13) * 1.1921e-7 * values[0]).sum() < 13
    assert close_of(whiten(x))
    assert whiten(nearly_twice(1e-6).astype(np.float32)).rank == 7


def test_what_rounding_to_float32_leaves_of_a_dependence_is_below_the_limit():
    rng = np.random.default_rng(2)
    for d in (4, 40, 300):
        x = rng.normal(size=(500, d))
        x[:, -1] = x[:, 0] + x[:, 1]
        assert whiten(x.astype(np.float32)).rank == d - 1


@pytest.mark.parametrize("size", [1e-170, 1e-100, 1e170])
def test_the_size_of_the_numbers_does_not_matter(size):
    x = np.random.default_rng(3).normal(size=(60, 7))
    expected = leverage(x)
    assert effective_rank(size * x) == 7
    assert leverage(size * x) == pytest.approx(expected, abs=1e-12)
    assert leverage(size * x, rank=3) == pytest.approx(leverage(x, rank=3), abs=1e-12)
    wide = np.ascontiguousarray(x[:5])
    assert effective_rank(size * wide) == 5
    x[:, 2] *= size  # one column beside others of size 1
    x[:, 4] = 0
    expected = leverage(np.delete(x, [2, 4], axis=1))
    assert effective_rank(x) == 6 and whiten(x).dead.nonzero()[0].tolist() == [4]
    assert (leverage(x) >= expected - 1e-12).all()


def test_a_ridge_leaves_nothing_of_numbers_far_below_it():
    x = np.random.default_rng(3).normal(size=(60, 7))
    assert leverage(1e-170 * x, ridge=1.0).max() < 1e-300
    assert leverage(1e-100 * x, ridge=2e-200) == pytest.approx(leverage(x, ridge=2.0), rel=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_numbers_at_the_end_of_float64_are_refused(size):
    with pytest.raises(UserError, match="expected 1e-290 to 1e\\+290"):
        whiten(np.array([[1.0, size], [2.0, size], [3.0, 2 * size]]))


def test_directions_below_rounding_cannot_be_counted_one_by_one():
    x = np.random.default_rng(4).normal(size=(60, 4)) * np.array([1, 1, 1e-30, 1e-60])
    assert leverage(x, rank=4) == pytest.approx(leverage(x), abs=1e-12)  # all of them
    with pytest.raises(UserError, match="Choose at most 2"):
        leverage(x, rank=3)


def test_all_passes_decide_alike():
    import dask.array

    x = polynomials(12)
    x[:, 3] *= 1e-170
    spread = Spread(dask.array.from_array(x, chunks=(150, -1)))
    for passes in (Streamed(x), spread):
        found = from_passes(passes)
        assert found.rank == 13 and found.condition == pytest.approx(whiten(x).condition, rel=1e-3)


def test_the_triangle_has_the_singular_values():
    x = polynomials(10, 10_000)  # three blocks
    wanted = np.linalg.svd(x, compute_uv=False)
    found = np.linalg.svd(row_blocks.triangle(x), compute_uv=False)
    assert np.abs(found - wanted).max() < 1e-13 * wanted[0]
    assert np.array_equal(row_blocks.largest(-x), np.abs(x).max(axis=0))


def test_the_gram_matrix_decides_where_its_error_cannot_matter():
    limit = least_singular((70_000, 784), precision(np.float32))
    assert limit == pytest.approx(28 * 1.1921e-7, rel=1e-4)
    assert decided(np.array([1.0, 5e-5, 2e-16]), limit)  # raw MNIST
    assert not decided(np.array([1.0, limit**2]), limit)
    assert not decided(np.array([1.0, 1e-17]), least_singular((400, 2), precision(np.float64)))
    assert precision(np.uint8) == precision(np.int64) == precision(np.float64) == 2.0**-52


def test_the_gap_by_hand():
    assert read_rank(np.array([4.0, 1.0, 1e-6, 1e-20]), 1e-5) == (3, pytest.approx(2.5e-7 / 2**-52))
    assert read_rank(np.array([4.0, 1.0]), 1e-5) == (2, np.inf)
    assert read_rank(np.array([16.0, 4.0, 1.0]), 1 / 4) == (2, 4.0)  # up to the limit is zero
    assert read_rank(np.zeros(2), 1e-5) == (0, np.inf)
    assert close_call(99.0, 1.0) and close_call(None, 1.1e5)
    assert not close_call(None, 9e4) and not close_call(101.0, 143.0)
