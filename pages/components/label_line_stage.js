/* The picture of the lesson's labels: curve, fit and band, the bought labels, and under them the leverage density.
 *
 * A figure has a state (design, labels, degree, curve, step, mine, draws, chosen). `refresh` works out what follows from it;
 * `build` makes the elements for a size and a state; `paint` only moves them. Nothing is sent to the server.
 */

const REACH = 22; // a finger's target is 44 pixels wide
const READ = 80; // milliseconds that words stand still in a drag: laying out sentences costs more than the picture

/* ---- what follows from the state ---- */

const placesOf = (figure, design) => (design === "mine" ? figure.mine.slice(0, figure.labels) : placesBy(figure, design));

function placesBy({ labels, degree, draws, known }, design) {
  const key = `${design} ${labels} ${degree} ${draws[design]}`;
  return (known[key] ??= labelPlaces(design, labels, degree, draws[design]));
}

function refresh(figure) {
  const { design, degree, curve, data, step, chosen } = figure;
  figure.x = placesOf(figure, design);
  figure.y = figure.x.map((place, i) => CURVES[curve](place) + data.noise[i]);
  if (design !== "mine" || chosen >= figure.x.length) figure.chosen = -1;
  figure.fit = figure.x.length > 0 ? fitPolynomial(figure.x, figure.y, degree) : null;
  figure.errors = undefined;
  if (!figure.fit) return;
  figure.halves = gridRows(degree).map((row) => data.half * Math.sqrt(leverageAt(figure.fit, row)));
  const half = Math.max(...figure.halves);
  figure.widest = { half, place: GRID[figure.halves.indexOf(half)] };
  if (step === 2) figure.errors = standings(figure);
}

/* Every design's error; the reader's own only once it has all its labels. */
function standings(figure) {
  const { labels, degree, curve, draws, known, data } = figure;
  const errors = {};
  for (const design of ["mine", "equal", "random", "leverage"]) {
    const x = placesOf(figure, design);
    if (x.length < labels && design !== figure.design) continue;
    const fit = () => (design === figure.design ? figure.fit : fitted(x, data.noise, degree, curve));
    const error = () => curveError(fit(), curve);
    errors[design] = design === "mine" ? error() : (known[`error ${design} ${labels} ${degree} ${curve} ${draws[design]}`] ??= error());
  }
  figure.usualErrors = {};
  if (figure.design === "random" || (figure.design === "leverage" && draws.leverage > 0)) {
    const key = `usual ${figure.design} ${labels} ${degree} ${curve}`;
    figure.usualErrors[figure.design] = known[key] ??= usualError(figure.design, data.noise, labels, degree, curve);
  }
  return errors;
}

/* Of a fine row of places, the one farthest from all chosen ones and, half as much, from the ends. */
function emptiest(x) {
  const room = (place) => Math.min(2 * (1 - Math.abs(place)), ...x.map((other) => Math.abs(place - other)));
  return GRID.reduce((best, place) => (room(place) > room(best) + 1e-9 ? place : best), 0);
}

/* ---- drawing ---- */

const sizeOf = ({ root, svg }) => `${svg.clientWidth} ${getComputedStyle(root).fontSize}`;

function layout(figure, width, em) {
  const narrow = width < 30 * em;
  const wide = Math.min(0.62 * width, Math.max(0.48 * innerHeight, 18 * em)); // the inviting button stays in the window
  const height = figure.data.height ?? (narrow ? 1.15 * width : wide);
  const strip = { bottom: height - 0.3 * em, top: height - 0.3 * em - Math.max(0.2 * height, 2.6 * em) };
  const plot = { left: 2.6 * em, right: width - 1.2 * em, top: 0.5 * em, bottom: strip.top - 3.1 * em };
  return { height, strip, plot };
}

function build(figure) {
  const width = figure.svg.clientWidth;
  const em = parseFloat(getComputedStyle(figure.root).fontSize);
  if (!(width >= 10 * em)) return; // on a hidden tab, or before the styles are there
  const focused = figure.root.getRootNode().activeElement?.closest?.(".point");
  Object.assign(figure, { size: sizeOf(figure), em, held: undefined, ...layout(figure, width, em) });
  const { plot, strip, degree, data, curve } = figure;
  figure.sx = scale(-1, 1, plot.left, plot.right);
  figure.sy = scale(...data.shown[curve], plot.bottom, plot.top);
  figure.sl = scale(0, degree + 1, strip.bottom, strip.top);
  set(figure.svg, { viewBox: `0 0 ${width} ${figure.height}`, height: figure.height });
  refresh(figure);
  figure.svg.replaceChildren(drawAxes(figure), drawFit(figure), drawStrip(figure), drawPoints(figure), drawTop(figure));
  if (focused) figure.marks[Math.max(0, figure.chosen)]?.focus({ preventScroll: true });
  show(figure);
}

