/* Least squares for the two figures of the lesson: the same formulas and limits as core/linalg/least_squares_line.py, in O(n).
 *
 *   H_ij = 1/n + c_i^T (C^T C + ridge I)^+ c_j,  c_i = x_i - mean(x)       hat value h_i = H_ii,  fitted = H y
 *
 * Pure functions of plain arrays. A number that does not exist is NaN, a line that does not exist is null.
 * Sources: Hoaglin, Welsch 1978; Cook 1977. lever.py joins this file and its neighbours into one module.
 */

const NO_SQUARES = 1e-24;
const NO_DIRECTION = 1e-10;
const NO_REST = 1e-12;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const dot = (a, b) => sum(a.map((value, i) => value * b[i]));

/* The mean, the deviations from it and their sum of squares; deviations that are rounding alone become 0. */
export function centre(values) {
  const mean = sum(values) / values.length;
  const deviations = values.map((value) => value - mean);
  const squares = dot(deviations, deviations);
  if (squares > NO_SQUARES * dot(values, values)) return { mean, deviations, squares };
  return { mean, deviations: deviations.map(() => 0), squares: 0 };
}

/* The line through (x, y) with a ridge on its slope, and per point its hat value, residual and Cook's distance. */
export function fitLine(x, y, ridge = 0) {
  const n = x.length;
  const { mean, deviations, squares } = centre(x);
  const height = sum(y) / n;
  const inverse = squares + ridge > 0 ? 1 / (squares + ridge) : 0;
  const slope = inverse * sum(deviations.map((c, i) => c * (y[i] - height)));
  const residuals = deviations.map((c, i) => y[i] - height - slope * c);
  const hats = deviations.map((c) => Math.min(1, 1 / n + c * c * inverse));
  const fit = { n, mean, height, slope, intercept: height - slope * mean, inverse, deviations, squares, residuals, hats };
  return { ...fit, degrees: sum(hats), cooks: cooks(fit, dot(y, y)) };
}

/* D_i = (H H)_ii e_i^2 / ((1 - h_i)^2 df s^2): how far all fitted values move without point i, beside df s^2. */
function cooks({ n, inverse, deviations, squares, residuals, hats }, size) {
  const degrees = sum(hats);
  const rest = dot(residuals, residuals);
  const unit = (degrees * rest) / (n - degrees);
  const known = n - degrees > NO_REST && rest > NO_SQUARES * size;
  return hats.map((h, i) => {
    const shift = 1 / n + (deviations[i] * inverse) ** 2 * squares;
    return known && 1 - h > NO_REST ? (shift * residuals[i] ** 2) / ((1 - h) ** 2 * unit) : NaN;
  });
}

/* Row i of the hat matrix: the weight of every y in the fitted value of point i. Its entries lie on a line in x. */
export function hatRow({ n, deviations, inverse }, i) {
  return deviations.map((c) => 1 / n + c * inverse * deviations[i]);
}

/* The same of two regressors: how much of each point it takes to write point i; the squares sum to its hat value. */
export function hatRowOfPlane({ n, columns }, i) {
  return Array.from({ length: n }, (_, j) => 1 / n + sum(columns.map((column) => column[i] * column[j])));
}

/* The line fitted without point i, without fitting again; null if the rest leaves it undefined. */
export function without({ n, mean, slope, intercept, deviations, inverse, residuals, hats }, i) {
  if (1 - hats[i] <= NO_REST) return null;
  const push = residuals[i] / (1 - hats[i]);
  const turn = inverse * deviations[i] * push;
  return { slope: slope - turn, intercept: intercept - push / n + mean * turn };
}

/* Two regressors. hats by orthonormal columns; distances, squared Mahalanobis, by the inverse of the covariance.
 * root: the lower triangle (a, b, c) with C^T C = [a 0; b c] [a b; 0 c]. rank: directions in which the points differ. */
export function fitPlane(x1, x2) {
  const n = x1.length;
  const [first, second] = [centre(x1), centre(x2)];
  const columns = orthonormal([first.deviations, second.deviations]);
  const squares = x1.map((_, i) => sum(columns.map((column) => column[i] ** 2)));
  const product = dot(first.deviations, second.deviations);
  const a = Math.sqrt(first.squares);
  const b = a > 0 ? product / a : 0;
  const fit = { n, columns, mean: [first.mean, second.mean], rank: columns.length, hats: squares.map((q) => Math.min(1, 1 / n + q)) };
  if (fit.rank < 2) return { ...fit, root: null, distances: squares.map((q) => (n - 1) * q) };
  const [u, v] = [first, second].map(({ deviations, squares: s }) => deviations.map((c) => c / Math.sqrt(s)));
  const r = dot(u, v);
  const distances = u.map((_, i) => ((n - 1) * (u[i] ** 2 - 2 * r * u[i] * v[i] + v[i] ** 2)) / (1 - r * r));
  const c = Math.sqrt(second.squares) * Math.sqrt(1 - r * r);
  return { ...fit, root: [a, b, c], distances };
}

/* Gram and Schmidt: unit columns that span the given ones; what repeats an earlier direction is left out. */
function orthonormal(columns) {
  const units = [];
  for (const column of columns) {
    let rest = column;
    for (const unit of units) {
      const along = dot(unit, rest);
      rest = rest.map((value, i) => value - along * unit[i]);
    }
    const [length, whole] = [rest, column].map((values) => Math.sqrt(dot(values, values)));
    if (length > NO_DIRECTION * whole) units.push(rest.map((value) => value / length));
  }
  return units;
}

/* The ellipse on which a point has this leverage, as the image of the unit circle: mean + root * radius * circle. */
export function contour({ n, mean, root }, level) {
  const radius = Math.sqrt(level - 1 / n);
  return root && radius > 0 ? { mean, root: root.map((value) => value * radius) } : null;
}
