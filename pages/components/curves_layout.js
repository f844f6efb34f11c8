/* Where the names at the ends of curves stand: pure functions, lengths in one unit. curves.py joins this file and curves.js. */

/* Places for names that would like to stand at `wanted`: in the same order, at least `gap` apart, within [low, high], and as
 * near as can be (the sum of squared moves is least). Where there is no room for all, they share what there is. */
export function spread(wanted, gap, low, high) {
  const n = wanted.length;
  const apart = n > 1 ? Math.min(gap, (high - low) / (n - 1)) : 0;
  const order = [...wanted.keys()].sort((a, b) => wanted[a] - wanted[b] || a - b);
  // Without their gaps the places may only rise: neighbours that would fall are pooled at their mean.
  const pools = [];
  order.forEach((i, rank) => {
    pools.push({ sum: wanted[i] - rank * apart, size: 1 });
    while (pools.length > 1 && mean(pools.at(-2)) > mean(pools.at(-1))) {
      const last = pools.pop();
      Object.assign(pools.at(-1), { sum: pools.at(-1).sum + last.sum, size: pools.at(-1).size + last.size });
    }
  });
  const flat = pools.flatMap((pool) => Array(pool.size).fill(mean(pool)));
  const most = high - (n - 1) * apart;
  const places = [];
  order.forEach((i, rank) => (places[i] = Math.min(Math.max(flat[rank], low), most) + rank * apart));
  return places;
}

const mean = ({ sum, size }) => sum / size;

/* The points of a curve up to x = now; the last one lies between two where now does. */
export function until({ x, y }, now) {
  const whole = x.findIndex((value) => value > now);
  const count = whole < 0 ? x.length : whole;
  const points = x.slice(0, count).map((value, i) => [value, y[i]]);
  if (count === 0 || count === x.length || x[count - 1] === now) return points;
  const part = (now - x[count - 1]) / (x[count] - x[count - 1]);
  return [...points, [now, y[count - 1] + part * (y[count] - y[count - 1])]];
}

/* From values to places: linear or logarithmic. */
export function ruler({ low, high, log }, from, to) {
  const turn = log ? Math.log : (value) => value;
  const [a, b] = [turn(low), turn(high)];
  return (value) => from + ((turn(Math.min(Math.max(value, low), high)) - a) * (to - from)) / (b - a);
}

/* A number as the reader sees it: per cent, or at most three digits. */
export function written(value, form) {
  if (form === "percent") return `${Math.round(100 * value)}%`;
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
}
