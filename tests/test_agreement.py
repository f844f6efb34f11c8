"""Agreement: the four measures against scipy and closed forms, the two yardsticks, the pictures,
and bad input.
"""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from core import agreement
from core.strategy import top_k
from core.types import UserError

CORRELATIONS = {
    "kendall": stats.kendalltau,
    "weighted_kendall": stats.weightedtau,
    "spearman": stats.spearmanr,
}
MEASURES = {
    **{name: getattr(agreement, name) for name in CORRELATIONS},
    "overlap": lambda scores: agreement.overlap(scores, 3),
}


def rankings(kind: str, seed: int) -> np.ndarray:
    """Six rankings of up to 200 points; in "mixed" some rows have ties and two share groups of
    them.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(7, 200))
    distinct, tied = (
        rng.normal(size=(6, n)),
        rng.integers(0, rng.integers(2, 9), size=(6, n)).astype(float),
    )
    tied[:, :2] = [0, 1]
    mixed = np.concatenate([distinct[:2], tied[:2], tied[:1] ** 2, np.maximum(distinct[2:3], 0)])
    mixed[5, :2] = [0, 1]
    return {"distinct": distinct, "tied": tied, "mixed": mixed}[kind]


@pytest.mark.parametrize("name", CORRELATIONS)
@pytest.mark.parametrize("kind", ["distinct", "tied", "mixed"])
@pytest.mark.parametrize("seed", range(8))
def test_equals_scipy(name, kind, seed):
    scores = rankings(kind, seed)
    ours = getattr(agreement, name)(scores)
    for a, b in itertools.combinations(range(len(scores)), 2):
        assert ours[a, b] == pytest.approx(
            CORRELATIONS[name](scores[a], scores[b]).statistic, abs=1e-12
        )


@pytest.mark.parametrize("name", CORRELATIONS)
def test_equals_scipy_on_many_points(name):
    """Past the 64 places of one word and the powers of two of the counting tree, with blocks of
    thousands of ties.
    """
    rng = np.random.default_rng(5)
    scores = np.stack(
        [
            rng.random(9001),
            rng.integers(0, 3, 9001),
            np.maximum(rng.normal(size=9001), 0),
            np.arange(9001) % 4096,
        ]
    )
    ours = getattr(agreement, name)(scores)
    theirs = [[CORRELATIONS[name](a, b).statistic for b in scores] for a in scores]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_published_values():
    """The examples in scipy's documentation of kendalltau and weightedtau."""
    scores = [[12, 2, 1, 12, 2], [1, 4, 7, 1, 0]]
    assert agreement.kendall(scores)[0, 1] == pytest.approx(-0.47140452079103173, abs=1e-15)
    assert agreement.weighted_kendall(scores)[0, 1] == pytest.approx(
        -0.56694968153682723, abs=1e-15
    )


def test_worked_by_hand():
    """Best first a: 0 1 2 3, b: 1 0 2 3: one of six pairs swapped.

    tau = 1 - 2/6. Weights 1, 1/2, 1/3, 1/4; a pair counts the sum, all pairs 3 * 25/12 = 6.25; the
    swap 1.5 under either ranking's places: 1 - 2 * 1.5 / 6.25. Spearman 1 - 6 * 2 / (4 * 15). The
    top one differs, the top two agree.
    """
    scores = np.array([[9.0, 8, 7, 6], [8.0, 9, 7, 6]])
    assert agreement.kendall(scores)[0, 1] == pytest.approx(2 / 3, abs=1e-15)
    assert agreement.weighted_kendall(scores)[0, 1] == pytest.approx(0.52, abs=1e-15)
    assert agreement.spearman(scores)[0, 1] == pytest.approx(0.8, abs=1e-15)
    assert [agreement.overlap(scores, k)[0, 1] for k in (1, 2, 3, 4)] == [0, 1, 1, 1]