function drawAxes({ plot, strip, sx, sy, em, data, curve, x, step }) {
  const up = ticks(...data.shown[curve], (plot.bottom - plot.top) / (3 * em)).values;
  const across = [-1, -0.5, 0, 0.5, 1];
  const text = (v, more) => make("text", more, number(v));
  return make(
    "g",
    { "aria-hidden": "true" },
    make("rect", { class: "ground", x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top }),
    ...up.map((v) => make("path", { class: "grid", d: `M${plot.left} ${sy(v)}H${plot.right}` })),
    ...across.map((v) => make("path", { class: "grid", d: `M${sx(v)} ${plot.top}V${plot.bottom}M${sx(v)} ${strip.top}V${strip.bottom}` })),
    make("path", { class: "axis", d: `M${plot.left} ${plot.bottom}H${plot.right}` }),
    ...across.map((v) => text(v, { x: sx(v), y: plot.bottom + 1.15 * em, "text-anchor": "middle" })),
    ...up.map((v) => text(v, { x: plot.left - 0.4 * em, y: sy(v) + 0.35 * em, "text-anchor": "end" })),
    ...(x.length === 0 ? [make("text", { class: "hint", x: sx(0), y: (plot.top + plot.bottom) / 2, "text-anchor": "middle" }, "Choose a place: tap or click")] : []),
    ...(x.length > 0 && step === 0 ? [make("text", { class: "hint", x: sx(0), y: (plot.top + plot.bottom) / 2, "text-anchor": "middle" }, "?")] : []),
  );
}

function drawFit(figure) {
  const { plot, curve, sx, sy, step } = figure;
  const clip = make("clipPath", { id: "frame" });
  clip.append(make("rect", { x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top }));
  const truth = GRID.map((x) => `${sx(x)} ${sy(CURVES[curve](x))}`).join("L");
  figure.parts = { band: make("path", { class: "band" }), fit: make("path", { class: "fit" }), off: make("path", { class: "off" }) };
  const { band, fit, off } = figure.parts;
  const shown = step === 2 ? [make("path", { class: "truth", d: `M${truth}` })] : [];
  return make("g", { "aria-hidden": "true", "clip-path": "url(#frame)" }, make("defs", {}, clip), band, ...shown, fit, off);
}

/* The density; by leverage, every second of the equal shares is darker. */
function drawStrip(figure) {
  const { plot, strip, sx, sl, em, degree, design, draws, labels } = figure;
  const level = (x) => sl((2 * density(x, degree)) / (degree + 1));
  const line = (places) => places.map((x) => `${sx(x)} ${level(x)}`).join("L");
  const edge = (i) => quantile(i / labels, degree);
  const piece = (low, high) => {
    const inner = GRID.filter((x) => x > low && x < high);
    return `M${sx(low)} ${sl(0)}L${line([low, ...inner, high])}L${sx(high)} ${sl(0)}Z`;
  };
  const shares = design === "leverage" && draws.leverage === 0 ? Array.from({ length: labels }, (_, i) => i) : [];
  const darker = shares.filter((i) => i % 2 === 0).map((i) => piece(edge(i), edge(i + 1)));
  figure.parts.stems = make("path", { class: "stems" });
  const label = (v) => make("text", { x: plot.left - 0.4 * em, y: sl(v) + (v > 1 ? 0.8 : 0.2) * em, "text-anchor": "end" }, `${v}×`);
  return make(
    "g",
    { "aria-hidden": "true" },
    make("path", { class: "mean", d: `M${plot.left} ${sl(1)}H${plot.right}` }),
    make("path", { class: "density", d: piece(-1, 1) }),
    make("path", { class: "shares", d: darker.join("") }),
    figure.parts.stems,
    make("path", { class: "axis", d: `M${plot.left} ${strip.bottom}H${plot.right}` }),
    label(1),
    label(degree + 1),
    make("text", { class: "name", x: plot.left, y: strip.top - 0.55 * em }, "Leverage: how much a label here decides"),
  );
}

/* The reader's places can be moved, others' cannot; a bought label stays until the curve is known. */
const movable = ({ design, step }) => design === "mine" && step !== 1;

function drawPoints(figure) {
  const r = Math.max(5, 0.36 * figure.em);
  const hands = { role: "slider", tabindex: 0, "aria-roledescription": "movable place", "aria-valuemin": -1, "aria-valuemax": 1 };
  figure.marks = figure.x.map((_, i) =>
    movable(figure)
      ? make("g", { class: "point", "data-i": i, "aria-label": `Place ${i + 1}`, ...hands }, make("circle", { class: "hit", r: REACH }), make("circle", { class: "dot", r }))
      : make("g", { "aria-hidden": "true" }, make("circle", { class: "dot", r })),
  );
  return make("g", { class: "points" }, ...figure.marks);
}

/* Above all: the ring of the focus, and how far off the fit is at most. */
function drawTop(figure) {
  figure.ring = make("circle", { class: "ring", r: 0.85 * figure.em });
  figure.far = make("text", { class: "far" });
  return make("g", { class: "top", "aria-hidden": "true" }, figure.ring, figure.far);
}

function schedule(figure) {
  figure.frame ||= requestAnimationFrame(() => {
    refresh(figure);
    show(figure);
  });
}

