// What a page must do in each engine, asked from within it. Needs probes.js.
(() => {
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  // Nothing waits for a frame: Firefox may draw none for long.
  async function until(what, condition) {
    const end = Date.now() + anywhere.patience;
    while (!condition()) {
      if (Date.now() > end) throw new Error(what);
      await pause(20);
    }
  }

  const named = (node) => node.ariaLabel || node.labels?.[0]?.textContent || node.textContent;
  const find = (figure, selector, name) => {
    const found = [...figure.querySelectorAll(selector)].find((node) => named(node).trim() === name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };

  // A key on a slider of the browser's own does nothing when a script sends it: the value is set.
  function key(control, key) {
    control.focus();
    control.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    if (control.type !== "range") return;
    if (key === "End") control.value = control.max;
    else if (/Left|Down/.test(key)) control.stepDown();
    else control.stepUp();
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function take(figure, { button, slider, key: pressed, times, field, value, text, where }) {
    if (button) find(figure, "button", button).click();
    if (slider) {
      const control = find(figure, "input, [role=slider]", slider);
      for (let i = 0; i < times; i += 1) key(control, pressed);
    }
    if (field) {
      const control = find(figure, "input", field);
      control.value = value;
      for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    if (text)
      await until(`does not say: ${text}`, () =>
        [...figure.querySelectorAll(where)].some((node) =>
          `${node.textContent} ${node.ariaLabel}`.includes(text),
        ),
      );
  }

  // Each figure of the page, operated as a reader would.
  async function operate(recipes) {
    const problems = [];
    for (const [name, steps] of Object.entries(recipes))
      for (const figure of document.querySelectorAll(name)) {
        figure.scrollIntoView();
        try {
          for (const step of steps) await take(figure, step);
        } catch (error) {
          problems.push(`${name}: ${error.message}`);
        }
      }
    return problems;
  }

  // The switch of the colours, once round: does the page become dark, and light again?
  async function colours() {
    const [problems, button] = [[], document.querySelector(".book-palette")];
    const asked = { light: ["default", 0.5, 1], dark: ["slate", 0, 0.3] };
    for (const scheme of ["light", "dark"]) {
      button.click();
      await probes.settle();
      const [name, least, most] = asked[scheme];
      const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
      const light = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
      if (document.body.dataset.mdColorScheme !== name || light < least || light > most)
        problems.push(`not ${scheme}: ${document.body.dataset.mdColorScheme}, ${r} ${g} ${b}`);
      problems.push(...probes.overflow().map((what) => `${scheme}: ${what}`));
    }
    button.click();
    return problems;
  }

  // The parts of formulas that must have so many children, and have not.
  function formulas() {
    const asked = { 2: "mfrac, msub, msup, munder, mover, mroot", 3: "msubsup, munderover" };
    return Object.entries(asked).flatMap(([count, names]) =>
      [...document.querySelectorAll(names)]
        .filter((node) => node.childElementCount !== Number(count))
        .map((node) => `${node.localName} has ${node.childElementCount} children`),
    );
  }

  async function search(words) {
    const field = document.querySelector(".md-search__input");
    field.focus();
    field.value = words;
    for (const kind of ["input", "keyup"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    await until(`the search finds nothing for ${words}`, () =>
      document.querySelector(".md-search-result__link"),
    );
    return document.querySelector(".md-search-result__link").textContent;
  }

  window.anywhere = { operate, colours, formulas, search, patience: 30_000 };
})();