@pytest.mark.parametrize("n", [2, 63, 64, 65, 128, 300])
def test_kendall_counts_inversions(n):
    scores = np.stack([np.arange(n), np.random.default_rng(n).permutation(n)])
    inversions = sum(scores[1, i] > scores[1, j] for i in range(n) for j in range(i + 1, n))
    assert agreement.kendall(scores)[0, 1] == pytest.approx(
        1 - 4 * inversions / (n * (n - 1)), abs=1e-14
    )


def test_gaussian_closed_forms():
    """tau = 2/pi asin(rho) and Spearman = 6/pi asin(rho/2) at rho = 0.5; the bands are four
    standard errors.
    """
    rng = np.random.default_rng(0)
    a, noise = rng.normal(size=(2, 200_000))
    scores = np.stack([a, 0.5 * a + np.sqrt(0.75) * noise])
    assert agreement.kendall(scores)[0, 1] == pytest.approx(1 / 3, abs=0.006)
    assert agreement.spearman(scores)[0, 1] == pytest.approx(6 / np.pi * np.arcsin(0.25), abs=0.008)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("kind", ["distinct", "tied", "mixed"])
def test_matrix_is_symmetric_with_ones_and_its_input_unchanged(name, kind):
    scores = rankings(kind, 1)
    before = scores.copy()
    matrix = MEASURES[name](scores)
    assert matrix.shape == (6, 6) and matrix.dtype == np.float64
    assert np.array_equal(matrix, matrix.T)
    assert np.array_equal(np.diag(matrix), np.ones(6))
    assert np.array_equal(scores, before)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("kind", ["distinct", "mixed"])
def test_only_the_order_counts(name, kind):
    scores = rankings(kind, 2)
    changed = np.stack(
        [np.exp(scores[0]), scores[1] * 1e-3 - 3, np.sinh(scores[2]), *scores[3:] * 1e6]
    )
    np.testing.assert_allclose(MEASURES[name](changed), MEASURES[name](scores), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_reversal_is_minus_one_and_point_order_is_nothing(name):
    scores = rankings("tied", 3)
    measure = MEASURES[name]
    shuffled = scores[:, np.random.default_rng(0).permutation(scores.shape[1])]
    np.testing.assert_allclose(measure(shuffled), measure(scores), rtol=0, atol=1e-13)
    assert measure(np.stack([scores[0], -scores[0]]))[0, 1] == pytest.approx(-1, abs=1e-15)


def test_weighted_minds_the_top_more():
    n = 100
    top, bottom = np.arange(n, 0.0, -1), np.arange(n, 0.0, -1)
    top[[0, 1]], bottom[[-2, -1]] = top[[1, 0]], bottom[[-1, -2]]
    matrix = agreement.weighted_kendall([np.arange(n, 0.0, -1), top, bottom])
    assert 1 - matrix[0, 1] > 50 * (1 - matrix[0, 2]) > 0


def test_overlap_takes_the_same_points_as_top_k():
    scores = rankings("tied", 4)
    for k in (1, 5, scores.shape[1]):
        chosen = [set(top_k(ranking, k).indices.tolist()) for ranking in scores]
        expected = [[len(a & b) / k for b in chosen] for a in chosen]
        np.testing.assert_array_equal(agreement.overlap(scores, k), expected)


def test_ties_go_to_the_earlier_point():
    assert agreement.overlap([[1.0, 1, 1, 0], [2.0, 1, 1, 1]], 2)[0, 1] == 1.0
    assert agreement.overlap([[1.0, 1, 1, 0], [0.0, 0, 1, 1]], 2)[0, 1] == 0.0


def test_rounding_noise_orders_no_tied_points():
    """The same scores but for noise of one part in 1e15."""
    rng = np.random.default_rng(0)
    exact = rng.integers(1, 5, 400) / 7
    noisy = exact * (1 + 1e-15 * rng.normal(size=(2, 400)))
    assert agreement.kendall([*noisy, exact]) == pytest.approx(np.ones((3, 3)), abs=1e-12)
    with pytest.raises(UserError, match="constant"):
        agreement.kendall([0.3 + 1e-16 * np.arange(5), np.arange(5.0)])


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[1, 2, 3, 4], [4, 3, 2, 1], [5, 5, 5, 5]], "ranking 3 is constant: it ranks nothing"),
        ([[1, 2, 3, 4], [1, np.nan, 3, 4]], "ranking 2: 1 of 4 scores are NaN or infinite"),
        ([[np.inf, 2, -np.inf, 4], [1, 2, 3, 4]], "ranking 1: 2 of 4 scores are NaN or infinite"),
        ([1, 2, 3, 4], r"shape \(4,\), expected \(m, n\)"),
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (np.zeros((0, 4)), r"shape \(0, 4\)"),
        ([[1, 2, 3, 4], [1, 2, 3]], "different lengths"),
        ([["a", "b", "c", "d"]], "expected real numbers"),
        ([[1j, 2, 3, 4]], "expected real numbers"),
        ([[7.0]], "ranking 1 is constant"),
    ],
)
def test_bad_scores_are_refused(name, scores, message):
    with pytest.raises(UserError, match=message):
        MEASURES[name](scores)


