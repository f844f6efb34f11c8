/* Numbers as the reader of a figure sees them. Components join this file with their own into one module. */

const minus = (text) => text.replace("-", "\u2212");

/* At most four significant digits, thousands separated. */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return "undefined";
  const size = Math.abs(value);
  if (size > 0 && (size < 1e-4 || size >= 1e7)) return minus(value.toExponential(Math.min(digits, 3) - 1));
  return minus(Number(value.toPrecision(digits)).toLocaleString("en-US", { maximumSignificantDigits: digits }));
}

/* With this many decimals, so that the digits stand still while a point moves; never a minus sign before zeros. */
export function fixed(value, decimals) {
  if (!Number.isFinite(value)) return "undefined";
  const text = value.toFixed(decimals);
  return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

/* A number that mostly lies between 0 and 1, with at most four significant digits. */
export function share(value) {
  if (Math.abs(value) >= 10) return number(value);
  return fixed(value, Math.abs(value) < 0.1 && value !== 0 ? 4 : 3);
}

/* Decimals for numbers on an axis of this length: three significant digits. */
export const decimals = (length) => Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(length))));

/* Round values between low and high, about `count` of them: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((multiple) => multiple * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return { step, values: Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12))) };
}
