/* Labels on a line: the same formulas and limits as core/lesson.py, whose docstrings say what they are and whence.
 *
 *   a(x)                    the orthonormal Legendre polynomials at x
 *   |a(x)|^2                the leverage density
 *   a(x)^T (A^T A)^+ a(x)   the leverage of x under a design with rows A
 *
 * Pure functions of plain arrays.
 */

const NO_DIRECTION = 1e-10;
const NO_PART = 1e-10;
const DRAWS = 100;
const GRID = Array.from({ length: 401 }, (_, i) => (i - 200) / 200);

export const CURVES = {
  wave: (x) => Math.cos(8 * x),
  bump: (x) => 1 / (1 + 25 * x * x),
  kink: Math.abs,
};

/* P_0 to P_degree at x. */
export function legendre(x, degree) {
  const p = [1, x];
  for (let j = 1; j < degree; j++) p.push(((2 * j + 1) * x * p[j] - j * p[j - 1]) / (j + 1));
  return p.slice(0, degree + 1);
}

export const features = (x, degree) => legendre(x, degree).map((p, j) => p * Math.sqrt(j + 0.5));

export const density = (x, degree) => squares(features(x, degree));

/* The share of all leverage left of x. */
export function shareLeft(x, degree) {
  const p = legendre(x, degree);
  let part = x + 1;
  let total = part;
  for (let j = 1; j <= degree; j++) {
    part += x * (p[j] ** 2 + p[j - 1] ** 2) - 2 * p[j] * p[j - 1];
    total += part;
  }
  return total / (2 * (degree + 1));
}

/* The place left of which this share of all leverage lies. */
export function quantile(share, degree) {
  let [low, high] = [-1, 1];
  for (let step = 0; step < 54; step++) {
    const middle = (low + high) / 2;
    if (shareLeft(middle, degree) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export function evenDraws(seed, count) {
  return Array.from({ length: count }, (_, i) => {
    let mixed = ((seed << 16) + i) >>> 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  });
}

export function labelPlaces(design, count, degree, seed = 0) {
  const each = Array.from({ length: count }, (_, i) => i);
  if (design === "equal") return each.map((i) => (count > 1 ? (2 * i) / (count - 1) - 1 : 0));
  const drawn = () => evenDraws(seed, count).sort((a, b) => a - b);
  if (design === "random") return drawn().map((share) => 2 * share - 1);
  const shares = seed === 0 ? each.map((i) => (i + 0.5) / count) : drawn();
  return shares.map((share) => quantile(share, degree));
}

/* The least-squares polynomial through (x, y), by the singular vectors of its rows. rank: coefficients that are settled. */
export function fitPolynomial(x, y, degree) {
  const { images, directions, squared } = singular(x.map((place) => features(place, degree)));
  const along = images.map((image, j) => product(image, y) / squared[j]);
  const coefficients = Array.from({ length: degree + 1 }, (_, i) => product(along, directions.map((v) => v[i])));
  return { degree, coefficients, directions, squared, rank: squared.length };
}

/* Jacobi's rotations make the columns W = A V orthogonal: V holds the right singular vectors, |W_j| the singular values. */
function singular(rows) {
  const images = rows[0].map((_, j) => rows.map((row) => row[j]));
  const directions = images.map((_, j) => images.map((_, i) => (i === j ? 1 : 0)));
  for (let sweep = 0, turned = true; turned && sweep < 40; sweep++) {
    turned = false;
    for (let j = 1; j < images.length; j++) for (let i = 0; i < j; i++) turned = turn(images, directions, i, j) || turned;
  }
  const squared = images.map(squares);
  const least = NO_DIRECTION ** 2 * Math.max(...squared);
  const kept = (_, j) => squared[j] > least;
  return { images: images.filter(kept), directions: directions.filter(kept), squared: squared.filter(kept) };
}

function turn(images, directions, i, j) {
  const a = squares(images[i]);
  const b = squares(images[j]);
  const c = product(images[i], images[j]);
  if (c * c <= 1e-30 * a * b) return false;
  const slope = (b - a) / (2 * c);
  const tangent = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.sqrt(1 + slope * slope));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  rotate(images[i], images[j], cosine, tangent);
  rotate(directions[i], directions[j], cosine, tangent);
  return true;
}

function rotate(first, second, cosine, tangent) {
  for (let k = 0; k < first.length; k++) {
    const value = first[k];
    first[k] = cosine * (value - tangent * second[k]);
    second[k] = cosine * (tangent * value + second[k]);
  }
}

export const valueAt = ({ coefficients }, row) => product(coefficients, row);

/* Of a place whose features are `row`; Infinity where no label tells. */
export function leverageAt({ directions, squared }, row) {
  const whole = squares(row);
  let [known, seen] = [0, 0];
  for (let j = 0; j < directions.length; j++) {
    const part = product(directions[j], row) ** 2;
    known += part / squared[j];
    seen += part;
  }
  return whole - seen > NO_PART * whole ? Infinity : known;
}

const rowsOf = {};
export const gridRows = (degree) => (rowsOf[degree] ??= GRID.map((x) => features(x, degree)));

/* How far a fit is from its curve: at most and where, and half the integral of the square. */
export function curveError(fit, curve) {
  const error = { largest: -1, place: 0, meanSquare: 0 };
  gridRows(fit.degree).forEach((row, i) => {
    const distance = Math.abs(valueAt(fit, row) - CURVES[curve](GRID[i]));
    if (distance > error.largest) Object.assign(error, { largest: distance, place: GRID[i] });
    error.meanSquare += distance ** 2 * (i === 0 || i === GRID.length - 1 ? 0.5 : 1);
  });
  error.meanSquare /= GRID.length - 1;
  return error;
}

export function fitted(x, noise, degree, curve) {
  return fitPolynomial(x, x.map((place, i) => CURVES[curve](place) + noise[i]), degree);
}

/* The median largest error over draws 1 to 100. */
export function usualError(design, noise, count, degree, curve) {
  const error = (seed) => curveError(fitted(labelPlaces(design, count, degree, seed), noise, degree, curve), curve).largest;
  const errors = Array.from({ length: DRAWS }, (_, i) => error(i + 1)).sort((a, b) => a - b);
  return (errors[DRAWS / 2 - 1] + errors[DRAWS / 2]) / 2;
}

function product(a, b) {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

const squares = (values) => product(values, values);
