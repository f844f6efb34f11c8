/* How mouse, touch and keyboard reach the figures of the lesson. Every event ends in a change of state; lever_stage.js paints it.
 *
 * Mouse and touch: press a point and drag; a double click on free ground adds one. Keys, on a point: arrows move, Shift
 * makes the steps ten times as large, Home and End walk to the first and last point, + and Insert add, Delete removes,
 * Escape ends a drag where it began. Ctrl+Z anywhere in the figure, and buttons for all of it.
 */

function listen(figure) {
  const { root, svg, slider } = figure;
  figure.ended = new AbortController();
  const on = (target, name, act, more) => target.addEventListener(name, act, { signal: figure.ended.signal, ...more });
  on(svg, "pointerdown", (event) => grab(figure, event));
  on(svg, "pointermove", (event) => drag(figure, event));
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) on(svg, end, (event) => drop(figure, event));
  // Chromium scrolls in spite of touch-action on a part of a drawing; this holds it still, on points alone.
  on(svg, "touchstart", (event) => event.target.closest(".point") && event.preventDefault(), { passive: false });
  on(svg, "dblclick", (event) => addAt(figure, event));
  on(svg, "focusin", (event) => event.target.matches(".point") && choose(figure, Number(event.target.dataset.i)));
  on(root, "keydown", (event) => press(figure, event));
  on(root, "click", (event) => command(figure, event.target.closest("[data-do]")?.dataset.do));
  if (!slider) return;
  on(slider, "input", () => slide(figure));
  on(slider, "change", () => (figure.sliding = false));
}

function at({ svg, sx, sy }, event) {
  const box = svg.getBoundingClientRect();
  const ratio = svg.viewBox.baseVal.width / box.width;
  return [sx.back((event.clientX - box.left) * ratio), sy.back((event.clientY - box.top) * ratio)];
}

/* Where targets overlap, the nearest point is meant. */
function grab(figure, event) {
  if (!event.isPrimary || event.button !== 0 || !event.target.closest(".point")) return;
  const { x, y, sx, sy, svg } = figure;
  const [px, py] = at(figure, event);
  const far = (i) => Math.hypot(sx(x[i]) - sx(px), sy(y[i]) - sy(py));
  const i = x.reduce((best, _, j) => (far(j) < far(best) ? j : best), 0);
  event.preventDefault();
  svg.setPointerCapture(event.pointerId);
  choose(figure, i);
  figure.marks[i].focus({ preventScroll: true });
  figure.held = { pointer: event.pointerId, dx: x[i] - px, dy: y[i] - py, moved: false };
}

function drag(figure, event) {
  const { held } = figure;
  if (held?.pointer !== event.pointerId) return;
  if (!held.moved) remember(figure);
  held.moved = true;
  const [px, py] = at(figure, event);
  move(figure, px + held.dx, py + held.dy);
}

function drop(figure, { pointerId }) {
  if (figure.held?.pointer === pointerId) figure.held = undefined;
}

/* Escape while dragging: the point goes back where it was. */
function letGo(figure) {
  if (figure.held?.moved) undo(figure);
  figure.held = undefined;
}

function addAt(figure, event) {
  if (event.target.closest(".point")) return;
  const [[left, right], [low, high]] = figure.data.domain;
  const [x, y] = at(figure, event);
  if (x >= left && x <= right && y >= low && y <= high) add(figure, [x, y]);
}

function command(figure, name) {
  if (name === "add") add(figure);
  if (name === "remove") remove(figure);
  if (name === "undo") undo(figure);
  if (name !== "restore") return;
  remember(figure);
  restore(figure);
  build(figure);
}

function slide(figure) {
  if (!figure.sliding) remember(figure);
  figure.sliding = true;
  figure.ridge = figure.data.ridges[Number(figure.slider.value)];
  schedule(figure);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function press(figure, event) {
  const undoing = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  if (undoing && !event.shiftKey) undo(figure);
  else if (event.ctrlKey || event.metaKey || event.altKey || !event.target.matches(".point") || !act(figure, event)) return;
  event.preventDefault();
  event.stopPropagation();
}

/* Whether the key meant something to a point. */
function act(figure, { key, shiftKey }) {
  const last = figure.marks.length - 1;
  if (key in ARROWS) nudge(figure, ARROWS[key], shiftKey ? 10 : 1);
  else if (key === "Home" || key === "End") figure.marks[key === "Home" ? 0 : last].focus();
  else if (key === "Delete" || key === "Backspace") remove(figure);
  else if (key === "Insert" || key === "+") add(figure);
  else if (key === "Escape") letGo(figure);
  else return false;
  return true;
}

/* A walk of one point is one step of undo. */
function nudge(figure, [dx, dy], times) {
  const { x, y, chosen, steps } = figure;
  if (figure.moving !== chosen) remember(figure);
  figure.moving = chosen;
  const step = (value, by) => Number((value + by * times).toPrecision(12));
  move(figure, step(x[chosen], dx * steps.x), step(y[chosen], dy * steps.y));
}
