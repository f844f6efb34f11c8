/* Ten labels to buy: the figure's state, and how mouse, touch and keyboard change it. label_line_stage.js paints.
 *
 * A tap on free ground chooses a place while some are left; press a place and drag. Keys, on a place: left and right move
 * it, Shift makes the steps ten times as large, Home and End walk to the first and last, + and Insert add, Delete removes,
 * Escape ends a drag where it began. A presenter's key comes as the document's event "lesson:next".
 */

const QUIET = 600; // milliseconds without a change before the sentence is read aloud
const STEP = 0.01;
const figures = new WeakMap();

/* Streamlit calls this again for new data and for a new theme, and may call the cleanup of a run that was overtaken. */
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".label-line");
  const given = JSON.stringify(data);
  let figure = figures.get(root);
  if (figure?.given !== given) {
    if (figure) end(figure);
    figure = begin(root, data);
    figures.set(root, Object.assign(figure, { given, run: 0 }));
    build(figure);
  }
  const run = ++figure.run;
  return () => {
    if (figures.get(root) !== figure || figure.run !== run) return;
    end(figure);
    figures.delete(root);
  };
}

function begin(root, data) {
  const byName = (kind) => Object.fromEntries([...root.querySelectorAll(`[data-${kind}]`)].map((e) => [e.dataset[kind], e]));
  const figure = { root, data, svg: root.querySelector(".stage > svg"), select: root.querySelector("select"), radios: [...root.querySelectorAll("[type=radio]")] };
  Object.assign(figure, { facts: byName("fact"), buttons: byName("do"), known: {}, frame: 0, size: "" });
  root.classList.toggle("slide", Boolean(data.height)); // lever.css leaves out the caption
  for (const name in data.colours) root.style.setProperty(`--${name}`, data.colours[name]);
  const { labels, degree, curve, step, design } = data;
  const draws = { random: data.draw, leverage: 0 };
  Object.assign(figure, { labels, degree, curve, step, design, mine: [], draws, chosen: -1, seen: new Set([design]) });
  if (step > 0) figure.mine = filled(figure);
  listen(figure);
  figure.observer = new ResizeObserver(() => sizeOf(figure) !== figure.size && build(figure));
  figure.observer.observe(root);
  return figure;
}

function end(figure) {
  figure.observer.disconnect();
  figure.ended.abort();
  cancelAnimationFrame(figure.frame);
  clearTimeout(figure.speaking);
  clearTimeout(figure.telling);
}

/* ---- changes of state ---- */

/* Places that the reader has not chosen go where there is room. */
function filled({ mine, labels }) {
  const places = [...mine];
  while (places.length < labels) places.push(emptiest(places));
  return places;
}

/* Places, then labels, then the curve, then one design after the other; from the start after the last. */
function onward(figure) {
  const missing = figure.design === "mine" && figure.mine.length < figure.labels;
  const unseen = waiting(figure);
  if (missing) change(figure, { mine: filled(figure) });
  else if (figure.step < 2) change(figure, { step: figure.step + 1 });
  else if (unseen) change(figure, { design: unseen });
  else restart(figure);
}

function restart(figure) {
  change(figure, { step: 0, design: "mine", mine: [], chosen: -1, seen: new Set() });
}

/* For a presenter: the next step, if one waits. */
function forward(figure, event) {
  if (figure.step === 2 && !waiting(figure)) return;
  event.preventDefault();
  onward(figure);
}

const CHANGES = {
  onward,
  draw: (figure) => change(figure, { draws: { ...figure.draws, [figure.design]: nextDraw(figure) } }),
  simpler: (figure) => change(figure, { degree: Math.max(1, figure.degree - 1) }),
  richer: (figure) => change(figure, { degree: Math.min(figure.data.most.degree, figure.degree + 1) }),
  fewer: (figure) => change(figure, { labels: Math.max(1, figure.labels - 1) }),
  more: (figure) => change(figure, { labels: Math.min(figure.data.most.labels, figure.labels + 1) }),
};

/* By leverage begins with the middles of equal shares; then, as at random, one draw after the other. */
function nextDraw({ design, draws, data }) {
  return draws[design] === 0 ? data.draw : (draws[design] % DRAWS) + 1;
}

function change(figure, state) {
  Object.assign(figure, state);
  if (figure.step > 0) figure.mine = filled(figure);
  if (figure.step === 2) figure.seen.add(figure.design);
  changed(figure);
}

function changed(figure) {
  build(figure);
  speak(figure);
}

