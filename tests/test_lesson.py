"""Labels on a line: are the polynomials, their leverage and the designs what their formulas say,
and does the lesson's example show what the lesson says?
"""

import numpy as np
import pytest
from numpy.polynomial import legendre

from core import lesson
from core.types import UserError

NODES, WEIGHTS = legendre.leggauss(20)  # exact for polynomials up to degree 39
DEGREES = range(lesson.MOST_DEGREE + 1)


def start(design: str, count: int, degree: int, curve: str) -> lesson.CurveError:
    return lesson.curve_error(lesson.fitted_design(design, count, degree, curve), curve)


# ---- the polynomials and their leverage ----


def test_the_features_are_orthonormal_and_are_legendre_s_polynomials():
    x = np.linspace(-1, 1, 7)
    for degree in DEGREES:
        rows = lesson.legendre_features(NODES, degree)
        assert rows.T @ (WEIGHTS[:, None] * rows) == pytest.approx(np.eye(degree + 1), abs=1e-12)
        expected = legendre.legvander(x, degree) * np.sqrt(np.arange(degree + 1) + 0.5)
        assert lesson.legendre_features(x, degree) == pytest.approx(expected, abs=1e-13)


def test_the_density_by_hand():
    """Degree 1: 1/2 + 3/2 x^2. Degree 2 adds 5/2 (3/2 x^2 - 1/2)^2."""
    x = np.array([-1.0, 0.0, 0.5])
    assert lesson.leverage_density(x, 1) == pytest.approx([2, 0.5, 0.875])
    assert lesson.leverage_density(x, 2) == pytest.approx([4.5, 1.125, 0.875 + 2.5 * 0.125**2])


@pytest.mark.parametrize("degree", DEGREES)
def test_the_density_integrates_to_the_number_of_coefficients_and_is_highest_at_the_ends(degree):
    density = lesson.leverage_density(lesson.GRID, degree)
    assert WEIGHTS @ lesson.leverage_density(NODES, degree) == pytest.approx(degree + 1)
    assert density[[0, -1]] == pytest.approx((degree + 1) ** 2 / 2)
    assert density.max() <= density[0] + 1e-12 and density.min() >= (degree + 1) / 4 - 1e-12


def test_the_density_nears_its_limit_inside(monkeypatch):
    monkeypatch.setattr(lesson, "MOST_DEGREE", 400)
    x = np.linspace(-0.9, 0.9, 37)
    off = [
        lesson.leverage_density(x, d) * np.pi * np.sqrt(1 - x * x) / (d + 1) - 1
        for d in (8, 60, 400)
    ]
    assert np.abs(off[0]).max() < 0.2 and np.abs(off[1]).max() < 0.04
    assert np.abs(off[2]).max() < 0.01


@pytest.mark.parametrize("degree", DEGREES)
def test_shares_of_the_leverage_are_its_integral_and_quantiles_undo_them(degree):
    for x in (-1.0, -0.83, 0.0, 0.4, 1.0):
        half = (x + 1) / 2
        nodes = -1 + half * (NODES + 1)
        integral = half * WEIGHTS @ lesson.leverage_density(nodes, degree) / (degree + 1)
        assert lesson.leverage_share(np.array([x]), degree) == pytest.approx([integral], abs=1e-13)
    shares = np.linspace(0, 1, 21)
    back = lesson.leverage_share(lesson.leverage_quantiles(shares, degree), degree)
    assert back == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize("bad", [[1.1], [np.nan], [], [[0.0]]])
def test_places_off_the_line_are_refused(bad):
    with pytest.raises(UserError, match="places"):
        lesson.legendre_features(np.array(bad), 3)


# ---- the designs ----


def test_equally_spaced_places_hold_the_ends():
    assert lesson.label_places("equal", 5, 3).tolist() == [-1, -0.5, 0, 0.5, 1]
    assert lesson.label_places("equal", 1, 3).tolist() == [0]


def test_each_place_by_leverage_has_the_same_share_around_it():
    x = lesson.label_places("leverage", 10, 8)
    assert lesson.leverage_share(x, 8) == pytest.approx(np.arange(0.05, 1, 0.1), abs=1e-12)
    assert x == pytest.approx(-x[::-1], abs=1e-12), "the line has no preferred side"
    chebyshev = -np.cos(np.pi * (np.arange(10) + 0.5) / 10)
    assert np.abs(x - chebyshev).max() < 0.01, "which is nearly where Chebyshev's nodes are"


def test_draws_are_even_and_follow_the_density():
    many = np.concatenate([lesson.even_draws(seed, 20) for seed in range(1, 501)])
    assert ((many >= 0) & (many < 1)).all() and len(set(many)) > 9_990
    assert np.abs(np.sort(many) - np.linspace(0, 1, len(many))).max() < 0.02, "Kolmogorov, 5%: .014"
    assert np.abs(np.corrcoef(many[:-1], many[1:])[0, 1]) < 0.03
    x = np.concatenate([lesson.label_places("leverage", 20, 8, seed) for seed in range(1, 501)])
    outer = 1 - 2 * lesson.leverage_share(np.array([-0.8]), 8)[0]
    assert (np.abs(x) < 0.8).mean() == pytest.approx(outer, abs=0.02)
    x = np.concatenate([lesson.label_places("random", 20, 8, seed) for seed in range(1, 501)])
    assert (np.abs(x) < 0.8).mean() == pytest.approx(0.8, abs=0.02)


