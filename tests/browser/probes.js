// What the tests ask of a page in the browser. Each probe returns a list of what is wrong.
(() => {
  const article = () => document.querySelector("article");
  const named = (node) => node.outerHTML.slice(0, 120);
  const shown = (node) =>
    node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
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
    for (let i = 0, still = 0; i < 100; i += 1) {
      await pause(10); // and not a frame: Firefox may draw none for long
      const fading = document.getAnimations().filter((a) => a instanceof CSSTransition);
      for (const transition of fading) transition.finish();
      still = fading.length ? 0 : still + 1;
      if (still === 2) return;
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

  // The words of a listing or of a formula that look alike: what holds for one holds for all.
  function alike() {
    const [seen, blocks] = [new Set(), new Map()];
    const leaves = [...document.querySelectorAll("pre i, math :is(mi, mo, mn, mtext)")];
    return leaves.filter((leaf) => {
      const { color, backgroundColor, fontSize, fontWeight } = getComputedStyle(leaf);
      const block = leaf.closest("pre, math").parentElement.closest("[class]");
      if (!blocks.has(block)) blocks.set(block, blocks.size);
      const key = [color, backgroundColor, fontSize, fontWeight, blocks.get(block)].join();
      return seen.has(key) || !seen.add(key);
    });
  }

  async function accessibility(rules) {
    // Stylesheets are loaded for one rule, which is none of these.
    const asked = { runOnly: rules, resultTypes: ["violations"], preload: false };
    const spared = alike();
    for (const leaf of spared) leaf.style.visibility = "hidden";
    const { violations } = await axe.run(asked);
    for (const leaf of spared) leaf.removeAttribute("style");
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
    const ours = ".book-live, .book-read, .book-tick, .book-fold, .book-symbols, .book-run";
    const added = `${ours}, .exercise .book-button, .md-code__nav`;
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

  // The keyboard: `begin` remembers how everything looks without the focus, then each press of Tab
  // is looked at where it leads, `walked` says whether to go on, and `end` what was wrong.
  let before, visited, trouble, looking, said;

  // Stops of the Tab key that are in the way. Before the article: what the header holds, and one for
  // each list of links beside the text. In it: what leads on, what can be pressed, and what scrolls.
  function inTheWay() {
    const focusable = "a[href], button, input, select, textarea, summary, [tabindex]";
    const stops = [...document.querySelectorAll(focusable)].filter(
      (node) => node.tabIndex >= 0 && !node.disabled && shown(node),
    );
    const lists = [...document.querySelectorAll(".md-sidebar")].filter(shown);
    const wide = innerWidth >= 1220; // below, the lists are behind a switch
    const problems = [];
    for (const list of wide ? lists : []) {
      if (!list.querySelector("a[href]")) continue; // a page without sections has no contents
      const inside = stops.filter((node) => list.contains(node));
      if (inside.length !== 1) problems.push(`${inside.length} stops: ${named(list)}`);
    }
    const works = "a[href]:not(.headerlink), summary, button:not(.md-code__button), input, select";
    const figures = [...document.querySelectorAll("[data-live]")];
    const scrolls = ({ clientHeight, clientWidth, scrollHeight, scrollWidth }) =>
      scrollWidth > clientWidth || scrollHeight > clientHeight;
    for (const node of stops) {
      if (!article().contains(node) || node.matches(works) || scrolls(node)) continue;
      if (!figures.some((figure) => figure.contains(node))) problems.push(`a stop: ${named(node)}`);
    }
    const first = stops.find((node) => node.id !== "__drawer"); // the menu's switch on a phone
    if (!first?.matches(".md-skip")) problems.push("the first stop does not lead to the text");
    return problems;
  }

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
    [looking, said] = [Promise.resolve(), "next"];
    // The walk begins at the top, wherever a figure has left the focus.
    const top = document.createElement("div");
    top.tabIndex = -1;
    document.body.prepend(top);
    top.focus();
    top.remove();
    addEventListener("focusin", arrive);
    addEventListener("keydown", wait, true);
    return stops.length;
  }

  // Whether any point of what shows the focus is on the screen, with nothing over it.
  function hidden(node) {
    let verdict = "off the screen";
    for (const part of near(node)) {
      const { left, right, top, bottom } = part.getBoundingClientRect();
      for (const x of [(left + right) / 2, left + 2, right - 2])
        for (const y of [(top + bottom) / 2, top + 2, bottom - 2]) {
          const found = document.elementFromPoint(x, y);
          if (found && near(node).some((other) => other.contains(found))) return "";
          if (found) verdict = "hidden";
        }
    }
    return verdict;
  }

  function arrive({ target }) {
    if (visited.has(target)) said = "again";
    if (said !== "next") return;
    visited.add(target);
    if (hidden(target)) [said, looking] = ["wait", patient(target)];
    else compare(target);
  }

  function compare(node) {
    if (before.get(node) === looks(node)) trouble.push(`focus not seen: ${named(node)}`);
  }

  // What opens with the focus may take a moment.
  async function patient(node) {
    for (let i = 0; i < 10 && hidden(node); i += 1) await pause(50);
    if (hidden(node)) trouble.push(`${hidden(node)}: ${named(node)}`);
    compare(node);
    said = "next";
  }

  function ended() {
    if (said === "next" && visited.size && document.activeElement === document.body) said = "out";
    return said;
  }

  // Presses are sent by the dozen: those that come meanwhile count for nothing.
  function wait(event) {
    if (ended() === "next") return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  async function walked() {
    await looking;
    return ended();
  }

  function end() {
    removeEventListener("focusin", arrive);
    removeEventListener("keydown", wait, true);
    const missed = [...before.keys()].filter(
      (node) => !visited.has(node) && node.tabIndex >= 0 && shown(node),
    );
    return [...trouble, ...missed.map((node) => `not reached: ${named(node)}`)];
  }

  window.probes = {
    unfold, settle, overflow, brokenImages, accessibility, small, words, unseen, begin, walked, end,
    inTheWay,
  };
})();