@pytest.mark.parametrize("k", [0, -1, 5, 2.0, True, None])
def test_bad_k_is_refused(k):
    with pytest.raises(UserError, match="k: found"):
        agreement.overlap([[1.0, 2, 3, 4]], k)


def test_one_ranking_agrees_with_itself():
    for measure in MEASURES.values():
        assert measure([[3.0, 1, 2, 2]]).tolist() == [[1.0]]


def test_stack_names_the_culprit():
    good = np.arange(4)
    stacked = agreement.stack([good, [1.5, 0, 0, 2]], ["raw", "relu"])
    assert stacked.dtype == np.float64 and stacked.tolist() == [[0, 1, 2, 3], [1.5, 0, 0, 2]]
    for bad, message in [
        (np.arange(5), "raw ranks 4 points, relu ranks 5. Only rankings of the same points"),
        ([1, 1, 1, 1], "relu is constant"),
        ([1, np.nan, 1, 1], "relu: 1 of 4 scores"),
        (np.ones((2, 2)), "relu: found shape"),
    ]:
        with pytest.raises(UserError, match=message):
            agreement.stack([good, bad], ["raw", "relu"])
    with pytest.raises(UserError, match="1 rankings and 2 names"):
        agreement.stack([good], ["raw", "relu"])
    with pytest.raises(UserError, match="at least one"):
        agreement.stack([], [])


def test_percentiles():
    assert agreement.percentiles([10.0, 30, 20]).tolist() == [0, 1, 0.5]
    assert agreement.percentiles([1.0, 2, 2, 9]).tolist() == [0, 0.5, 0.5, 1]
    assert agreement.percentiles([4.0, 4, 4]).tolist() == [0.5] * 3 and agreement.percentiles(
        [4.0]
    ).tolist() == [0.5]
    tied = rankings("tied", 6)[0]
    expected = (stats.rankdata(tied) - 1) / (len(tied) - 1)
    np.testing.assert_allclose(agreement.percentiles(tied), expected, rtol=0, atol=1e-15)
    for bad in ([1.0, np.nan], [], [[1.0, 2]], ["a"]):
        with pytest.raises(UserError):
            agreement.percentiles(bad)


def test_disagreement_finds_the_points_that_part():
    a, b = np.arange(100.0), np.arange(100.0)
    b[[3, 97]] = b[[97, 3]]
    b[[20, 60]] = b[[60, 20]]
    by_a, by_b = agreement.disagreement(a, 7 * b - 2, 2)
    assert by_a.tolist() == [97, 60] and by_b.tolist() == [3, 20]
    by_a, by_b = agreement.disagreement(a, b, 50)
    assert by_a.tolist() == [97, 60] and by_b.tolist() == [
        3,
        20,
    ], "points ranked alike are no disagreement"
    assert [len(part) for part in agreement.disagreement(a, a, 5)] == [0, 0]
    with pytest.raises(UserError, match="the second ranking ranks 99"):
        agreement.disagreement(a, b[1:], 2)
    with pytest.raises(UserError, match="k: found 101"):
        agreement.disagreement(a, b, 101)


