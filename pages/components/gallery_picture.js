/* Paints the gallery's canvas: measures, colours, images, captions. The listbox over it is gallery.js.
 *
 * gallery.py joins both files into one module, this one first. Lengths are device pixels unless a name says css.
 */

const GAP_CSS = 12;
const ROW_GAP_CSS = 16;
const READABLE = 4.5; // WCAG AA, text against its ground
// The largest canvas that every current browser draws, phones included; a taller gallery draws the rows near the reader.
const MOST_PIXELS = 16e6;
const MOST_HEIGHT = 16384;

/* ---- colours and type ---- */

function readLook(root) {
  const style = getComputedStyle(root);
  const colour = (name) => toRgb(style.getPropertyValue(name).trim());
  const [ink, paper] = [colour("--st-text-color"), colour("--st-background-color")];
  return {
    ink,
    paper,
    muted: readable(ink.map((value, i) => 0.6 * value + 0.4 * paper[i]), ink, paper),
    mark: readable(colour("--st-orange-text-color"), ink, paper),
    hairline: style.getPropertyValue("--st-border-color").trim(),
    family: style.fontFamily,
    text: parseFloat(style.fontSize),
  };
}

/* Any CSS colour as [r, g, b]: the browser paints one pixel with it. */
function toRgb(css) {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  context.fillStyle = css;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/* The colour, moved towards the ink in steps until text in it can be read on the paper. */
function readable(colour, ink, paper) {
  for (let step = 0; step < 20 && contrast(colour, paper) < READABLE; step++) {
    colour = colour.map((value, i) => value + 0.1 * (ink[i] - value));
  }
  return colour.map(Math.round);
}

function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const css = (rgb) => `rgb(${rgb.join(" ")})`;

/* ---- the images, side by side on one hidden canvas ---- */

function buildSprite({ h, w, channels, ids }, pixels, ink) {
  const across = Math.ceil(Math.sqrt((ids.length * h) / w));
  const image = new ImageData(across * w, Math.ceil(ids.length / across) * h);
  const words = new Uint32Array(image.data.buffer);
  const word = channels === 3 ? colourWord(pixels) : inkWord(pixels, ink);
  for (let item = 0, at = 0; item < ids.length; item++) {
    const corner = Math.floor(item / across) * h * image.width + (item % across) * w;
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) words[corner + y * image.width + x] = word(at++);
    }
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { canvas, across };
}

/* A grey value is the amount of ink. The words are little-endian (alpha, blue, green, red), as on every current device. */
function inkWord(pixels, [r, g, b]) {
  const ink = (b << 16) | (g << 8) | r;
  return (at) => (pixels[at] << 24) | ink;
}

function colourWord(pixels) {
  return (at) => 0xff000000 | (pixels[3 * at + 2] << 16) | (pixels[3 * at + 1] << 8) | pixels[3 * at];
}

/* ---- measures ---- */

const measureKey = ({ root }) => `${root.clientWidth} ${devicePixelRatio}`;

function measure({ root, header, look }, context) {
  const dpr = devicePixelRatio;
  const width = Math.floor(root.clientWidth * dpr);
  const hair = Math.max(1, Math.round(dpr));
  const scale = imageScale(header, dpr, width - 2 * hair);
  const box = Math.round(Math.max(header.h, header.w) * scale) + 2 * hair;
  const least = Math.round(GAP_CSS * dpr);
  const columns = Math.max(1, Math.floor((width + least) / (box + least)));
  const gap = columns > 1 ? (width - columns * box) / (columns - 1) : 0;
  const full = header.ragged ? Math.ceil : Math.floor;
  const rows = Math.min(Math.max(1, full(header.ids.length / columns)), header.max_rows ?? Infinity);
  const line = Math.round(1.3 * look.text * dpr);
  const oneLine = fitsOneLine(header, look, context, dpr, box);
  const text = line * ((oneLine ? 1 : 2) + (header.marks?.some(Boolean) ? 1.2 : 0)) + 3 * dpr;
  const cell = Math.round(box + text);
  return {
    dpr, width, hair, scale, box, columns, gap, rows, line, oneLine, cell,
    count: Math.min(header.ids.length, rows * columns),
    rowGap: Math.round(ROW_GAP_CSS * dpr),
  };
}

/* A whole number of device pixels per image pixel, so that all are alike; larger images shrink to the size asked for. */
function imageScale({ h, w, size }, dpr, room) {
  const side = Math.max(h, w);
  const wish = Math.min((size * dpr) / side, room / side);
  const near = Math.round(wish);
  return wish < 1 ? wish : near * side <= room ? near : Math.floor(wish);
}

function fitsOneLine({ captions, scores }, look, context, dpr, box) {
  const space = 0.5 * look.text * dpr;
  const widest = (texts, font) => {
    context.font = font;
    return Math.max(...[...new Set(texts)].map((text) => context.measureText(text).width));
  };
  return widest(captions, boldFont(look, dpr)) + space + widest(scores, plainFont(look, dpr)) <= box;
}

const boldFont = (look, dpr) => `700 ${look.text * dpr}px ${look.family}`;
const plainFont = (look, dpr) => `400 ${look.text * dpr}px ${look.family}`;
const badgeFont = (look, dpr) => `600 ${0.88 * look.text * dpr}px ${look.family}`;

/* ---- drawing ---- */

