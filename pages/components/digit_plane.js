/* Small images at their coordinates in a plane: a listbox whose options stand where the points lie.
 *
 * data: the block of bytes that digit_plane.py writes. x, y and side are parts of the width (x, side) and height (y);
 * box is the plane's own [left, top, width, height], y downwards, in which the ellipses are drawn.
 */

const planes = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".plane");
  const plane = planes.get(root) ?? { root, marks: root.querySelector(".marks"), svg: root.querySelector("svg"), active: 0 };
  planes.set(root, plane);
  plane.report = (id) => setTriggerValue("picked", id);
  show(plane, data);
}

function show(plane, bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const { root, marks } = plane;
  plane.header = header;
  const aspect = header.box[2] / header.box[3];
  root.style.aspectRatio = aspect;
  root.style.setProperty("--aspect", aspect);
  marks.setAttribute("aria-label", header.alt);
  drawGround(plane.svg, header);
  const ink = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
  marks.replaceChildren(...header.ids.map((_, item) => option(header, bytes.subarray(4 + length), item, ink)));
  marks.onclick = (event) => pick(plane, [...marks.children].indexOf(event.target.closest("[role=option]")));
  marks.onkeydown = (event) => press(plane, event);
  activate(plane, Math.max(0, header.ids.indexOf(header.selected ?? header.ids[plane.active])));
}

function option({ ids, names, x, y, side, h, w, badges, selected }, pixels, item, ink) {
  const mark = document.createElement("div");
  mark.id = `mark-${item}`;
  mark.setAttribute("role", "option");
  mark.setAttribute("aria-label", [names[item], badges[ids[item]]].filter(Boolean).join(", "));
  mark.setAttribute("aria-selected", String(ids[item] === selected));
  mark.style.cssText = `left:${100 * x[item]}%;top:${100 * y[item]}%;width:${100 * side}%`;
  mark.append(picture(pixels.subarray(item * h * w, (item + 1) * h * w), h, w, ink));
  if (badges[ids[item]]) {
    mark.classList.add("best");
    mark.append(Object.assign(document.createElement("span"), { className: "badge", textContent: badges[ids[item]], ariaHidden: "true" }));
  }
  return mark;
}

function picture(values, h, w, [r, g, b]) {
  const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
  const image = new ImageData(w, h);
  values.forEach((value, at) => image.data.set([r, g, b, value], 4 * at));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function drawGround(svg, { box, ellipses }) {
  const [left, top, width, height] = box;
  svg.setAttribute("viewBox", box.join(" "));
  svg.setAttribute("preserveAspectRatio", "none");
  const shapes = [
    ["line", { class: "axis", x1: left, x2: left + width, y1: 0, y2: 0 }],
    ["line", { class: "axis", x1: 0, x2: 0, y1: top, y2: top + height }],
    ...ellipses.map(([a, b]) => ["ellipse", { class: "ring", cx: 0, cy: 0, rx: a, ry: b }]),
  ];
  svg.replaceChildren(...shapes.map(([name, attributes]) => shape(name, attributes)));
}

function shape(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}

function pick(plane, item) {
  if (item < 0) return;
  activate(plane, item);
  plane.report(plane.header.ids[item]);
}

function activate(plane, item) {
  plane.active = item;
  plane.marks.querySelector(".active")?.classList.remove("active");
  plane.marks.children[item].classList.add("active");
  plane.marks.setAttribute("aria-activedescendant", `mark-${item}`);
}

/* An arrow leads to the nearest image on that side, counting what lies off the direction twice. */
function press(plane, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "Enter" || event.key === " ") {
    if (!event.repeat) pick(plane, plane.active);
  } else if (directions[event.key]) {
    activate(plane, nearest(plane, directions[event.key]));
  } else return;
  event.preventDefault();
}

function nearest({ header: { x, y, box }, active }, [dx, dy]) {
  let [best, least] = [active, Infinity];
  for (let item = 0; item < x.length; item++) {
    const across = (x[item] - x[active]) * box[2];
    const down = (y[item] - y[active]) * box[3];
    const ahead = across * dx + down * dy;
    const aside = Math.abs(across * dy) + Math.abs(down * dx);
    if (ahead > 0 && ahead + 2 * aside < least) [best, least] = [item, ahead + 2 * aside];
  }
  return best;
}
