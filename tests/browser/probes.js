// What the tests ask of a page in the browser. Each probe returns a list of what is wrong.
(() => {
  const article = () => document.querySelector("article");
  const named = (node) => node.outerHTML.slice(0, 120);
  const shown = (node) =>
    node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const drawn = (image) => shown(image) && image.naturalWidth > 0;

  // Interactive figures that are still only a picture.
  const asleep = () =>
    [...article().querySelectorAll("*")].filter(
      (node) => customElements.get(node.localName) && !node.hasAttribute("data-live"),
    );

  // What is folded is unfolded, what comes late is there: then a probe sees the whole page.
  async function unfold() {
    for (const details of document.querySelectorAll("details")) details.open = true;
    // Also what would be laid out late.
    for (const node of article().children) node.style.contentVisibility = "visible";
    const images = [...document.images];
    for (const image of images) image.loading = "eager";
    await Promise.all(images.map((image) => image.decode().catch(() => {})));
    await document.fonts.ready;
    for (const figure of asleep()) {
      figure.scrollIntoView();
      for (let i = 0; i < 100 && !figure.hasAttribute("data-live"); i += 1)
        await pause(50);
    }
    scrollTo(0, 0);
    return asleep().map((node) => `still a picture: ${node.localName}`);
  }

  // Colours fade into each other, and what inherits one fades after it: to the end of it, at once.
  async function settle() {
    await frame();
    for (let i = 0; i < 100; i += 1) {
      const fading = document.getAnimations().filter((a) => a instanceof CSSTransition);
      if (!fading.length) return;
      for (const transition of fading) transition.finish();
      await frame();
    }
    throw new Error("the page does not come to rest");
  }

  function overflow() {
    const root = document.documentElement;
    const wide = root.scrollWidth - root.clientWidth;
    if (wide <= 0) return [];
    const over = [...document.querySelectorAll("body *")].filter(
      (node) => node.getBoundingClientRect().right > innerWidth + 1,
    );
    return [`${wide} px too wide`, ...over.slice(0, 5).map(named)];
  }

  function brokenImages() {
    return [...document.images]
      .filter((image) => shown(image) && !image.naturalWidth)
      .map((image) => `not loaded: ${image.src}`);
  }

  async function accessibility(rules) {
    // Stylesheets are loaded for one rule, which is none of these.
    const asked = { runOnly: rules, resultTypes: ["violations"], preload: false };
    const { violations } = await axe.run(asked);
    const told = (id, nodes) => [
      ...nodes.slice(0, 3).map((node) => `${id}: ${node.target} ${node.failureSummary}`),
      ...(nodes.length > 3 ? [`${id}: ${nodes.length} times`] : []),
    ];
    // The menu's switch stands before the header, where the stylesheet needs it: no landmark.
    // The head of a column may be a formula: axe does not read MathML, those who listen hear it.
    const fine = (id, node) =>
      (id === "region" && node.target[0] === "#__drawer") ||
      (id === "empty-table-header" && document.querySelector(node.target[0])?.querySelector("math"));
    return violations.flatMap(({ id, nodes }) => told(id, nodes.filter((node) => !fine(id, node))));
  }

  const figures = () =>
    [...document.querySelectorAll("body *")].filter((node) => node.localName.startsWith("nn-"));

  // What of a living figure a finger would miss: 24 pixels are asked for.
  function small() {
    return figures().flatMap((figure) => {
      const controls = [...figure.querySelectorAll("button, input, [role=slider]")].filter(shown);
      const boxes = controls.map((node) => [node, node.getBoundingClientRect()]);
      const missed = boxes.filter(([, { width, height }]) => width < 23.5 || height < 23.5);
      return [
        ...(controls.length ? [] : [`no controls: ${figure.localName}`]),
        ...missed.map(([node]) => `too small for a finger: ${named(node)}`),
      ];
    });
  }

  // The words of the article, but for what only a script adds.
  function words() {
    const added = ".book-live, .book-read, .book-tick, .md-code__nav";
    for (const node of article().querySelectorAll(added)) node.remove();
    return article().innerText.split(/\s+/).filter(Boolean);
  }

  // Of a page without JavaScript: what should be seen and is not, and what should not be there.
  function unseen() {
    const problems = [];
    const must = (kind, selector, fine) => {
      for (const node of article().querySelectorAll(selector)) {
        const inClosedTab = node.closest(".tabbed-block");
        if (!inClosedTab && !fine(node)) problems.push(`${kind}: ${named(node)}`);
      }
    };
    must("formula", "math", (node) => shown(node) && node.getBoundingClientRect().width > 0);
    must("code", "pre", shown);
    must("table", "table", shown);
    must("picture", "img:not(.book-dark)", drawn);
    must("figure", "figure", (node) =>
      [...node.querySelectorAll("img, svg, math, table, pre")].some((part) =>
        part.localName === "img" ? drawn(part) : shown(part),
      ),
    );
    for (const figure of figures())
      for (const node of figure.querySelectorAll("button, input"))
        problems.push(`control that does nothing: ${named(node)}`);
    return problems;
  }

  // The keyboard: `begin` remembers how everything looks without the focus, `step` is asked after
  // each press of Tab, `end` tells what was wrong.
  let before, visited, trouble;

  // Where a theme may show that the node has the focus.
  const near = (node) => {
    const next = node.nextElementSibling;
    const beside = next?.localName === "label" ? [next] : [];
    return [node, ...node.children, ...(node.labels ?? []), ...beside];
  };

  const look = (node) => {
    const style = getComputedStyle(node);
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, backgroundColor } = style;
    return [outlineStyle, outlineWidth, outlineColor, boxShadow, backgroundColor].join();
  };

  const looks = (node) => near(node).map(look).join(" ");

  function begin() {
    const asked = "a[href], button, input, select, textarea, summary, [tabindex]";
    // Radio buttons of one name are one stop.
    const skipped = (node) => node.disabled || (node.type === "radio" && !node.checked);
    const stops = [...document.querySelectorAll(asked)].filter(
      (node) => node.tabIndex >= 0 && shown(node) && !skipped(node),
    );
    before = new Map(stops.map((node) => [node, looks(node)]));
    visited = new Set();
    trouble = [];
    return stops.length;
  }

  // Whether any point of what shows the focus is on the screen, with nothing over it.
  function hidden(node) {
    const points = near(node).flatMap((part) => {
      const { left, right, top, bottom } = part.getBoundingClientRect();
      const xs = [left + 2, (left + right) / 2, right - 2];
      const ys = [top + 2, (top + bottom) / 2, bottom - 2];
      return xs.flatMap((x) => ys.map((y) => [x, y]));
    });
    const onScreen = points.filter(([x, y]) => document.elementFromPoint(x, y));
    const onTop = ([x, y]) =>
      near(node).some((part) => part.contains(document.elementFromPoint(x, y)));
    if (!onScreen.length) return "off the screen";
    return onScreen.some(onTop) ? "" : "hidden";
  }

  async function step() {
    const node = document.activeElement;
    if (!node || node === document.body) return "out";
    if (visited.has(node)) return "again";
    visited.add(node);
    // What opens with the focus may take a moment.
    for (let i = 0; i < 10 && hidden(node); i += 1) await pause(50);
    if (hidden(node)) trouble.push(`${hidden(node)}: ${named(node)}`);
    if (before.get(node) === looks(node)) trouble.push(`focus not seen: ${named(node)}`);
    return "next";
  }

  function end() {
    const missed = [...before.keys()].filter(
      (node) => !visited.has(node) && node.tabIndex >= 0 && shown(node),
    );
    return [...trouble, ...missed.map((node) => `not reached: ${named(node)}`)];
  }

  window.probes = {
    unfold, settle, overflow, brokenImages, accessibility, small, words, unseen, begin, step, end,
  };
})();