function show(figure) {
  cancelAnimationFrame(figure.frame);
  figure.frame = 0;
  if (!figure.marks) return;
  const { x, y, sx, sy, step, plot, parts, sl, degree } = figure;
  const height = (i) => (step === 0 ? plot.bottom : sy(y[i]));
  x.forEach((place, i) => {
    const mark = figure.marks[i];
    if (mark.painted === place) return;
    mark.painted = place;
    const told = movable(figure) ? { "aria-valuenow": place, "aria-valuetext": `x ${fixed(place, 2)}` } : {};
    set(mark, { transform: `translate(${sx(place)} ${height(i)})`, ...told });
  });
  const stem = (place) => `M${sx(place)} ${sl(0)}V${sl((2 * density(place, degree)) / (degree + 1))}`;
  set(parts.stems, { d: x.map(stem).join("") });
  const { chosen } = figure;
  figure.ring.style.display = chosen < 0 ? "none" : "";
  if (chosen >= 0) set(figure.ring, { transform: `translate(${sx(x[chosen])} ${height(chosen)})` });
  showFit(figure);
  const wait = figure.held ? READ - (performance.now() - figure.told) : 0;
  if (!(wait > 0)) showWords(figure);
  else figure.telling ||= setTimeout(() => showWords(figure), wait);
}

function showFit(figure) {
  const { fit, halves, step, sx, sy, degree, parts } = figure;
  const drawn = fit && step > 0;
  for (const part of Object.values(parts)) if (part !== parts.stems) part.style.display = drawn ? "" : "none";
  if (!drawn) return;
  const values = gridRows(degree).map((row) => valueAt(fit, row));
  const point = (y, i) => `${sx(GRID[i]).toFixed(1)} ${within(sy(y)).toFixed(1)}`;
  const path = (ys) => ys.map(point).filter((_, i) => i % 2 === 0);
  const [upper, lower] = [1, -1].map((sign) => path(values.map((value, i) => value + sign * halves[i])));
  set(parts.fit, { d: `M${path(values).join("L")}` });
  set(parts.band, { d: `M${upper.join("L")}L${lower.reverse().join("L")}Z` });
  showFarthest(figure, values);
}

/* Paths stay near the picture, whatever the fit does. */
const within = (pixels) => Math.min(Math.max(pixels, -1e4), 1e4);

function showFarthest(figure, values) {
  const { errors, design, parts, far, curve, sx, sy, plot, em } = figure;
  const error = errors?.[design];
  parts.off.style.display = far.style.display = error ? "" : "none";
  if (!error) return;
  const [px, truth, fit] = [sx(error.place), sy(CURVES[curve](error.place)), sy(values[GRID.indexOf(error.place)])];
  const end = Math.min(Math.max(fit, plot.top), plot.bottom);
  set(parts.off, { d: `M${px} ${truth}V${end}` });
  const side = error.place < 0 ? 1 : -1;
  const y = freeHeight(figure, values, px, side, [Math.min(truth, end) - 1.2 * em, Math.max(truth, end) + 1.2 * em, (truth + end) / 2]);
  set(far, { x: px + 0.5 * side * em, y: y + 0.35 * em, "text-anchor": side > 0 ? "start" : "end" });
  const beyond = fit < plot.top ? " ↑" : fit > plot.bottom ? " ↓" : "";
  far.textContent = `off by ${distance(error.largest)}${beyond}`;
}

/* Of these heights for a text that begins at px, the one farthest from curve and fit. */
function freeHeight({ sx, sy, curve, plot, em }, values, px, side, heights) {
  const beside = (x) => side * (sx(x) - px) > 0 && Math.abs(sx(x) - px) < 6.5 * em;
  const lines = GRID.flatMap((x, i) => (beside(x) ? [sy(values[i]), sy(CURVES[curve](x))] : []));
  const free = (y) => Math.min(...lines.map((line) => Math.abs(line - y)));
  const inside = heights.map((y) => Math.min(Math.max(y, plot.top + em), plot.bottom - em));
  return inside.reduce((best, other) => (free(other) > free(best) + em / 2 ? other : best));
}

function showWords(figure) {
  const { root, step, design, labels, degree, data, errors, buttons } = figure;
  clearTimeout(figure.telling);
  Object.assign(figure, { telling: 0, told: performance.now() });
  Object.assign(root.dataset, { design, step });
  root.classList.toggle("done", step === 2 && !waiting(figure));
  write(figure, "said", sentence(figure));
  write(figure, "who", details(figure));
  write(figure, "degree", String(degree));
  write(figure, "labels", String(labels));
  for (const name of ["mine", "equal", "random", "leverage"]) write(figure, name, errors?.[name] ? distance(errors[name].largest) : "");
  const next = invitation(figure);
  if (buttons.onward.textContent !== next) buttons.onward.textContent = next;
  const off = { simpler: degree === 1, richer: degree === data.most.degree, fewer: labels === 1, more: labels === data.most.labels };
  for (const name in off) set(buttons[name], { "aria-disabled": off[name] });
  buttons.draw.hidden = design !== "random" && design !== "leverage";
  figure.select.hidden = step < 2;
  write(figure, "formula", data.formulas[figure.curve]);
  figure.select.value = figure.curve;
  for (const radio of figure.radios) radio.checked = radio.value === design;
}
