/* The two figures of the lesson. Each lays out, draws, paints and tells; the stage does the rest.
 *
 *   line     the fitted line, the line without the chosen point, and the weights behind its fitted value
 *   ellipse  two regressors: where leverage is equal, leverage = 1/n + Mahalanobis^2 / (n - 1), computed both ways, and how
 *            much of each point it takes to write the chosen one
 */

const PLAYS = {
  line: { layout: layLine, draw: drawLine, paint: paintLine, tell: tellLine },
  ellipse: { layout: layPlane, draw: drawPlane, paint: paintPlane, tell: tellPlane },
};
const figures = new WeakMap();

/* Streamlit calls this again for new data and for a new theme, and may call the cleanup of a run that was overtaken. */
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".lever");
  const given = JSON.stringify(data);
  let figure = figures.get(root);
  if (figure?.given !== given) {
    if (figure) endFigure(figure);
    figure = createFigure(root, data, PLAYS[data.kind]);
    figures.set(root, Object.assign(figure, { given, run: 0 }));
    build(figure);
  }
  const run = ++figure.run;
  return () => {
    if (figures.get(root) !== figure || figure.run !== run) return;
    endFigure(figure);
    figures.delete(root);
  };
}

const named = ({ chosen }) => `Point ${chosen + 1}`;

/* Height beside width, on a phone and elsewhere. There the buttons below stay in the window, if it is not very low. */
function tall(width, em, narrow, wide) {
  return width < 30 * em ? width * narrow : Math.min(width * wide, Math.max(0.68 * innerHeight, 18 * em));
}

/* ---- a line and a lever ---- */

function layLine({ data }, width, em) {
  const height = data.height ?? tall(width, em, 1.2, 0.74);
  const [left, right, foot] = [3.2 * em, width - 0.8 * em, 0.28 * height];
  const plot = { left, right, top: 0.5 * em, bottom: height - foot - 2 * em };
  return { height, plot, strip: { top: plot.bottom + 3.4 * em, bottom: height - 0.6 * em } };
}

function drawLine(figure) {
  const { plot, em } = figure;
  const clip = make("clipPath", { id: "frame" });
  clip.append(make("rect", { x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top }));
  const r = 0.55 * em;
  figure.parts = {
    without: make("line", { class: "without" }),
    residual: make("line", { class: "residual" }),
    fitted: make("line", { class: "fitted" }),
    pivot: make("path", { class: "pivot", d: `M0 0L${r} ${1.6 * r}H${-r}Z` }),
  };
  const lines = make("g", { "aria-hidden": "true", "clip-path": "url(#frame)" }, ...Object.values(figure.parts));
  return [make("defs", {}, clip), lines, drawStrip(figure)];
}

function drawStrip(figure) {
  const { plot, strip, em } = figure;
  Object.assign(figure.parts, {
    title: make("text", { class: "name", x: plot.left, y: strip.top - 0.7 * em }),
    zero: make("path", { class: "axis" }),
    beam: make("line", { class: "beam" }),
    labels: make("g", {}),
    stems: make("path", { class: "stems" }),
    tips: make("path", { class: "tips" }),
    ownStem: make("path", { class: "stems own" }),
    ownTip: make("path", { class: "tips own" }),
  });
  const { title, zero, beam, labels, stems, tips, ownStem, ownTip } = figure.parts;
  return make("g", { class: figure.data.kind === "ellipse" ? "bars" : "", "aria-hidden": "true" }, labels, zero, beam, stems, tips, ownStem, ownTip, title);
}

