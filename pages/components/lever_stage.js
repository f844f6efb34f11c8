/* The stage of the lesson's figures: points that can be moved, added and removed, with undo; lever_hands.js does so.
 *
 * A figure has a state (x, y, chosen, ridge) and a play (lever.js) that draws and paints it. `build` makes the elements for
 * a size and a number of points; `paint` only moves them, at most once per animation frame, however many events arrive.
 * Nothing is sent to the server. Lengths are CSS pixels.
 */

const REACH = 22; // a finger's target is 44 pixels wide
const MANY = 60; // points from here on are drawn smaller
const MOST_POINTS = 500;
const MOST_STEPS = 200;
const QUIET = 600; // milliseconds without a change before the numbers are read aloud

function createFigure(root, data, play) {
  const [svg, slider] = [root.querySelector(".stage > svg"), root.querySelector("input")];
  const figure = { root, data, play, svg, slider, past: [], steps: {}, frame: 0, size: "" };
  const byName = (kind) => Object.fromEntries([...root.querySelectorAll(`[data-${kind}]`)].map((e) => [e.dataset[kind], e]));
  Object.assign(figure, { facts: byName("fact"), buttons: byName("do") });
  restore(figure);
  if (slider) slider.max = data.ridges.length - 1;
  listen(figure);
  figure.observer = new ResizeObserver(() => sizeOf(figure) !== figure.size && build(figure));
  figure.observer.observe(root);
  return figure;
}

function endFigure(figure) {
  figure.observer.disconnect();
  figure.ended.abort();
  cancelAnimationFrame(figure.frame);
  clearTimeout(figure.speaking);
}

/* ---- state ---- */

const snapshot = ({ x, y, chosen, ridge }) => ({ x: [...x], y: [...y], chosen, ridge });

function remember(figure) {
  figure.past.push(snapshot(figure));
  if (figure.past.length > MOST_STEPS) figure.past.shift();
  Object.assign(figure, { moving: undefined, stirred: true });
}

function restore(figure) {
  const { points, chosen } = figure.data;
  Object.assign(figure, { x: points.map((p) => p[0]), y: points.map((p) => p[1]), chosen, ridge: 0 });
}

function undo(figure) {
  if (figure.past.length === 0) return;
  Object.assign(figure, figure.past.pop(), { moving: undefined });
  build(figure);
}

function add(figure, [x, y] = emptiest(figure)) {
  if (figure.x.length >= MOST_POINTS) return;
  remember(figure);
  figure.x.push(x);
  figure.y.push(y);
  figure.chosen = figure.x.length - 1;
  build(figure);
}

/* The last point stays: without points there is no line. */
function remove(figure) {
  if (figure.x.length === 1) return;
  remember(figure);
  figure.x.splice(figure.chosen, 1);
  figure.y.splice(figure.chosen, 1);
  figure.chosen = Math.min(figure.chosen, figure.x.length - 1);
  build(figure);
}

function choose(figure, i) {
  if (figure.chosen === i) return;
  Object.assign(figure, { chosen: i, moving: undefined, held: undefined, stirred: true });
  schedule(figure);
}

function move(figure, x, y) {
  const [[left, right], [low, high]] = figure.data.domain;
  figure.x[figure.chosen] = Math.min(Math.max(x, left), right);
  figure.y[figure.chosen] = Math.min(Math.max(y, low), high);
  schedule(figure);
}

/* Of a grid of places, the one farthest from all points. */
function emptiest({ x, y, data: { domain } }) {
  const [width, height] = domain.map(([low, high]) => high - low);
  const shares = [0.1, 0.3, 0.5, 0.7, 0.9];
  const places = shares.flatMap((u) => shares.map((v) => [domain[0][0] + u * width, domain[1][0] + v * height]));
  const room = ([px, py]) => Math.min(...x.map((_, i) => Math.hypot((x[i] - px) / width, (y[i] - py) / height)));
  return places.reduce((best, place) => (room(place) > room(best) + 1e-9 ? place : best));
}

/* ---- drawing ---- */

const sizeOf = ({ root, svg }) => `${svg.clientWidth} ${getComputedStyle(root).fontSize}`;

function build(figure) {
  const width = figure.svg.clientWidth;
  const em = parseFloat(getComputedStyle(figure.root).fontSize);
  if (!(width >= 10 * em)) return; // on a hidden tab, or before the styles are there
  const focused = figure.root.getRootNode().activeElement?.closest?.(".point");
  Object.assign(figure, { size: sizeOf(figure), em, ...figure.play.layout(figure, width, em) });
  const { plot, data } = figure;
  figure.held = undefined; // the point that was held may be gone
  figure.sx = scale(...data.domain[0], plot.left, plot.right);
  figure.sy = scale(...data.domain[1], plot.bottom, plot.top);
  set(figure.svg, { viewBox: `0 0 ${width} ${figure.height}`, height: figure.height });
  figure.root.classList.toggle("many", figure.x.length > MANY);
  figure.root.classList.toggle("slide", Boolean(data.height));
  figure.svg.replaceChildren(axes(figure), ...figure.play.draw(figure), drawPoints(figure), drawTop(figure));
  if (focused) figure.marks[figure.chosen].focus({ preventScroll: true });
  paint(figure);
}

