"""How strongly does each point hold the least-squares line, and how far does the line move without
it?

    minimise  sum_i (y_i - b_0 - b^T x_i)^2 + ridge |b|^2        the intercept b_0 is not penalised

The penalty only sees the slopes, so the fit splits into the mean and the centred rows c_i = x_i -
mean(x):

    H_ij = 1/n + c_i^T (C^T C + ridge I)^+ c_j
    fitted = H y,    hat value h_i = H_ii,    sum_i h_i = degrees of freedom

At ridge 0 and full rank the hat values sum to p + 1, and h_i = 1/n + M_i^2 / (n - 1) with M_i the
Mahalanobis distance of x_i from the mean: a point has leverage because it lies far out, whatever
its y is.

Conventions: x (n, p), y (n,), float64 throughout, higher = holds or moves the fit more. A number
that does not exist is NaN, never a stand-in: Cook's distance of a point with h_i = 1, and of every
point where the fit leaves no residual at all.

Source: Hoaglin, Welsch 1978 (hat matrix); Cook 1977 (the distance); Hoerl, Kennard 1970 (ridge).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.types import Floats, UserError, check_matrix

LARGEST = 1e100  # squares of anything larger leave the range of float64
# What counts as nothing. A sum of squares beside the largest one that rounding could leave; a
# singular value beside the largest; 1 - h_i and the degrees of freedom that remain for the
# residuals. lever_math.js holds the same numbers.
NO_SQUARES = 1e-24
NO_DIRECTION = 1e-10
NO_REST = 1e-12


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted line or plane, and what each point does to it.

    intercept, slopes (p,): the coefficients. fitted, residuals (n,): H y and y - H y, in units of
    y. hat_values (n,): h_i in [1/n, 1]. cooks (n,): Cook's distances, >= 0 or NaN. mahalanobis
    (n,): M_i >= 0. degrees: the effective degrees of freedom, sum_i h_i; p + 1 at ridge 0 and full
    rank, towards 1 as ridge grows. coordinates (n, r): the rows t_i with H_ij = 1/n + t_i^T t_j.
    """

    intercept: float
    slopes: Floats
    fitted: Floats
    residuals: Floats
    hat_values: Floats
    cooks: Floats
    mahalanobis: Floats
    degrees: float
    coordinates: Floats

    def hat_row(self, i: int) -> Floats:
        """H_ij over j (n,): the weight of every y_j in the fitted value of point i.

        Sums to 1; its i-th entry is h_i.
        """
        return 1 / len(self.coordinates) + self.coordinates @ self.coordinates[i]

    def hat_matrix(self) -> Floats:
        """H (n, n), symmetric, every row summing to 1; at ridge 0 a projection, H H = H."""
        return 1 / len(self.coordinates) + self.coordinates @ self.coordinates.T


def fit(x: np.ndarray, y: np.ndarray, *, ridge: float = 0.0) -> Regression:
    """The regression of y (n,) on x (n, p) with an intercept and an optional ridge on the slopes,
    ridge >= 0 in units of x^2.

    Every input has an answer. Where x lacks rank at ridge 0 (all x equal, fewer than p + 1 points,
    one regressor a multiple of another) fitted values and hat values are still unique; of the
    slopes, the shortest on the scale of regressors with equal spread is given, so a constant
    regressor has slope 0. One point: h = 1, slopes 0. A UserError for shapes that do not fit,
    values that are not finite or exceed 1e100, and ridge < 0.
    """
    x = _checked(x, ridge)
    y = np.asarray(y)
    if y.shape != (len(x),):
        raise UserError(f"y: found shape {y.shape}, expected ({len(x)},), one value per row of x.")
    y = _in_range(y[:, None], "y")[:, 0]
    centred = _centred(x)
    whitening = _whitening(centred, ridge)
    coordinates = centred @ whitening
    slopes = whitening @ (coordinates.T @ (y - y.mean()))
    fitted = y.mean() + centred @ slopes
    hats = np.minimum(1 / len(x) + (coordinates**2).sum(axis=1), 1.0)
    return Regression(
        intercept=float(y.mean() - x.mean(axis=0) @ slopes),
        slopes=slopes,
        fitted=fitted,
        residuals=y - fitted,
        hat_values=hats,
        cooks=_cooks(y, y - fitted, hats, coordinates),
        mahalanobis=mahalanobis(x),
        degrees=float(hats.sum()),
        coordinates=coordinates,
    )