function paintLine(figure) {
  const { x, y, chosen, ridge, sx, sy, data, parts } = figure;
  const fit = fitLine(x, y, ridge);
  const alone = without(fit, chosen);
  figure.fit = fit;
  across(figure, parts.fitted, fit);
  parts.without.style.display = alone ? "" : "none";
  if (alone) across(figure, parts.without, alone);
  const foot = sy(y[chosen] - fit.residuals[chosen]);
  set(parts.residual, { x1: sx(x[chosen]), x2: sx(x[chosen]), y1: sy(y[chosen]), y2: foot });
  set(parts.pivot, { transform: `translate(${sx(fit.mean)} ${sy(fit.height)})` });
  labelChosen(figure, fit.residuals[chosen] >= 0);
  const title = `Weight of each ${data.names[1]} in the fitted value of point ${chosen + 1}`;
  paintStrip(figure, hatRow(fit, chosen), title, (i) => sx(x[i]));
  paintBeam(figure, hatRow(fit, chosen));
  const [low, high] = data.domain[1];
  write(figure, "point", named(figure));
  write(figure, "position", position(figure));
  write(figure, "leverage", share(fit.hats[chosen]));
  write(figure, "residual", fixed(fit.residuals[chosen], decimals((high - low) / 4)));
  write(figure, "cook", share(fit.cooks[chosen]));
  write(figure, "equation", equation(figure));
  write(figure, "sum", fixed(fit.degrees, 3));
}

function equation({ fit, data }) {
  const sign = fit.slope < 0 ? "\u2212" : "+";
  return `${data.names[1]} = ${number(fit.intercept, 3)} ${sign} ${number(Math.abs(fit.slope), 3)} ${data.names[0]}`;
}

function across({ data, sx, sy }, line, { intercept, slope }) {
  const [left, right] = data.domain[0];
  set(line, { x1: sx(left), x2: sx(right), y1: sy(intercept + slope * left), y2: sy(intercept + slope * right) });
}

/* Stems of the weights, each at its place across. */
function paintStrip(figure, weights, title, across) {
  const { chosen, strip, plot, parts } = figure;
  const [low, high] = [-roundUp(-Math.min(...weights)), roundUp(Math.max(...weights))];
  const s = scale(low, high, strip.bottom, strip.top);
  const stem = (i) => `M${across(i)} ${s(0)}V${s(weights[i])}`;
  const tip = (i) => `M${across(i)} ${s(weights[i])}h0`;
  const others = [...weights.keys()].filter((i) => i !== chosen);
  set(parts.zero, { d: `M${plot.left} ${s(0)}H${plot.right}` });
  set(parts.stems, { d: others.map(stem).join("") });
  set(parts.tips, { d: others.map(tip).join("") });
  set(parts.ownStem, { d: stem(chosen) });
  set(parts.ownTip, { d: tip(chosen) });
  figure.heightOf = s;
  paintStripLabels(figure, low, high, s, title);
}

/* All tips of a line lie on one straight beam, which turns about 1/n at the mean. */
function paintBeam({ x, sx, parts, heightOf }, weights) {
  const [first, last] = [x.indexOf(Math.min(...x)), x.indexOf(Math.max(...x))];
  set(parts.beam, { x1: sx(x[first]), y1: heightOf(weights[first]), x2: sx(x[last]), y2: heightOf(weights[last]) });
}

/* The scale widens in round steps, so that it stands still during most of a drag. */
const roundUp = (size) => (size <= 0 ? 0 : ([0.02, 0.05, 0.1, 0.2, 0.5].find((step) => size <= step) ?? 1));

function paintStripLabels({ plot, em, parts }, low, high, s, title) {
  if (parts.title.textContent !== title) parts.title.textContent = title;
  const key = `${low} ${high}`;
  if (parts.labels.dataset.key === key) return;
  parts.labels.dataset.key = key;
  const label = (v) => make("text", { x: plot.left - 0.5 * em, y: s(v) + 0.35 * em, "text-anchor": "end" }, number(v));
  const room = (v) => v === 0 || Math.abs(s(v) - s(0)) > em;
  parts.labels.replaceChildren(...[...new Set([low, 0, high])].filter(room).map(label));
}

function tellLine(figure) {
  const { fit, chosen } = figure;
  const numbers = `leverage ${share(fit.hats[chosen])}, residual ${number(fit.residuals[chosen], 3)}`;
  return `${named(figure)}: ${position(figure)}, ${numbers}, Cook's distance ${share(fit.cooks[chosen])}. ${equation(figure)}.`;
}

/* ---- two regressors ---- */

