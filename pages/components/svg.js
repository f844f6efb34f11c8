/* Drawings of a component: elements that are made once and changed only where they differ. */

const SVG = "http://www.w3.org/2000/svg";

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  element.append(...children);
  return element;
}

/* Only what differs: even an equal value makes the browser look at its styles again. */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

function scale(low, high, from, to) {
  const map = (value) => from + ((value - low) * (to - from)) / (high - low);
  map.back = (place) => low + ((place - from) * (high - low)) / (to - from);
  return map;
}

function write({ facts }, name, text) {
  const element = facts[name];
  if (element.textContent !== text) element.textContent = text;
}
