/* Draws hundreds of small images on one canvas and lets mouse, touch, keyboard and screen reader pick one.
 *
 * data: 4 bytes (length of the header, little-endian), the header (UTF-8 JSON, written by gallery.py), the pixels.
 * The canvas holds everything that is seen at rest. Over it lies an invisible listbox with one option per image,
 * a CSS grid of the same measures: it takes the clicks and the keys, speaks to screen readers and frames the image
 * that is hovered, focused or selected. Lengths are device pixels unless a name says css.
 *
 * Streamlit calls the default export again for new data and for a new theme, and may call the cleanup of a run
 * that was overtaken by a later one: only the last run's cleanup ends the gallery.
 */

const galleries = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gallery");
  if (!galleries.has(root)) galleries.set(root, create(root));
  const gallery = galleries.get(root);
  const run = ++gallery.run;
  gallery.report = (id) => setTriggerValue("clicked", id);
  show(gallery, data);
  return () => {
    if (gallery.run === run) end(gallery);
  };
}

function create(root) {
  const gallery = { root, canvas: root.querySelector("canvas"), cells: root.querySelector(".cells"), run: 0, active: 0 };
  const { cells } = gallery;
  cells.onclick = (event) => click(gallery, [...cells.children].indexOf(event.target));
  cells.onkeydown = (event) => press(gallery, event);
  cells.onfocus = () => cells.matches(":focus-visible") && reveal(gallery);
  gallery.redraw = () => gallery.header && draw(gallery);
  gallery.scroll = () => gallery.header && outOfSight(gallery) && draw(gallery);
  gallery.observer = new ResizeObserver(() => gallery.header && measureKey(gallery) !== gallery.drawnFor && draw(gallery));
  gallery.observer.observe(root);
  document.fonts.addEventListener("loadingdone", gallery.redraw);
  window.addEventListener("resize", gallery.redraw); // also fires when the window moves to a screen of another density
  document.addEventListener("scroll", gallery.scroll, { capture: true, passive: true });
  return gallery;
}

function end(gallery) {
  gallery.observer.disconnect();
  document.fonts.removeEventListener("loadingdone", gallery.redraw);
  window.removeEventListener("resize", gallery.redraw);
  document.removeEventListener("scroll", gallery.scroll, { capture: true });
  galleries.delete(gallery.root);
}

function show(gallery, bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const focused = gallery.header?.ids[gallery.active];
  gallery.active = [focused, header.selected].map((id) => header.ids.indexOf(id)).find((at) => at >= 0) ?? gallery.active;
  gallery.header = header;
  gallery.look = readLook(gallery.root);
  gallery.sprite = buildSprite(header, bytes.subarray(4 + length), gallery.look.ink);
  gallery.cells.setAttribute("aria-label", header.alt);
  draw(gallery);
}

/* ---- the listbox ---- */

/* One option per drawn image, kept where it can be: a screen reader loses its place when its element goes. */
function layCells(gallery) {
  const { cells, header, measures: m } = gallery;
  const px = (length) => `${length / m.dpr}px`;
  cells.style.gridTemplateColumns = `repeat(${m.columns}, ${px(m.box)})`;
  cells.style.gridAutoRows = px(m.cell);
  cells.style.gap = `${px(m.rowGap)} ${px(m.gap)}`;
  cells.style.setProperty("--box", px(m.box));
  while (cells.childElementCount > m.count) cells.lastElementChild.remove();
  while (cells.childElementCount < m.count) cells.append(makeOption(cells.childElementCount));
  [...cells.children].forEach((option, item) => describe(option, header, item));
  activate(gallery, gallery.active);
}

function makeOption(item) {
  const option = document.createElement("div");
  option.id = `item-${item}`;
  option.setAttribute("role", "option");
  return option;
}

function describe(option, { ids, ranks, captions, scores, marks, selected }, item) {
  const named = { rank: ranks?.[item], class: captions[item], score: scores[item] };
  const said = Object.entries(named).filter(([, value]) => value !== undefined && value !== "");
  const label = [...said.map((pair) => pair.join(" ")), marks?.[item]].filter(Boolean).join(", ") || `image ${item + 1}`;
  option.setAttribute("aria-label", label);
  option.setAttribute("aria-selected", String(ids[item] === selected));
}

function activate(gallery, item) {
  const { cells } = gallery;
  gallery.active = Math.max(0, Math.min(item, cells.childElementCount - 1));
  cells.querySelector(".active")?.classList.remove("active");
  cells.children[gallery.active].classList.add("active");
  cells.setAttribute("aria-activedescendant", `item-${gallery.active}`);
}

const reveal = ({ cells, active }) => cells.children[active].scrollIntoView({ block: "nearest" });

function click(gallery, item) {
  if (item < 0) return; // between two images
  activate(gallery, item);
  gallery.report(gallery.header.ids[item]);
}

function press(gallery, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { active, cells } = gallery;
  const last = cells.childElementCount - 1;
  if (event.key === "Enter" || event.key === " ") {
    if (!event.repeat) click(gallery, active);
  } else {
    const target = aim(event.key, active, last, gallery.measures);
    if (target === undefined) return;
    if (target >= 0 && target <= last) activate(gallery, target);
    reveal(gallery);
  }
  event.preventDefault();
}

/* Where a key leads from the active image; outside 0..last where there is no image that way; undefined for other keys. */
function aim(key, active, last, { columns, cell, rowGap, dpr }) {
  const column = active % columns;
  const screenful = columns * Math.max(1, Math.floor((innerHeight * dpr) / (cell + rowGap)) - 1);
  const ends = { Home: 0, End: last, PageUp: Math.max(column, active - screenful) };
  ends.PageDown = Math.min(last - ((last - column) % columns), active + screenful);
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  return ends[key] ?? (key in steps ? active + steps[key] : undefined);
}