function add(figure, place = emptiest(figure.mine)) {
  if (figure.design !== "mine" || figure.mine.length >= figure.labels) return;
  figure.mine.push(place);
  figure.chosen = figure.mine.length - 1;
  changed(figure);
}

function remove(figure) {
  if (figure.chosen < 0) return;
  figure.mine.splice(figure.chosen, 1);
  figure.chosen = Math.min(figure.chosen, figure.mine.length - 1);
  changed(figure);
}

function move(figure, place) {
  figure.mine[figure.chosen] = Math.min(Math.max(Number(place.toPrecision(12)), -1), 1);
  schedule(figure);
  speak(figure);
}

function choose(figure, i) {
  figure.chosen = i;
  schedule(figure);
}

/* Read aloud once it rests. */
function speak(figure) {
  clearTimeout(figure.speaking);
  figure.speaking = setTimeout(() => write(figure, "heard", `${sentence(figure)} ${details(figure)}`), QUIET);
}

/* ---- hands ---- */

function listen(figure) {
  const { root, svg, select } = figure;
  figure.ended = new AbortController();
  const on = (target, name, act, more) => target.addEventListener(name, act, { signal: figure.ended.signal, ...more });
  on(svg, "pointerdown", (event) => grab(figure, event));
  on(svg, "pointermove", (event) => drag(figure, event));
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) on(svg, name, (event) => drop(figure, event));
  // Chromium scrolls in spite of touch-action on a part of a drawing; this holds it still, on places alone.
  on(svg, "touchstart", (event) => event.target.closest(".point") && event.preventDefault(), { passive: false });
  on(svg, "click", (event) => tap(figure, event));
  on(svg, "focusin", (event) => event.target.matches(".point") && choose(figure, Number(event.target.dataset.i)));
  on(root, "keydown", (event) => press(figure, event));
  on(root, "click", (event) => CHANGES[event.target.closest("[data-do]")?.dataset.do]?.(figure));
  for (const radio of figure.radios) on(radio, "change", () => change(figure, { design: radio.value }));
  on(select, "change", () => change(figure, { curve: select.value }));
  on(document, "lesson:next", (event) => forward(figure, event));
}

function at({ svg, sx, sy }, event) {
  const box = svg.getBoundingClientRect();
  const ratio = svg.viewBox.baseVal.width / box.width;
  return [sx.back((event.clientX - box.left) * ratio), (event.clientY - box.top) * ratio];
}

/* Where targets overlap, the nearest place is meant. */
function grab(figure, event) {
  if (!event.isPrimary || event.button !== 0 || !event.target.closest(".point")) return;
  const { x, svg } = figure;
  const [place] = at(figure, event);
  const i = x.reduce((best, _, j) => (Math.abs(x[j] - place) < Math.abs(x[best] - place) ? j : best), 0);
  event.preventDefault();
  svg.setPointerCapture(event.pointerId);
  choose(figure, i);
  figure.marks[i].focus({ preventScroll: true });
  figure.held = { pointer: event.pointerId, from: x[i], offset: x[i] - place };
}

function drag(figure, event) {
  const { held } = figure;
  if (held?.pointer !== event.pointerId) return;
  move(figure, at(figure, event)[0] + held.offset);
}

function drop(figure, { pointerId }) {
  if (figure.held?.pointer === pointerId) figure.held = undefined;
}

function tap(figure, event) {
  if (event.target.closest(".point")) return;
  const [place, height] = at(figure, event);
  const { plot } = figure;
  if (height >= plot.top && height <= plot.bottom + REACH && Math.abs(place) <= 1.05) add(figure, Math.min(Math.max(place, -1), 1));
}

function press(figure, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !event.target.matches(".point") || !act(figure, event)) return;
  event.preventDefault();
  event.stopPropagation();
}

const ARROWS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

/* Whether the key meant something to a place. */
function act(figure, { key, shiftKey }) {
  const { marks, chosen, held } = figure;
  if (key in ARROWS) move(figure, figure.mine[chosen] + ARROWS[key] * STEP * (shiftKey ? 10 : 1));
  else if (key === "Home" || key === "End") marks[key === "Home" ? 0 : marks.length - 1].focus();
  else if (key === "Delete" || key === "Backspace") remove(figure);
  else if (key === "Insert" || key === "+") add(figure);
  else if (key === "Escape" && held) {
    move(figure, held.from);
    figure.held = undefined;
  } else return false;
  return true;
}