def test_disagreement_takes_equal_leads_in_the_order_of_the_points():
    falling = np.arange(200.0, 0, -1)
    by_a, by_b = agreement.disagreement(falling.reshape(-1, 2)[:, ::-1].ravel(), falling, 50)
    assert by_a.tolist() == list(range(1, 100, 2)) and by_b.tolist() == list(range(0, 100, 2))


def test_rank_density():
    scores = np.random.default_rng(0).normal(size=(2, 1000))
    counts = agreement.rank_density(*scores)
    assert counts.shape == (50, 50) and counts.sum() == 1000 and counts.dtype == np.int64
    assert (counts.sum(axis=0) == 20).all() and (counts.sum(axis=1) == 20).all()
    assert np.array_equal(
        agreement.rank_density(scores[0], np.exp(scores[0]), bins=10), 100 * np.eye(10)
    )
    assert np.array_equal(
        agreement.rank_density(scores[0], -scores[0], bins=10), 100 * np.eye(10)[::-1]
    )
    assert np.argwhere(agreement.rank_density([1, 2, 3, 4], [2, 3, 1, 4], bins=4)).tolist() == [
        [0, 1],
        [1, 2],
        [2, 0],
        [3, 3],
    ]
    assert np.diag(agreement.rank_density(np.arange(10), np.arange(10), bins=4)).tolist() == [
        2,
        3,
        2,
        3,
    ]
    assert agreement.rank_density([0.0, 1, 1, 1, 2], [0.0, 1, 2, 3, 4], bins=5)[2].tolist() == [
        0,
        1,
        1,
        1,
        0,
    ], "ties lie together"
    for bins in (0, 2.5, True):
        with pytest.raises(UserError, match="Bins"):
            agreement.rank_density(*scores, bins=bins)


def random_pairs(measure, n: int, draws: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    scores = np.stack([rng.permutation(n) for _ in range(draws + 1)]).astype(float)
    return measure(scores)[0, 1:]


@pytest.mark.parametrize("name", ["kendall", "spearman"])
def test_null_covers_95_percent_of_random_pairs(name):
    null = agreement.permutation_null(60, name)
    values = random_pairs(MEASURES[name], 60, 2000)
    assert null.mean == 0 and null.low == -null.high
    assert values.mean() == pytest.approx(0, abs=4 * values.std() / np.sqrt(2000))
    assert null.high / 1.959964 == pytest.approx(values.std(), rel=0.07)
    assert ((null.low < values) & (values < null.high)).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("name", ["kendall", "spearman"])
def test_null_variance_is_exact(name):
    """Over all 120 permutations of five points: 2(2n+5)/(9n(n-1)) = 1/6 and 1/(n-1) = 1/4."""
    values = MEASURES[name](np.array(list(itertools.permutations(range(5))), float))[0]
    assert values.var() == pytest.approx({"kendall": 1 / 6, "spearman": 1 / 4}[name], abs=1e-12)
    level = 0.5
    assert agreement.permutation_null(5, name, level=level).high == pytest.approx(
        stats.norm.ppf(0.75) * values.std(), abs=1e-9
    )


def test_weighted_null():
    """The mean is exactly zero over all permutations; the simulated bounds hold for other draws."""
    values = agreement.weighted_kendall(np.array(list(itertools.permutations(range(5))), float))[0]
    assert values.mean() == pytest.approx(0, abs=1e-14)
    null = agreement.permutation_null(300, "weighted_kendall", draws=1000)
    fresh = random_pairs(agreement.weighted_kendall, 300, 1500)
    assert null.mean == 0
    assert ((null.low <= fresh) & (fresh <= null.high)).mean() == pytest.approx(0.95, abs=0.03)
    assert null == agreement.permutation_null(300, "weighted_kendall", draws=1000)
    assert null != agreement.permutation_null(300, "weighted_kendall", draws=1000, seed=1)


@pytest.mark.parametrize(("n", "k"), [(10, 3), (10, 8), (7, 7), (70_000, 1000), (500, 1)])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_overlap_null_is_hypergeometric(n, k, level):
    law = stats.hypergeom(n, k, k)
    null = agreement.permutation_null(n, "overlap", k=k, level=level)
    assert null.mean == pytest.approx(k / n, abs=1e-15)
    assert [null.low * k, null.high * k] == pytest.approx(
        law.ppf([(1 - level) / 2, (1 + level) / 2]).tolist()
    )


def test_overlap_null_against_simulation():
    null = agreement.permutation_null(200, "overlap", k=20)
    values = random_pairs(lambda scores: agreement.overlap(scores, 20), 200, 2000)
    assert values.mean() == pytest.approx(null.mean, abs=4 * values.std() / np.sqrt(2000))
    assert ((null.low <= values) & (values <= null.high)).mean() >= 0.94


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, "pearson"), "Measure: found 'pearson', expected one of kendall"),
        ((1, "kendall"), "at least 2 points"),
        ((10, "overlap"), "k: found None"),
        ((10, "overlap", 11), "k: found 11"),
        ((10, "weighted_kendall", None, 0), "1 draw"),
        ((10, "spearman", None, 200, 0, 1.0), "Level: found 1.0"),
    ],
)
def test_bad_null_is_refused(arguments, message):
    n, measure, *rest = arguments
    with pytest.raises(UserError, match=message):
        agreement.permutation_null(
            n, measure, **dict(zip(("k", "draws", "seed", "level"), rest, strict=False))
        )