def test_a_draw_is_the_same_again_and_another_one_differs():
    draws = [lesson.label_places("random", 10, 8, seed) for seed in (4, 4, 5)]
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])
    assert (np.diff(draws[0]) >= 0).all()


@pytest.mark.parametrize(
    ("design", "count", "degree", "word"),
    [
        ("best", 10, 8, "design"),
        ("equal", 0, 8, "labels"),
        ("random", 21, 8, "labels"),
        ("leverage", 10, 9, "degree"),
    ],
)
def test_designs_that_do_not_exist_are_refused(design, count, degree, word):
    with pytest.raises(UserError, match=word):
        lesson.label_places(design, count, degree)


# ---- the fit ----


def test_a_line_through_three_labels_by_hand():
    """Labels 0, 0, 3 at -1, 0, 1: the line 1 + 1.5 x, hat values 5/6, 1/3, 5/6."""
    x = np.array([-1.0, 0, 1])
    fit = lesson.fit_polynomial(x, np.array([0.0, 0, 3]), 1)
    assert fit.at(x) == pytest.approx([-0.5, 1, 2.5])
    assert fit.leverage(x) == pytest.approx([5 / 6, 1 / 3, 5 / 6]) and fit.rank == 2
    half = 1.959963984540054 * lesson.SIGMA * np.sqrt(1 / 3 + 0.5**2 / 2)
    assert fit.band(np.array([0.5])) == pytest.approx([half])


def test_a_polynomial_is_found_again():
    x = lesson.label_places("random", 12, 6, 3)
    truth = np.array([0.3, -1, 0.2, 0, 2, 0.5, -0.7])
    fit = lesson.fit_polynomial(x, lesson.legendre_features(x, 6) @ truth, 6)
    assert fit.coefficients == pytest.approx(truth, abs=1e-8)


@pytest.mark.parametrize("degree", [1, 5, 8])
def test_hat_values_sum_to_the_rank_and_the_variance_is_what_noise_does(degree):
    x = lesson.label_places("random", 12, degree, 2)
    fit = lesson.fit_polynomial(x, x, degree)
    assert fit.leverage(x).sum() == pytest.approx(degree + 1)
    assert (fit.leverage(x) <= 1 + 1e-9).all()
    at = np.array([-0.9, 0.1, 1.0])
    one_label = [lesson.fit_polynomial(x, row, degree).at(at) for row in np.eye(12)]
    assert fit.leverage(at) == pytest.approx((np.array(one_label) ** 2).sum(axis=0), rel=1e-6)


def test_too_few_places_leave_the_fit_open():
    """Twice the same place and another one: a parabola has three coefficients."""
    x = np.array([-0.5, 0.5, 0.5])
    fit = lesson.fit_polynomial(x, np.array([1.0, 2, 4]), 2)
    assert fit.rank == 2
    assert fit.at(x) == pytest.approx([1, 3, 3])
    assert fit.leverage(x) == pytest.approx([1, 0.5, 0.5])
    assert np.isinf(fit.leverage(np.array([0.0, 1.0]))).all()
    rows = lesson.legendre_features(x, 2)
    assert fit.coefficients == pytest.approx(np.linalg.pinv(rows) @ [1, 2, 4]), "the least norm"


def test_the_error_by_hand():
    """The zero polynomial against |x|: 1 at an end, mean square 1/3 up to the trapezia."""
    zero = lesson.PolynomialFit(1, np.zeros(2), np.eye(2), np.ones(2))
    error = lesson.curve_error(zero, "kink")
    assert (error.largest, error.place) == (1.0, -1.0)
    assert error.mean_square == pytest.approx(1 / 3, abs=1e-5)


# ---- what the lesson says of its example ----


def test_equally_spaced_places_fail_where_the_wave_and_runge_s_bump_are_hard():
    for curve, count in (("wave", 10), ("bump", 9)):
        equal, chosen = (start(design, count, 8, curve).largest for design in ("equal", "leverage"))
        assert equal > 4 * chosen and chosen < 0.3, (curve, equal, chosen)
        assert abs(start("equal", count, 8, curve).place) > 0.8, "at the ends"


def test_they_do_not_fail_on_every_curve():
    equal, chosen = (start(design, 10, 8, "kink").largest for design in ("equal", "leverage"))
    assert 0.5 < equal / chosen < 2


def test_random_places_usually_fail_and_drawing_by_leverage_fails_less():
    for curve in lesson.CURVES:
        drawn = [lesson.usual_error(design, 10, 8, curve) for design in ("random", "leverage")]
        assert drawn[0] > 3 * drawn[1], "a draw by leverage is usually nearer"
        assert drawn[1] > 5 * start("leverage", 10, 8, curve).largest, "even shares do better still"


def test_the_first_draw_and_the_noise_are_usual_ones():
    first = lesson.fitted_design("random", 10, 8, "wave", lesson.FIRST_DRAW)
    usual = lesson.usual_error("random", 10, 8, "wave")
    assert 0.5 < lesson.curve_error(first, "wave").largest / usual < 2
    for design in ("equal", "leverage"):
        x = lesson.label_places(design, 10, 8)
        y = lesson.CURVES["wave"].at(x)
        others = [
            lesson.fit_polynomial(x, y + lesson.SIGMA * np.random.default_rng(s).normal(size=10), 8)
            for s in range(100, 200)
        ]
        median = np.median([lesson.curve_error(fit, "wave").largest for fit in others])
        assert start(design, 10, 8, "wave").largest == pytest.approx(median, rel=0.2)
