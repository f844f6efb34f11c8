/* Curves side by side on the same axes, drawn as SVG; curves_layout.js says where names stand. Lengths are CSS pixels. */

const SVG = "http://www.w3.org/2000/svg";
const SECONDS = 4; // of a replay
const figures = new WeakMap();

/* Streamlit calls this again for new data and for a new theme, and may call the cleanup of a run that was overtaken. */
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".curves");
  const given = JSON.stringify(data);
  let figure = figures.get(root);
  if (figure?.given !== given) {
    if (figure) end(figure);
    figure = begin(root, data, given);
    figures.set(root, figure);
  }
  const run = ++figure.run;
  return () => {
    if (figures.get(root) !== figure || figure.run !== run) return;
    end(figure);
    figures.delete(root);
  };
}

function begin(root, data, given) {
  const [button, slider, output] = ["button", "input", "output"].map((name) => root.querySelector(name));
  const figure = { root, data, given, button, slider, output, run: 0, frame: 0, now: data.x.high, ended: new AbortController() };
  const on = (target, name, act) => target.addEventListener(name, act, { signal: figure.ended.signal });
  root.querySelector(".hands").hidden = !data.play;
  root.classList.toggle("slide", Boolean(data.height));
  Object.assign(slider, { min: data.x.low, max: data.x.high, step: 1, ariaLabel: data.x.title });
  on(slider, "input", () => stop(figure, Number(slider.value)));
  on(button, "click", () => play(figure));
  figure.observer = new ResizeObserver(() => sizeOf(figure) !== figure.size && build(figure));
  figure.observer.observe(root);
  build(figure);
  if (data.play) play(figure);
  return figure;
}

function end(figure) {
  figure.observer.disconnect();
  figure.ended.abort();
  cancelAnimationFrame(figure.frame);
}

/* ---- the replay ---- */

function play(figure) {
  const { low, high } = figure.data.x;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return stop(figure, high);
  cancelAnimationFrame(figure.frame);
  let first;
  const step = (time) => {
    first ??= time;
    figure.now = Math.min(high, low + ((time - first) / 1000 / SECONDS) * (high - low));
    paint(figure);
    if (figure.now < high) figure.frame = requestAnimationFrame(step);
  };
  figure.frame = requestAnimationFrame(step);
}

function stop(figure, now) {
  cancelAnimationFrame(figure.frame);
  figure.now = now;
  paint(figure);
}

/* ---- drawing ---- */

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const sizeOf = ({ root }) => `${root.clientWidth} ${getComputedStyle(root).fontSize}`;

function build(figure) {
  const { root, data } = figure;
  const em = parseFloat(getComputedStyle(root).fontSize);
  if (!(root.clientWidth >= 10 * em)) return; // on a hidden tab, or before the styles are there
  figure.size = sizeOf(figure);
  figure.em = em;
  const panels = root.querySelector(".panels");
  panels.replaceChildren(...data.panels.map(frame));
  figure.parts = data.panels.map((panel, i) => draw(figure, panel, panels.children[i].querySelector("svg")));
  paint(figure);
}

function frame({ title, sentence, alt }) {
  const box = document.createElement("section");
  const name = Object.assign(document.createElement("h3"), { textContent: title });
  const said = document.createElement("p");
  sentence.split("*").forEach((part, i) => said.append(i % 2 ? Object.assign(document.createElement("b"), { textContent: part }) : part));
  box.append(name, said, make("svg", { role: "img", "aria-label": alt }));
  return box;
}

function draw({ data, em }, { curves, y }, svg) {
  const width = svg.clientWidth;
  const height = data.height ?? Math.min(0.62 * width, 26 * em) + 3 * em;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  const longest = Math.max(...curves.map(({ name }) => widthOf(svg, `${name} ${written(y.high, y.form)}`)));
  const left = Math.max(...y.ticks.map((v) => widthOf(svg, written(v, y.form)))) + 0.7 * em;
  const plot = { left, right: width - longest - em, top: 1.9 * em, bottom: height - 1.5 * em };
  const [sx, sy] = [ruler(data.x, plot.left, plot.right), ruler(y, plot.bottom, plot.top)];
  const lines = curves.map((curve) => line(curve, em));
  const beside = widthOf(svg, written(data.x.ticks.at(-1), data.x.form)) / 2 + 0.5 * em;
  svg.replaceChildren(axes(data.x, y, plot, sx, sy, em, beside), ...lines.map(({ group }) => group));
  return { curves, y, plot, sx, sy, lines };
}

function widthOf(svg, words) {
  const sample = make("text", { class: "name" }, words);
  svg.append(sample);
  const width = sample.getComputedTextLength();
  sample.remove();
  return width;
}

/* beside: how far right of its last tick the horizontal axis has its title. */
function axes(x, y, plot, sx, sy, em, beside) {
  const text = (words, attributes) => make("text", attributes, words);
  return make(
    "g",
    { "aria-hidden": "true" },
    ...y.ticks.map((v) => make("path", { class: "grid", d: `M${plot.left} ${sy(v)}H${plot.right}` })),
    ...y.ticks.map((v) => text(written(v, y.form), { x: plot.left - 0.5 * em, y: sy(v) + 0.35 * em, "text-anchor": "end" })),
    ...x.ticks.map((v) => text(written(v, x.form), { x: sx(v), y: plot.bottom + 1.2 * em, "text-anchor": "middle" })),
    text(y.title, { x: 0, y: 0.9 * em }),
    text(x.title, { x: sx(x.ticks.at(-1)) + beside, y: plot.bottom + 1.2 * em }),
  );
}

function line({ name, colour, dash }, em) {
  const [path, leader] = ["curve", "leader"].map((kind) => make("path", { class: kind, stroke: colour }));
  path.setAttribute("stroke-dasharray", dash.length > 1 && dash[0] > 1 ? dash.map((part) => (part * em) / 14).join(" ") : "none");
  const dot = make("circle", { r: 0.3 * em, fill: colour });
  const label = make("text", { class: "name" });
  const group = make("g", {}, make("title", {}, name), path, leader, dot, label);
  return { group, path, leader, dot, label };
}

function paint(figure) {
  const { data, now, slider, output, em } = figure;
  slider.value = Math.round(now);
  output.textContent = `${data.x.title} ${written(Math.round(now), data.x.form)}`;
  for (const { curves, y: axis, plot, sx, sy, lines } of figure.parts ?? []) {
    const drawn = curves.map((curve) => until(curve, now));
    const ends = drawn.map((points) => points.at(-1) ?? [data.x.low, axis.low]);
    const places = spread(ends.map((point) => sy(point[1])), 1.15 * em, plot.top, plot.bottom - 0.4 * em);
    lines.forEach(({ path, leader, dot, label }, i) => {
      const [px, py] = [sx(ends[i][0]), sy(ends[i][1])];
      path.setAttribute("d", `M${drawn[i].map(([x, y]) => `${sx(x).toFixed(1)} ${sy(y).toFixed(1)}`).join("L")}`);
      leader.setAttribute("d", Math.abs(places[i] - py) > 0.2 * em ? `M${px} ${py}L${px + 0.7 * em} ${places[i]}` : "");
      set(dot, { cx: px, cy: py });
      set(label, { x: px + 0.85 * em, y: places[i] + 0.33 * em });
      label.textContent = `${curves[i].name} ${written(ends[i][1], axis.form)}`;
    });
  }
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
