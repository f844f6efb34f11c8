/* A talk's keys: what a presenter's clicker sends, and the arrow keys, move on and back; Escape leaves the talk mode.
 *
 * They belong to the talk whatever was touched last: they are taken before anything on the page sees them. Who walks
 * into a picture by Tab has its arrows and Space, until the next click or chapter; page keys move even then. A new
 * chapter starts at its top: Streamlit keeps the scroll position of the one before. A talk is told how high its screen
 * is, so that pictures of a fixed size grow with it. The speaker's line counts the time of the talk and of the chapter.
 */

const ALWAYS = { PageDown: "next", PageUp: "back" };
const MOVES = { ...ALWAYS, ArrowRight: "next", ArrowDown: "next", " ": "next", ArrowLeft: "back", ArrowUp: "back", Escape: "leave" };
const WRITES = "input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable=true], [role=dialog] *";
const stages = new WeakMap();
let walked = false; // by Tab into what has the focus
let [begun, entered] = [0, 0]; // of the talk and of the chapter, in milliseconds

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const line = parentElement.querySelector(".keys");
  stages.get(line)?.abort();
  const stage = new AbortController();
  stages.set(line, stage);
  const on = (target, name, act) => target.addEventListener(name, act, { signal: stage.signal, capture: true });
  if (line.dataset.chapter !== data.chapter) arrive(line, data);
  line.hidden = !data.note;
  if (data.talk) {
    on(window, "keydown", (event) => press(event, setTriggerValue));
    on(window, "click", click);
    on(window, "pointerdown", () => (walked = false));
    on(window, "blur", () => document.activeElement?.tagName === "IFRAME" && setTimeout(() => document.activeElement.blur()));
    const tell = () => tellHeight(line, setStateValue);
    on(window, "resize", tell);
    tell();
  }
  if (data.note) count(line, data, stage.signal);
  return () => {
    if (stages.get(line) === stage) stage.abort();
  };
}

function arrive(line, { chapter }) {
  if (line.dataset.chapter) document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  line.dataset.chapter = chapter;
  entered = Date.now();
  walked = false;
}

function press(event, setTriggerValue) {
  if (event.key === "Tab") walked = true;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const focused = event.composedPath()[0];
  const inside = focused instanceof Element && focused !== document.body;
  if (event.key === "F5" && !event.shiftKey) fill(event);
  const move = MOVES[event.key];
  if (!move || (inside && focused.closest(WRITES))) return;
  if (inside && walked && !ALWAYS[event.key]) {
    walked = event.key !== "Escape"; // which lets go of the picture
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.repeat) return;
  if (inside) focused.blur();
  if (move === "next" && tookStep()) return;
  setTriggerValue("move", move);
}

/* A figure that has a step left of its own takes it first: it cancels the event. */
const tookStep = () => !document.dispatchEvent(new CustomEvent("lesson:next", { cancelable: true }));

/* The button Next does what the key does. */
function click(event) {
  if (!event.target.closest?.(".st-key-lesson-next") || !tookStep()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/* A clicker's start button: the whole screen in place of a reload, which would forget what was shown. */
function fill(event) {
  event.preventDefault();
  document.documentElement.requestFullscreen?.().catch(() => {});
}

function tellHeight(line, setStateValue) {
  const height = innerHeight - (line.hidden ? 0 : line.offsetHeight);
  if (line.dataset.height === String(height)) return;
  line.dataset.height = height;
  setStateValue("height", height);
}

function count(line, { note }, signal) {
  begun ||= Date.now();
  line.querySelector(".note").textContent = note;
  const clock = (since) => {
    const seconds = Math.floor((Date.now() - since) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  const tick = () => (line.querySelector(".time").textContent = `${clock(begun)} of the talk, ${clock(entered)} here`);
  tick();
  const timer = setInterval(tick, 1000);
  signal.addEventListener("abort", () => clearInterval(timer));
}
