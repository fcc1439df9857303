// What the figures share: making elements, controls with a label, and colours of the theme.
// Everything is plain DOM and SVG; colours are the custom properties --book-blue, --book-orange,
// --book-green, --book-purple, --book-red, --book-rule, --book-quiet, so that themes are CSS alone.

const SVG = "http://www.w3.org/2000/svg";

// element("button", {class: "x", "aria-label": "y"}, "text", child): attributes, then children.
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

let count = 0;

// A labelled slider with its value beside it; `format` writes the value for eye and screen reader.
export function slider({ label, min, max, step, value, format = number, onInput, signal }) {
  const id = `book-slider-${(count += 1)}`;
  const input = element("input", { id, type: "range", min, max, step, value });
  const output = element("output", { for: id, "aria-live": "off" }); // the slider says its value
  const say = () => {
    output.textContent = format(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => (say(), onInput(input.valueAsNumber)), { signal });
  say();
  const node = element("div", { class: "book-control" }, element("label", { for: id }, label), input, output);
  const set = (to) => ((input.value = to), say());
  return { node, input, set };
}

export function button(label, onClick, signal) {
  const node = element("button", { type: "button", class: "book-button" }, label);
  node.addEventListener("click", onClick, { signal });
  return node;
}

// A number as the book writes it: a real minus sign, no trailing zeros.
export function number(value, digits = 2) {
  const text = Number(value.toFixed(digits)).toString();
  return text.replace("-", "−");
}

// A polite live region: `say(text)` is read out, at most twice a second.
export function announcer(stage) {
  const node = element("p", { class: "book-status", role: "status" });
  stage.append(node);
  let timer, latest;
  // The first call starts the clock and the others leave it: what never rests is told as well.
  return (text) => {
    latest = text;
    timer ??= setTimeout(() => {
      node.textContent = latest;
      timer = undefined;
    }, 500);
  };
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// A handle that is dragged over a drawing, or moved with the arrow keys. `drag` is told where the
// pointer is in the drawing's own units, `step` which way an arrow leads: right and up are 1.
export function draggable(handle, { drawing, drag, step, signal }) {
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  }, { signal });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const { a, e, f } = drawing.getScreenCTM();
    drag([(event.clientX - e) / a, (event.clientY - f) / a]);
  }, { signal });
  handle.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    step(ARROWS[event.key]);
  }, { signal });
}

export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