def test_ceiling():
    matrix = np.eye(6)
    for (a, b), value in {(0, 2): 0.4, (0, 5): 0.5, (2, 5): 0.9, (1, 3): 0.7}.items():
        matrix[a, b] = matrix[b, a] = value
    found = agreement.ceiling(matrix, ["cnn", "relu", "cnn", "relu", "raw", "cnn"], level=0.5)
    assert list(found) == ["cnn", "relu", "raw"]
    assert (found["cnn"].mean, found["cnn"].low, found["cnn"].high) == pytest.approx(
        (0.6, 0.45, 0.7)
    )
    assert (found["relu"].mean, found["relu"].low, found["relu"].high) == pytest.approx(
        (0.7, 0.7, 0.7)
    )
    assert found["raw"] is None
    for bad, groups, message in [
        (np.eye(3), ["a", "b"], r"shape \(3, 3\) and 2 groups"),
        (np.full((2, 2), np.nan), ["a", "a"], "NaN"),
    ]:
        with pytest.raises(UserError, match=message):
            agreement.ceiling(bad, groups)


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_web_process_stays_light():
    code = """
import sys
from core import agreement
agreement.rank_density(range(9), range(9)); agreement.percentiles(range(9))
agreement.disagreement(range(9), range(9), 2)
agreement.overlap([range(9)], 2); agreement.permutation_null(9, "overlap", k=2)
agreement.permutation_null(9, "kendall")
print([name for name in ("numba", "torch", "umap", "scipy", "streamlit") if name in sys.modules])
"""
    assert run_python(code) == "[]"


KENDALL = "from core import agreement; print(agreement.kendall([[1, 2, 3], [1, 3, 2]])[0, 1])"


def test_no_folder_for_compiled_code_is_no_obstacle():
    found = run_python(
        KENDALL,
        NUMBA_CACHE_LOCATOR_CLASSES="UserProvidedCacheLocator",
        NUMBA_CACHE_DIR=os.devnull + "/none",
    )
    assert float(found) == pytest.approx(1 / 3)


def test_a_full_disk_is_no_obstacle(tmp_path):
    full = """
import errno
from numba.core import caching
def save(self, key, data): print("tried"); raise OSError(errno.ENOSPC, "full")
caching.IndexDataCacheFile.save = save
"""
    tried, found = run_python(full + KENDALL, NUMBA_CACHE_DIR=str(tmp_path)).split()
    assert tried == "tried" and float(found) == pytest.approx(1 / 3)
