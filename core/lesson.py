"""What only the lesson asks: which points can be drawn side by side, which ones a strategy likes
best, how much of the others it takes to write a point, and where on a line labels are worth their
price.

    leverage in two directions:  l = z_1^2 / (n s_1^2) + z_2^2 / (n s_2^2),  s_j^2 = mean of z_j^2

so points of equal leverage lie on an ellipse with half-axes s_j sqrt(n l).

    l_i = min |c|^2 over all c with X^T c = x_i,  attained by row i of H = X (X^T X)^+ X^T

Labels on a line: a curve is measured at k places of [-1, 1], and a polynomial of degree d is fitted
by least squares to the k noisy labels. a(x) is the row of the d + 1 orthonormal Legendre
polynomials at x, A the rows of the k places.

    leverage density   |a(x)|^2:  a place's leverage if all places were asked; integrates to d + 1
    under a design     a(x)^T (A^T A)^+ a(x):  the fit's variance at x, in units of the noise's

pages/components/label_line_math.js holds the same formulas for the browser.
Source: Nevai 1986 (the Christoffel function, 1 / |a(x)|^2); Cohen, Davenport, Leviatan 2013 (how
many labels least squares needs); Runge 1901 (the curve at which equally spaced places fail).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core.linalg.whitening import whiten
from core.plugins import menu
from core.spec import Spec
from core.types import Floats, Ints, UserError, check_matrix

FAVOURITES = 10
POOL = 2000  # points of one small pool, the same for every strategy
# images in the plane, and the least distance between two, as a part of its width
DRAWN = 60
GAP = 0.085

# Labels on a line. SIGMA: standard deviation of a label's noise, beside curves that reach 1.
SIGMA = 0.05
NOISE_SEED = 20  # with it the errors are near their medians over the noise
MOST_LABELS = 20
MOST_DEGREE = 8
DESIGNS = ("equal", "random", "leverage")
DRAWS = 100  # of places at random, to say what a draw usually gives
FIRST_DRAW = 37  # of these, one whose error is near the median for ten labels and degree 8
GRID = np.linspace(-1, 1, 401)  # where a fit is compared with its curve; holds both ends and 0
BAND = NormalDist().inv_cdf(0.975)  # half of a 95% interval, in standard deviations
# What counts as nothing: a singular value beside the largest, the part of a row that no label sees.
NO_DIRECTION = 1e-10
NO_PART = 1e-10


def results() -> list[tuple[str, Spec]]:
    """What the lesson shows beside the first screens, as (function of the pipeline, Spec): the
    plane, and every strategy's favourites.

    The app's own strategies only: the lesson is bundled and must look the same everywhere.
    """
    plane = Spec().with_(embedding="pca", embedding_knobs=(("k", 2),))
    pool = Spec(n=POOL, embedding="cnn_classification")
    names = [name for name, entry in menu.strategies().items() if not entry.own]
    return [("plane_of", plane), *(("favourites_of", pool.with_(strategy=name)) for name in names)]


def spread(
    coordinates: np.ndarray, scores: np.ndarray, count: int = DRAWN, gap: float = GAP
) -> Ints:
    """Points whose images do not cover one another: the highest score first, then in random order
    whoever still finds room.

    coordinates: (n, 2). scores: (n,). count: at most so many. gap: least distance of two points
    along one of the axes, as a part of the first axis's range. Returns row numbers (m,), 1 <= m <=
    count; the same for the same input. A UserError for coordinates that are not (n, 2).
    """
    if check_matrix(coordinates, "coordinates").shape[1] != 2:
        raise UserError(f"coordinates: found shape {coordinates.shape}, expected (n, 2).")
    order = np.concatenate(
        [[np.argmax(scores)], np.random.default_rng(0).permutation(len(coordinates))]
    )
    least = gap * float(np.ptp(coordinates[:, 0]))
    kept: list[int] = []
    for i in order:
        if not kept or np.abs(coordinates[kept] - coordinates[i]).max(axis=1).min() > least:
            kept.append(int(i))
        if len(kept) == count:
            break
    return np.array(kept)


def half_axes(spreads: Floats, n: int, leverage: float) -> tuple[float, float]:
    """Half-axes of the ellipse on which n centred points with root mean squares `spreads` (2,) have
    this leverage.
    """
    reach = np.sqrt(n * leverage)
    across, up = spreads
    return float(across * reach), float(up * reach)


def hat_row(embedding: np.ndarray, index: int) -> Floats:
    """How much of each point it takes to write point `index`: row `index` of the hat matrix.

    c = X (X^T X)^+ x_i (n,), the shortest of all c with X^T c = x_i. Its i-th entry and its squared
    length are both the leverage l_i; no unit, each entry in [-1, 1]. embedding: X (n, d), not
    centred: for a fit with an intercept give it a column of ones. A UserError for what is no matrix
    or an index outside it.
    """
    embedding = check_matrix(embedding, "embedding").astype(np.float64)
    if not 0 <= index < len(embedding):
        raise UserError(f"index: found {index}, expected 0 to {len(embedding) - 1}.")
    coordinates = embedding @ whiten(embedding).weights
    return coordinates @ coordinates[index]


# ---- labels on a line ----


@dataclass(frozen=True)
class Curve:
    """What is measured: its name on screen, its formula, the function of places in [-1, 1]."""

    label: str
    formula: str
    at: Callable[[Floats], Floats]


CURVES = {
    "wave": Curve("Wave", "cos 8x", lambda x: np.cos(8 * x)),
    "bump": Curve("Runge’s bump", "1 / (1 + 25 x²)", lambda x: 1 / (1 + 25 * x * x)),
    "kink": Curve("Kink", "|x|", np.abs),
}


def legendre_features(x: Floats, degree: int) -> Floats:
    """The polynomials that are orthonormal on [-1, 1], at every place: (k, degree + 1).

        a_j(x) = sqrt((2 j + 1) / 2) P_j(x),    (j + 1) P_{j+1} = (2 j + 1) x P_j - j P_{j-1}

    x: (k,) in [-1, 1]. degree: 0 to 8. A UserError for a place or a degree outside.
    """
    polynomials = _legendre(_places(x), degree)
    lengths = np.arange(degree + 1) + 0.5
    return polynomials * np.sqrt(lengths)


def leverage_density(x: Floats, degree: int) -> Floats:
    """|a(x)|^2 = sum over j <= degree of (2 j + 1) / 2 P_j(x)^2 at every place: (k,).

    The leverage of a place among all places of the line, per unit of length; the inverse of the
    Christoffel function. It integrates to degree + 1, lies between (degree + 1) / 4 and its value
    at the ends, (degree + 1)^2 / 2, and nears (degree + 1) / (pi sqrt(1 - x^2)) inside.
    """
    features = legendre_features(x, degree)
    return (features**2).sum(axis=1)


def leverage_share(x: Floats, degree: int) -> Floats:
    """The share of all leverage that lies left of every place: (k,) in [0, 1], rising.

    With G_j = (2 j + 1) times the integral of P_j^2 from -1 to x, exactly:

        G_0 = x + 1,    G_j = G_{j-1} + x (P_j^2 + P_{j-1}^2) - 2 P_j P_{j-1}

    (differentiate, and use x P_j' - P_{j-1}' = j P_j and P_j' - x P_{j-1}' = j P_{j-1}).
    """
    x = _places(x)
    p = _legendre(x, degree)
    steps = x[:, None] * (p[:, 1:] ** 2 + p[:, :-1] ** 2) - 2 * p[:, 1:] * p[:, :-1]
    parts = np.cumsum(np.column_stack([x + 1, steps]), axis=1)
    return parts.sum(axis=1) / (2 * (degree + 1))


def leverage_quantiles(shares: Floats, degree: int) -> Floats:
    """The places left of which these shares of all leverage lie: (k,) in [-1, 1], by bisection."""
    shares = np.asarray(shares, dtype=np.float64)
    low = np.full(shares.shape, -1.0)
    high = np.full(shares.shape, 1.0)
    for _ in range(54):
        middle = (low + high) / 2
        left = leverage_share(middle, degree) < shares
        low = np.where(left, middle, low)
        high = np.where(left, high, middle)
    return (low + high) / 2


def even_draws(seed: int, count: int) -> Floats:
    """Numbers that look as if drawn evenly from [0, 1): (count,), the same in the browser.

    Number i is the 32-bit mix of 2^16 seed + i over 2^32. seed: 0 to 65,535. Source of the mix:
    Appleby 2011, the last step of MurmurHash3.
    """
    mixed = np.arange(count, dtype=np.uint64) + np.uint64(seed << 16)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        mixed = ((mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return mixed / 2.0**32


def label_noise(count: int) -> Floats:
    """The noise of the first `count` labels: (count,), the same for every design.

    Label i of a design is its i-th place from the left, or the i-th that the reader has placed.
    """
    rng = np.random.default_rng(NOISE_SEED)
    noise = SIGMA * rng.normal(size=MOST_LABELS)
    return noise[:count]


def label_places(design: str, count: int, degree: int, seed: int = 0) -> Floats:
    """Where this design asks for `count` labels: (count,) in [-1, 1], from left to right.

    "equal": equally spaced, the ends included (one label: the middle). "random": drawn evenly over
    the line. "leverage": with seed 0 the middle of each of `count` equal shares of the leverage,
    else drawn with the leverage's density, each label by itself. A UserError for another design, or
    a count outside 1 to 20.
    """
    if design not in DESIGNS:
        raise UserError(f"design: found {design!r}, expected one of {', '.join(DESIGNS)}.")
    if not 1 <= count <= MOST_LABELS:
        raise UserError(f"labels: found {count}, expected 1 to {MOST_LABELS}.")
    if design == "equal":
        return np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
    if design == "random":
        return np.sort(2 * even_draws(seed, count) - 1)
    shares = (np.arange(count) + 0.5) / count if seed == 0 else np.sort(even_draws(seed, count))
    return leverage_quantiles(shares, degree)


@dataclass(frozen=True, eq=False)
class PolynomialFit:
    """A polynomial fitted by least squares.

    coefficients (degree + 1,): in the orthonormal Legendre polynomials. directions (degree + 1,
    rank), scales (rank,): right singular vectors and singular values of A, those that the places
    tell apart; rank < degree + 1 where there are too few different places.
    """

    degree: int
    coefficients: Floats
    directions: Floats
    scales: Floats

    @property
    def rank(self) -> int:
        """How many of the degree + 1 coefficients the places settle."""
        return len(self.scales)

    def at(self, x: Floats) -> Floats:
        """The fit at these places: (k,)."""
        return legendre_features(x, self.degree) @ self.coefficients

    def leverage(self, x: Floats) -> Floats:
        """a(x)^T (A^T A)^+ a(x) at these places: (k,) >= 0, infinite where no label tells.

        At the labels' own places these are the hat values, in [0, 1], which sum to the rank. The
        fit's variance is sigma^2 times this.
        """
        rows = legendre_features(x, self.degree)
        seen = rows @ self.directions
        unseen = (rows**2).sum(axis=1) - (seen**2).sum(axis=1)
        known = ((seen / self.scales) ** 2).sum(axis=1)
        return np.where(unseen > NO_PART * (rows**2).sum(axis=1), np.inf, known)

    def band(self, x: Floats) -> Floats:
        """Half the width of the 95% band at these places: (k,), infinite where no label tells.

        1.96 sigma sqrt(leverage): how far noise alone moves the fit. What a polynomial of this
        degree cannot follow is not in it.
        """
        return BAND * SIGMA * np.sqrt(self.leverage(x))


def fit_polynomial(x: Floats, y: Floats, degree: int) -> PolynomialFit:
    """The polynomial of this degree with the least sum of squares at k >= 1 places.

    c = A^+ y; where the places leave it open, the one whose square has the least integral (least
    norm in the orthonormal polynomials). All labels count alike: no weights, whatever the design.
    x, y: (k,).
    """
    rows = legendre_features(x, degree)
    left, scales, right = np.linalg.svd(rows, full_matrices=False)
    kept = scales > NO_DIRECTION * scales[0]
    left, scales, right = left[:, kept], scales[kept], right[kept]
    coefficients = right.T @ ((left.T @ np.asarray(y, dtype=np.float64)) / scales)
    return PolynomialFit(degree, coefficients, right.T, scales)


@dataclass(frozen=True)
class CurveError:
    """How far a fit is from its curve on [-1, 1].

    largest: the greatest distance, in units of y, on the 401 places of GRID; place: where it is,
    the leftmost such. mean_square: half the integral of the squared distance, by trapezia.
    """

    largest: float
    place: float
    mean_square: float


def curve_error(fit: PolynomialFit, curve: str) -> CurveError:
    """How far this fit is from the curve of this name."""
    distance = np.abs(fit.at(GRID) - CURVES[curve].at(GRID))
    worst = int(np.argmax(distance))
    mean_square = float(np.trapezoid(distance**2, GRID) / 2)
    return CurveError(float(distance[worst]), float(GRID[worst]), mean_square)


def fitted_design(design: str, count: int, degree: int, curve: str, seed: int = 0) -> PolynomialFit:
    """The fit to the labels that this design buys of the curve."""
    x = label_places(design, count, degree, seed)
    return fit_polynomial(x, CURVES[curve].at(x) + label_noise(count), degree)


def usual_error(design: str, count: int, degree: int, curve: str) -> float:
    """The median largest error over draws 1 to 100 of the places; the noise stays."""
    fits = (fitted_design(design, count, degree, curve, seed) for seed in range(1, DRAWS + 1))
    return float(np.median([curve_error(fit, curve).largest for fit in fits]))


def _places(x: Floats) -> Floats:
    places = np.asarray(x, dtype=np.float64)
    if places.ndim != 1 or len(places) == 0 or not (np.abs(places) <= 1).all():
        raise UserError(f"places: found {x}, expected at least one number, each from -1 to 1.")
    return places


def _legendre(x: Floats, degree: int) -> Floats:
    """P_0 to P_degree at every place: (k, degree + 1)."""
    if not 0 <= degree <= MOST_DEGREE:
        raise UserError(f"degree: found {degree}, expected 0 to {MOST_DEGREE}.")
    p = [np.ones_like(x), x]
    for j in range(1, degree):
        p.append(((2 * j + 1) * x * p[j] - j * p[j - 1]) / (j + 1))
    return np.column_stack(p[: degree + 1])
