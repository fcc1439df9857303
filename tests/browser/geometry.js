// Where the formulas of the sheet are drawn: what is wrong with that, and how wide each is.
(() => {
  const OPENING = "([{⟨⌊⌈";
  const CLOSING = ")]}⟩⌋⌉‖∥∣";
  const SIGNS = "−+±";
  const ROWS = "math, mrow, mstyle, mtd, mtr";

  const em = (node) => parseFloat(getComputedStyle(node).fontSize);
  const named = (node) => `${node.localName} “${node.textContent.slice(0, 30)}”`;
  const is = (node, characters) =>
    node?.localName === "mo" && node.textContent && characters.includes(node.textContent);

  function union(boxes) {
    const [left, top] = ["left", "top"].map((side) => Math.min(...boxes.map((b) => b[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...boxes.map((b) => b[side])));
    return { left, right, top, bottom, middle: (left + right) / 2 };
  }

  // The text's own box: its element's would hide where in it the glyphs are drawn.
  function text(leaf) {
    const range = document.createRange();
    range.selectNodeContents(leaf);
    return range.getBoundingClientRect();
  }

  function box(node) {
    if (node.children.length === 1 && node.localName === "mstyle") return box(node.children[0]); // a style, and not a distance
    if (!node.children.length) return union([text(node), node.getBoundingClientRect()]);
    if (/^m(td|tr|table)$/.test(node.localName)) return union(leaves(node).map(box));
    return union([node.getBoundingClientRect()]);
  }

  const leaves = (node) =>
    [...node.querySelectorAll("mi, mo, mn, mtext")].filter((leaf) => leaf.textContent.trim());

  const fraction = (node) =>
    node.localName === "mfrac" || (node.children.length === 1 && fraction(node.children[0]));

  const operator = (node) =>
    node.localName === "mo" || (/^m(under|sub|sup)/.test(node.localName) && operator(node.children[0]));

  // What stands side by side: no space, no mark without a glyph.
  const items = (row) =>
    [...row.children].filter((n) => n.localName !== "mspace" && n.textContent.trim("\u2061"));

  function* inRow(row) {
    const parts = items(row).filter((node) => !/^[\u2061-\u2064\s]*$/.test(node.textContent));
    for (const [i, node] of parts.entries()) {
      const [before, after] = [parts[i - 1], parts[i + 1]];
      if (before) yield* neighbours(before, node);
      if (is(node, SIGNS) && after) yield* sign(before, node, after);
    }
  }

  function* neighbours(a, b) {
    const gap = box(b).left - box(a).right;
    if (gap < -1) yield `${named(b)} is drawn over ${named(a)}: ${gap.toFixed(1)} px`;
    if ((fraction(a) || fraction(b)) && ![a, b].some(operator) && gap < 0.1 * em(a))
      yield `${named(a)} and ${named(b)} are one: ${gap.toFixed(1)} px`;
    if (a.localName === "mi" && a.textContent === "∂" && gap > 0.15 * em(a))
      yield `∂ stands apart from ${named(b)}: ${gap.toFixed(1)} px`;
  }

  // A sign belongs to what follows; between two terms it stands apart from both.
  function* sign(before, node, after) {
    const { left, width } = text(node);
    const prefix = !before || (before.localName === "mo" && !is(before, CLOSING));
    const apart = box(after).left - (prefix ? left : box(before).right) - width;
    if (prefix ? apart > 0.1 * em(node) : apart < 0.2 * em(node))
      yield `${named(node)} before ${named(after)} is no ${prefix ? "prefix" : "operator"}: ${apart.toFixed(1)} px`;
  }

  // Firefox and WebKit draw a glyph at its place, or beside it: then it leaves its element.
  function* inside(leaf) {
    const [inner, outer] = [text(leaf), leaf.getBoundingClientRect()];
    if (inner.left < outer.left - 1) yield `${named(leaf)} is ${outer.left - inner.left} px too far left`;
  }

  function* fence(bracket) {
    const inner = union(
      items(bracket.parentElement).filter((node) => !node.hasAttribute("fence")).map(box),
    );
    const { top, bottom } = bracket.getBoundingClientRect();
    if (bottom - top < 0.75 * (inner.bottom - inner.top))
      yield `${named(bracket)} is lower than what it holds`;
    if (Math.abs(top + bottom - inner.top - inner.bottom) > 0.8 * em(bracket))
      yield `${named(bracket)} does not stand beside what it holds`;
  }

  const above = function* (a, b) {
    const [upper, lower] = [a, b].map((node) => node.getBoundingClientRect());
    if (upper.bottom > lower.top + 2) yield `${named(a)} reaches into ${named(b)}: ${(upper.bottom - lower.top).toFixed(1)} px`;
  };

  const centred = function* (a, b) {
    const off = Math.abs(box(a).middle - box(b).middle);
    if (off > 0.35 * em(a)) yield `${named(b)} is not above or below ${named(a)}: ${off.toFixed(1)} px`;
  };

  function* stacked(node) {
    const [base, first, second] = node.children;
    if (node.localName === "mfrac") yield* above(base, first);
    else yield* centred(base, first);
    if (node.localName === "munder") yield* above(base, first);
    if (second) yield* above(second, base);
  }

  function* framed(frame) {
    const [outer, inner] = [frame, frame.firstElementChild].map((n) => n.getBoundingClientRect());
    const room = [inner.left - outer.left, outer.right - inner.right, inner.top - outer.top,
      outer.bottom - inner.bottom];
    if (Math.min(...room) < 0.25 * em(frame)) yield `the box is no frame: ${room.map(Math.round)} px`;
  }

  function* wrong(section) {
    const each = (selector) => section.querySelectorAll(selector);
    for (const row of each(ROWS)) yield* inRow(row);
    for (const leaf of leaves(section)) yield* inside(leaf);
    for (const bracket of each("[fence=true]")) yield* fence(bracket);
    for (const node of each("mfrac, munder, mover, munderover")) yield* stacked(node);
    for (const row of each("mtr + mtr")) yield* above(row.previousElementSibling, row);
    for (const frame of each(".boxed")) yield* framed(frame);
  }

  return Object.fromEntries(
    [...document.querySelectorAll("section")].map((section) => {
      const { left, right, top, bottom } = union([...leaves(section), ...section.querySelectorAll(".boxed")].map(box));
      return [section.id, { wrong: [...wrong(section)], box: [left, top, right, bottom] }];
    }),
  );
})()