function axes({ plot, sx, sy, em, data, steps }) {
  const across = ticks(...data.domain[0], (plot.right - plot.left) / (5 * em));
  const up = ticks(...data.domain[1], (plot.bottom - plot.top) / (3 * em));
  Object.assign(steps, { x: across.step / 10, y: up.step / 10 });
  const grid = [
    ...across.values.map((v) => make("path", { class: "grid", d: `M${sx(v)} ${plot.top}V${plot.bottom}` })),
    ...up.values.map((v) => make("path", { class: "grid", d: `M${plot.left} ${sy(v)}H${plot.right}` })),
  ];
  const labels = [
    ...across.values.map((v) => make("text", { x: sx(v), y: plot.bottom + 1.2 * em, "text-anchor": "middle" }, number(v))),
    ...up.values.map((v) => make("text", { x: plot.left - 0.5 * em, y: sy(v) + 0.35 * em, "text-anchor": "end" }, number(v))),
    make("text", { class: "name", x: plot.right, y: plot.bottom - 0.5 * em, "text-anchor": "end" }, data.names[0]),
    make("text", { class: "name", x: plot.left + 0.5 * em, y: plot.top + em }, data.names[1]),
  ];
  return make("g", { "aria-hidden": "true" }, ...grid, ...labels);
}

function drawPoints(figure) {
  const r = Math.max(5, 0.36 * figure.em) * (figure.x.length > MANY ? 0.6 : 1);
  figure.marks = figure.x.map((_, i) =>
    make(
      "g",
      { class: "point", role: "slider", tabindex: 0, "data-i": i, "aria-roledescription": "movable point", "aria-label": `Point ${i + 1}` },
      make("circle", { class: "hit", r: REACH }),
      make("circle", { class: "dot", r }),
    ),
  );
  return make("g", { class: "points" }, ...figure.marks);
}

/* The chosen point once more, above all others, with its number and the ring of the focus. */
function drawTop(figure) {
  const [ring, dot] = ["ring", "dot"].map((name) => make("circle", { class: name, r: (name === "ring" ? 0.85 : 0.5) * figure.em }));
  figure.label = make("text", { "text-anchor": "middle" });
  figure.top = make("g", { class: "top", "aria-hidden": "true" }, ring, dot, figure.label);
  return figure.top;
}

function schedule(figure) {
  figure.frame ||= requestAnimationFrame(() => paint(figure));
}

function paint(figure) {
  cancelAnimationFrame(figure.frame);
  figure.frame = 0;
  if (!figure.marks) return;
  figure.marks.forEach((mark, i) => place(figure, mark, i));
  paintTop(figure);
  figure.play.paint(figure);
  const { past, x, buttons } = figure;
  const off = { undo: past.length === 0, remove: x.length === 1, add: x.length >= MOST_POINTS };
  for (const name in off) set(buttons[name], { "aria-disabled": off[name] });
  paintRidge(figure);
  clearTimeout(figure.speaking);
  if (figure.stirred) figure.speaking = setTimeout(() => write(figure, "heard", figure.play.tell(figure)), QUIET);
}

/* Only what has changed is touched: of two hundred points, one moves. */
function place(figure, mark, i) {
  const { x, y, chosen, sx, sy, data } = figure;
  const key = `${x[i]} ${y[i]} ${i === chosen}`;
  if (mark.painted === key) return;
  mark.painted = key;
  const [low, high] = data.domain[0];
  const value = { "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": x[i], "aria-valuetext": position(figure, i) };
  set(mark, { transform: `translate(${sx(x[i])} ${sy(y[i])})`, "aria-current": i === chosen, ...value });
}

function paintTop({ top, label, x, y, chosen, sx, sy }) {
  set(top, { transform: `translate(${sx(x[chosen])} ${sy(y[chosen])})` });
  if (label.textContent !== String(chosen + 1)) label.textContent = chosen + 1;
}

/* The chosen point's number stands on the side where no line leads away from it. */
function labelChosen({ label, em }, above) {
  set(label, { y: above ? -0.8 * em : 1.4 * em });
}

function position({ data, x, y, chosen }, i = chosen) {
  const [across, up] = data.domain.map(([low, high]) => decimals(high - low));
  return `${data.names[0]} ${fixed(x[i], across)}, ${data.names[1]} ${fixed(y[i], up)}`;
}

function paintRidge({ slider, ridge, data, facts }) {
  if (!slider) return;
  slider.value = data.ridges.indexOf(ridge);
  set(slider, { "aria-valuetext": number(ridge) });
  write({ facts }, "ridge", number(ridge));
}
