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

export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