def hat_values(x: np.ndarray, *, ridge: float = 0.0) -> Floats:
    """h_i = 1/n + c_i^T (C^T C + ridge I)^+ c_i (n,), in [1/n, 1], higher = holds the fit more; no
    y is needed.

    x (n, p). The leverage of x with a column of ones; errors as in `fit`.
    """
    x = _checked(x, ridge)
    centred = _centred(x)
    coordinates = centred @ _whitening(centred, ridge)
    return np.minimum(1 / len(x) + (coordinates**2).sum(axis=1), 1.0)


def mahalanobis(x: np.ndarray) -> Floats:
    """M_i = sqrt(c_i^T S^+ c_i) (n,), S = C^T C / (n - 1) the sample covariance of x (n, p), higher
    = farther out.

    Without unit. M_i^2 = (n - 1) (h_i - 1/n) at ridge 0. One point, or all points alike: 0.
    """
    x = _checked(x)
    centred = _centred(x)
    return np.sqrt((len(x) - 1) * ((centred @ _whitening(centred, 0.0)) ** 2).sum(axis=1))


def _checked(x: np.ndarray, ridge: float = 0.0) -> Floats:
    if not 0 <= ridge < np.inf:
        raise UserError(f"Ridge: found {ridge}, expected a finite number of at least 0.")
    return _in_range(x, "x")


def _in_range(values: np.ndarray, name: str) -> Floats:
    values = check_matrix(values, name).astype(np.float64)
    if np.abs(values).max(initial=0) > LARGEST:
        raise UserError(
            f"{name}: found values beyond {LARGEST:g}, expected smaller ones. Choose a larger unit."
        )
    return values


def _centred(x: Floats) -> Floats:
    """C = x - mean(x), columns that are constant up to rounding set to exactly 0."""
    centred = x - x.mean(axis=0)
    return np.where((centred**2).sum(axis=0) <= NO_SQUARES * (x**2).sum(axis=0), 0.0, centred)


def _whitening(centred: Floats, ridge: float) -> Floats:
    """W (p, r) with W W^T = (C^T C + ridge I)^+, from the rows of C and p more, sqrt(ridge) I: a
    ridge is p points at the axes.

    The columns are scaled to norm 1 first, so that the rank does not depend on the units of x.
    """
    rows = np.vstack([centred, np.sqrt(ridge) * np.eye(centred.shape[1])])
    norms = np.linalg.norm(rows, axis=0)
    norms[norms == 0] = 1.0
    _, singular, axes = np.linalg.svd(rows / norms, full_matrices=False)
    kept = singular > NO_DIRECTION * singular.max(initial=0)
    return (axes[kept] / singular[kept, None]).T / norms[:, None]


def _cooks(y: Floats, residuals: Floats, hats: Floats, coordinates: Floats) -> Floats:
    """D_i = |fitted - fitted without i|^2 / (df s^2) = (H H)_ii e_i^2 / ((1 - h_i)^2 df s^2).

    s^2 = |e|^2 / (n - df), df = sum_i h_i. Leaving one point out shifts the fitted values by
    H_.i e_i / (1 - h_i), with a ridge as without one. At ridge 0, (H H)_ii = h_i: Cook's own
    formula. With a ridge, where textbooks differ, the left side is the definition.
    """
    n = len(y)
    degrees = hats.sum()
    squares = residuals @ residuals
    shift = 1 / n + ((coordinates @ (coordinates.T @ coordinates)) * coordinates).sum(axis=1)
    known = (1 - hats > NO_REST) & (n - degrees > NO_REST) & (squares > NO_SQUARES * (y @ y))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = (1 - hats) ** 2 * degrees * squares / (n - degrees)
        return np.where(known, shift * residuals**2 / unit, np.nan)