function layPlane({ data }, width, em) {
  const height = data.height ?? tall(width, em, 1.35, 0.78);
  const plot = { left: 3.2 * em, right: width - 0.8 * em, top: 0.5 * em, bottom: 0.7 * height - 2 * em };
  return { height, plot, strip: { top: plot.bottom + 3.4 * em, bottom: height - 0.6 * em } };
}

function drawPlane(figure) {
  const { plot, em } = figure;
  const clip = make("clipPath", { id: "frame" });
  clip.append(make("rect", { x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top }));
  const ellipse = (name) => make("circle", { class: `contour ${name}`, r: 1, "vector-effect": "non-scaling-stroke" });
  const c = 0.5 * em;
  figure.parts = {
    average: ellipse("average"),
    twice: ellipse("twice"),
    own: ellipse("own"),
    reach: make("line", { class: "reach" }),
    middle: make("path", { class: "middle", d: `M${-c} 0H${c}M0 ${-c}V${c}` }),
  };
  const shapes = make("g", { "aria-hidden": "true", "clip-path": "url(#frame)" }, ...Object.values(figure.parts));
  return [make("defs", {}, clip), shapes, drawStrip(figure)];
}

function paintPlane(figure) {
  const { x, y, chosen, sx, sy, plot, parts } = figure;
  const fit = fitPlane(x, y);
  figure.fit = fit;
  const average = (1 + fit.rank) / fit.n;
  trace(figure, parts.average, average);
  trace(figure, parts.twice, 2 * average <= 1 ? 2 * average : 0);
  trace(figure, parts.own, fit.hats[chosen]);
  const [mx, my] = [sx(fit.mean[0]), sy(fit.mean[1])];
  set(parts.middle, { transform: `translate(${mx} ${my})` });
  labelChosen(figure, y[chosen] >= fit.mean[1]);
  set(parts.reach, { x1: mx, y1: my, x2: sx(x[chosen]), y2: sy(y[chosen]) });
  const room = (plot.right - plot.left) / fit.n;
  const title = `How much of each point it takes to write point ${chosen + 1}`;
  paintStrip(figure, hatRowOfPlane(fit, chosen), title, (i) => plot.left + (i + 0.5) * room);
  writePlane(figure, average);
}

function trace({ fit, sx, sy }, circle, level) {
  const ellipse = contour(fit, level);
  circle.style.display = ellipse ? "" : "none";
  if (!ellipse) return;
  const [[mx, my], [a, b, c]] = [ellipse.mean, ellipse.root];
  const [kx, ky] = [sx(1) - sx(0), sy(1) - sy(0)];
  set(circle, { transform: `matrix(${kx * a} ${ky * b} 0 ${ky * c} ${sx(mx)} ${sy(my)})` });
}

function writePlane(figure, average) {
  const { fit, chosen } = figure;
  const [h, squared] = [fit.hats[chosen], fit.distances[chosen]];
  const beside = fit.n > 1 ? squared / (fit.n - 1) : 0;
  const difference = Math.abs(1 / fit.n + beside - h);
  write(figure, "point", named(figure));
  write(figure, "position", position(figure));
  write(figure, "leverage", share(h));
  write(figure, "distance", share(Math.sqrt(squared)));
  write(figure, "check", `1/${fit.n} + ${share(beside)} = ${share(1 / fit.n + beside)}`);
  write(figure, "difference", difference < 1e-12 ? "below 10\u207b\u00b9\u00b2" : number(difference, 2));
  write(figure, "average", share(average));
  write(figure, "twice", 2 * average <= 1 ? share(2 * average) : "beyond 1");
  write(figure, "note", fit.rank < 2 ? NOTES[fit.rank] : "");
}

const NOTES = ["All points lie on one spot: each has leverage 1/n.", "All points lie on one line: only the distance along it counts, and there is no ellipse."];

function tellPlane(figure) {
  const { fit, chosen } = figure;
  const check = figure.facts.check.textContent;
  return `${named(figure)}: ${position(figure)}, leverage ${share(fit.hats[chosen])}. Check: ${check}.`;
}
