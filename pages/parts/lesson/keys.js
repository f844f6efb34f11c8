/* Arrow keys and a presenter's clicker (page keys) move between chapters; Escape leaves the talk mode.
 *
 * A key that means something where the focus is (a slider, a list, a text field) stays there.
 * A new chapter starts at its top: Streamlit keeps the scroll position of the one before.
 * A talk is told how high its screen is, so that pictures of a fixed size grow with it.
 */

const OWN = "input, textarea, select, [contenteditable=true], [role=listbox], [role=slider], [role=radio], [role=combobox], [role=tab], [role=dialog] *, [role=application], [data-keys=own]";
const MOVES = { ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", Escape: "leave" };
const listeners = new WeakMap();

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const mark = parentElement.querySelector(".keys");
  document.removeEventListener("keydown", listeners.get(mark));
  const listener = (event) => {
    const move = MOVES[event.key];
    const focused = event.composedPath()[0];
    if (!move || !data.talk || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (focused instanceof Element && focused.closest(OWN)) return;
    event.preventDefault();
    setTriggerValue("move", move);
  };
  listeners.set(mark, listener);
  document.addEventListener("keydown", listener);
  if (mark.dataset.chapter && mark.dataset.chapter !== String(data.chapter)) {
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }
  mark.dataset.chapter = data.chapter;
  if (data.talk && mark.dataset.height !== String(innerHeight)) {
    mark.dataset.height = innerHeight;
    setStateValue("height", innerHeight);
  }
  return () => {
    if (listeners.get(mark) === listener) document.removeEventListener("keydown", listener);
  };
}
