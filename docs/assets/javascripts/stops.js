// Where the Tab key stops: at what can be pressed, and at what scrolls.
//
// Without scripts every formula, table and output is a stop, since one may be too wide. Here those
// that fit are none. The chapters and the contents are one stop each, within which the arrows move.
// A heading's own link is none: the contents lead to the same address.

const BOXES = "article :is(div.math, .book-output, table)[tabindex]";
const LISTS = ".md-sidebar__inner > .md-nav";
const ENTRIES = "a[href], label[tabindex]";

/** Whether what a box holds has been laid out; far below the screen it has not (base.css). */
const isThere = (box) => box.firstElementChild?.checkVisibility?.({ contentVisibilityAuto: true });

function measure(box) {
  if (!isThere(box) || box === document.activeElement) return;
  const { clientHeight, clientWidth, scrollHeight, scrollWidth } = box;
  if (scrollWidth > clientWidth || scrollHeight > clientHeight) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}

const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => measure(target)));
const shown = (node) => node.checkVisibility?.({ visibilityProperty: true }) ?? true;
const entries = (list) => [...list.querySelectorAll(ENTRIES)].filter(shown);

function enter(list, entry) {
  for (const other of list.querySelectorAll(ENTRIES)) other.tabIndex = -1;
  entry.tabIndex = 0;
}

// On a phone the lists are behind a switch, and one has to come through them in some way.
const wide = matchMedia("(min-width: 76.25em)");

function lists() {
  for (const list of document.querySelectorAll(LISTS)) {
    const all = wide.matches ? entries(list) : []; // the page is laid out for it
    const here = all.find((entry) => entry.classList.contains("md-nav__link--active")) ?? all[0];
    if (here) enter(list, here);
    else for (const entry of list.querySelectorAll(ENTRIES)) entry.tabIndex = 0;
  }
}

addEventListener("keydown", (event) => {
  const list = wide.matches && event.target.closest?.(LISTS);
  if (!list) return;
  const all = entries(list);
  const at = all.indexOf(event.target);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (!all[next]) return;
  event.preventDefault();
  enter(list, all[next]);
  all[next].focus();
});

// The theme goes to an address of the same page in steps, and on a busy machine the focus of the
// heading that the skip link leads to is lost between them.
addEventListener(
  "click",
  (event) => {
    const heading = event.target.closest?.(".md-skip") && document.querySelector("article h1");
    if (!heading) return;
    event.preventDefault();
    event.stopPropagation();
    heading.focus();
  },
  { capture: true },
);

function start() {
  sizes.disconnect();
  for (const box of document.querySelectorAll(BOXES)) sizes.observe(box);
  for (const link of document.querySelectorAll("article .headerlink")) link.tabIndex = -1;
  lists();
}

wide.addEventListener("change", lists);
if (globalThis.document$) globalThis.document$.subscribe(start); // also after an instant navigation
else start();