function draw(gallery) {
  if (!gallery.root.clientWidth) return; // in a hidden tab: the observer calls again when it is shown
  const started = performance.now();
  const { canvas, root } = gallery;
  const context = canvas.getContext("2d");
  const m = (gallery.measures = measure(gallery, context));
  gallery.drawnFor = measureKey(gallery);
  const pitch = m.cell + m.rowGap;
  root.style.height = `${(m.rows * pitch - m.rowGap) / m.dpr}px`;
  const [first, last] = (gallery.window = rowsNear(root, m, pitch));
  canvas.width = m.width;
  canvas.height = (last - first) * pitch - m.rowGap;
  canvas.style.cssText = `top:${(first * pitch) / m.dpr}px;width:${canvas.width / m.dpr}px;height:${canvas.height / m.dpr}px`;
  const pen = makePen(context, gallery.look, m);
  for (let item = first * m.columns; item < Math.min(m.count, last * m.columns); item++) {
    const column = item % m.columns;
    drawItem(pen, gallery, m, item, Math.round(column * (m.box + m.gap)), (Math.floor(item / m.columns) - first) * pitch);
  }
  layCells(gallery);
  canvas.dataset.drawMs = (performance.now() - started).toFixed(1);
}

/* All rows where the canvas can hold them, otherwise as many as it holds, around the middle of the screen. */
function rowsNear(root, { rows, width, dpr }, pitch) {
  const most = Math.max(1, Math.floor(Math.min(MOST_HEIGHT, MOST_PIXELS / width) / pitch));
  if (rows <= most) return [0, rows];
  const middle = ((innerHeight / 2 - root.getBoundingClientRect().top) * dpr) / pitch;
  const first = Math.max(0, Math.min(rows - most, Math.round(middle - most / 2)));
  return [first, first + most];
}

function outOfSight({ root, measures, window: drawn }) {
  if (!measures || drawn[1] - drawn[0] >= measures.rows) return false;
  const pitch = (measures.cell + measures.rowGap) / measures.dpr;
  const top = root.getBoundingClientRect().top;
  const above = drawn[0] > 0 && top + drawn[0] * pitch > -0.25 * innerHeight;
  const below = drawn[1] < measures.rows && top + drawn[1] * pitch < 1.25 * innerHeight;
  return above || below;
}

function makePen(context, look, m) {
  context.imageSmoothingEnabled = m.scale < 1; // only where several image pixels share one of the screen
  context.imageSmoothingQuality = "high";
  [context.textBaseline, context.textAlign] = ["alphabetic", "left"];
  const shortened = new Map();
  const fit = (text, font, room) => {
    const key = `${font} ${text}`;
    if (!shortened.has(key)) shortened.set(key, shorten(context, text, room));
    return shortened.get(key);
  };
  const write = (text, font, colour, x, y, room) => {
    context.font = font;
    context.fillStyle = css(colour);
    const short = fit(text, font, room);
    const end = context.textAlign === "left" ? m.width - Math.ceil(context.measureText(short).width) : m.width;
    context.fillText(short, Math.min(x, end), y); // under the last column a long name begins a little earlier
  };
  return { context, write, fonts: [boldFont, plainFont, badgeFont].map((font) => font(look, m.dpr)) };
}

function shorten(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end).trimEnd()}…`;
}

/* The class is bold, the score in the plain cut. A canvas cannot ask for tabular figures: the theme's font has them as its own. */
function drawItem(pen, { header, look, sprite }, m, item, x, y) {
  const { context, write, fonts } = pen;
  const [bold, plain, badge] = fonts;
  const room = m.box + 0.6 * m.gap;
  const mark = header.marks?.[item];
  drawImage(context, header, look, sprite, m, item, x, y);
  let base = y + m.box + m.line;
  write(header.captions[item], bold, look.ink, x, base, room);
  if (m.oneLine) {
    context.textAlign = "right";
    write(header.scores[item], plain, look.muted, x + m.box, base, room);
    context.textAlign = "left";
  } else {
    base += m.line;
    write(header.scores[item], plain, look.muted, x, base, room);
  }
  if (!mark) return;
  drawMarkFrame(context, look, m, x, y);
  write(mark, badge, look.mark, x, base + 1.1 * m.line, room);
}

function drawImage(context, { h, w }, look, { canvas, across }, m, item, x, y) {
  const [dw, dh] = [Math.round(w * m.scale), Math.round(h * m.scale)];
  const [left, top] = [Math.round((m.box - dw) / 2), Math.round((m.box - dh) / 2)];
  context.fillStyle = css(look.paper);
  context.fillRect(x, y, m.box, m.box);
  context.drawImage(canvas, (item % across) * w, Math.floor(item / across) * h, w, h, x + left, y + top, dw, dh);
  context.strokeStyle = look.hairline;
  context.lineWidth = m.hair;
  context.strokeRect(x + m.hair / 2, y + m.hair / 2, m.box - m.hair, m.box - m.hair);
}

function drawMarkFrame(context, look, m, x, y) {
  context.save();
  context.strokeStyle = css(look.mark);
  context.lineWidth = 2 * m.hair;
  context.setLineDash([4 * m.hair, 2 * m.hair]);
  context.strokeRect(x + m.hair, y + m.hair, m.box - 2 * m.hair, m.box - 2 * m.hair);
  context.restore();
}
