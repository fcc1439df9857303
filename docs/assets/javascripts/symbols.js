// Lights what belongs together: a symbol of the equations that run, what the code has for it, and
// its cells in the interactive figure. Where the pointer is; for the keyboard and the finger there
// is a row of buttons below the equations, one stop of the Tab key.
//
// Pages hold none of it: each symbol is looked for here, by the names that the build found in the
// equations' own theories (scripts/sitegen/render/symbols.py). Figures name their cells themselves.

const CHECKED = "article details.check";
const TERMS = "mfrac, msub, msup, msubsup";
const ON = "book-lit";
let symbols = {};
let kept; // the symbol that a button holds

// What a term is, as the names have it: X^ for X̂ with its indices, σ2 for σ² with its own, ∂X.
function shownBy(term) {
  if (term.localName === "mfrac") {
    const [above, below] = term.children;
    const one = below.querySelector(TERMS) ?? below.lastElementChild;
    return above.textContent === "∂L" && one ? `∂${shownBy(one)}` : "";
  }
  const [base, , power] = term.children;
  if (!base) return term.textContent;
  return base.textContent + (term.localName === "msubsup" ? power.textContent : "");
}

function markTerms(formula) {
  for (const term of formula.querySelectorAll(TERMS)) {
    if (term.parentElement.closest("[data-symbol]")) continue; // the X of ∂L/∂X
    const shown = shownBy(term);
    const found = Object.keys(symbols).find((name) => symbols[name].shown === shown);
    if (found) term.dataset.symbol = found;
  }
}

const marked = (symbol, ...content) => {
  const span = document.createElement("span");
  span.dataset.symbol = symbol;
  span.append(...content);
  return span;
};

function* texts(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) yield walker.currentNode;
}

// An expression that the code returns; it may have elements in it.
function markExpression(code, expression, symbol) {
  const start = code.textContent.lastIndexOf(expression);
  if (start < 0) return;
  const [range, end] = [document.createRange(), start + expression.length];
  let before = 0;
  for (const text of texts(code)) {
    const after = before + text.length;
    if (before <= start && start < after) range.setStart(text, start - before);
    if (before < end && end <= after) range.setEnd(text, end - before);
    before = after;
  }
  range.insertNode(marked(symbol, range.extractContents()));
}

// The names, but for calls such as x.mean(): in code, and not in strings, comments and numbers,
// which have an element.
function markNames(code, named) {
  const name = new RegExp(`(?<!\\w)(${Object.keys(named).join("|")})(?!\\w|\\()`);
  const isCode = ({ parentElement: within }) => within === code || within.dataset.symbol;
  for (const text of [...texts(code)].filter(isCode)) {
    const parts = text.data.split(name); // every second one is a name
    text.replaceWith(...parts.map((part, i) => (i % 2 ? marked(named[part], part) : part)));
  }
}

function markCode(code) {
  const named = {};
  for (const [symbol, { code: [first, ...expressions] }] of Object.entries(symbols)) {
    named[first] = symbol;
    for (const expression of expressions) markExpression(code, expression, symbol);
  }
  markNames(code, named);
}

function light(symbol) {
  for (const one of document.querySelectorAll(`.${ON}`)) one.classList.remove(ON);
  if (!symbol) return;
  for (const one of document.querySelectorAll(`[data-symbol="${symbol}"]`)) one.classList.add(ON);
}

const times = (count) => (count === 1 ? "once" : count === 2 ? "twice" : `${count} times`);

function told(symbol) {
  const among = (where) => [...document.querySelectorAll(`article ${where} [data-symbol="${symbol}"]`)];
  const [inCode, inMath, inFigure] = ["pre", "math", ".book-live"].map(among);
  const code = inCode.length ? `${inCode[0].textContent} in the code, ${times(inCode.length)}` : "not named in the code";
  const figure = inFigure.length ? ", and it is lit in the figure" : "";
  return `${symbols[symbol].label} is ${code}; ${times(inMath.length)} in the equations${figure}.`;
}

/** The buttons of the symbols in a block of equations: one stop, within which the arrows move. */
function buttonsOf(formula) {
  const there = new Set([...formula.querySelectorAll("[data-symbol]")].map((one) => one.dataset.symbol));
  const status = document.createElement("span");
  status.role = "status";
  const buttons = [...there].map((symbol, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "book-button";
    button.dataset.symbol = symbol;
    button.textContent = symbols[symbol].label;
    button.tabIndex = i ? -1 : 0;
    button.ariaPressed = "false";
    button.addEventListener("focus", () => (light(symbol), (status.textContent = told(symbol))));
    button.addEventListener("blur", () => light(kept));
    button.addEventListener("click", () => {
      kept = kept === symbol ? undefined : symbol;
      for (const one of document.querySelectorAll("button[data-symbol]")) one.ariaPressed = one.dataset.symbol === kept;
      light(symbol);
      status.textContent = told(symbol);
    });
    return button;
  });
  const bar = document.createElement("div");
  bar.className = "book-symbols";
  bar.role = "toolbar";
  bar.ariaLabel = "Symbols of these equations";
  bar.append(...buttons, status);
  bar.addEventListener("keydown", ({ key, target }) => {
    const next = buttons[buttons.indexOf(target) + ({ ArrowRight: 1, ArrowLeft: -1 }[key] ?? NaN)];
    if (!next) return;
    target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return bar;
}

function formulaOf(details) {
  let before = details.previousElementSibling;
  while (before?.localName === "ol") before = before.previousElementSibling; // a derivation's reasons
  return before?.matches("div.math") ? before : undefined;
}

async function mark() {
  if (!waiting) return;
  waiting = false;
  near.disconnect();
  const checked = [...document.querySelectorAll(CHECKED)].filter(formulaOf);
  const layers = (await import("./symbols/names.js")).default;
  const sources = [...document.querySelectorAll("article pre > code")].map((code) => ({
    code,
    layer: Object.keys(layers).find((name) => new RegExp(`^def ${name}(_|\\()`, "m").test(code.textContent)),
  })).filter(({ layer }) => layer);
  symbols = Object.assign({}, ...sources.map(({ layer }) => layers[layer]));
  for (const { code } of sources) markCode(code);
  for (const details of checked) {
    const formula = formulaOf(details);
    markTerms(formula);
    const isWhole = details.previousElementSibling === formula; // equations, and no derivation
    if (isWhole && formula.querySelector("[data-symbol]")) details.before(buttonsOf(formula));
  }
}

// Marking takes longer than a frame on a slow phone: it waits until equations are a screen away, or
// the pointer is on what it marks.
let waiting = false;
const near = new IntersectionObserver((all) => all.some((one) => one.isIntersecting) && mark(), { rootMargin: "100% 0%" });

function start() {
  near.disconnect();
  const formulas = [...document.querySelectorAll(CHECKED)].map(formulaOf).filter(Boolean);
  waiting = formulas.length > 0;
  for (const formula of formulas) near.observe(formula);
}

addEventListener("pointerover", ({ target }) => {
  if (target.closest?.("article :is(math, pre)")) mark();
  const symbol = target.closest?.("article [data-symbol]")?.dataset.symbol;
  light(symbol ?? kept);
});
if (globalThis.document$) globalThis.document$.subscribe(start); // also after an instant navigation
else start();
