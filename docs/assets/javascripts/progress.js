// Remembers which pages have been read to their end, in this browser and nowhere else, and marks
// them in the navigation and on the map of the chapters.

const BASE = new URL("../../", import.meta.url); // of the site
const KEY = `${BASE.pathname}book.read`;
const MAP = "the-chapters-in-order";

const name = (url) => new URL(url, location).pathname.slice(BASE.pathname.length);

function read() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY)) ?? []);
  } catch {
    return new Set(); // no storage, or something else in it
  }
}

function keep(pages) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...pages]));
  } catch {
    return; // the page works without it
  }
  draw();
}

function tick(link, done) {
  const there = link.querySelector(".book-tick");
  if (there && !done) there.remove();
  if (there || !done) return;
  const mark = document.createElement("span");
  mark.className = "book-tick";
  mark.role = "img";
  mark.ariaLabel = "read";
  mark.textContent = "✓";
  link.append(mark);
}

/** The links of the map: in the lists between its heading and the next. */
function mapped() {
  const links = [];
  let element = document.getElementById(MAP)?.nextElementSibling;
  for (; element && element.tagName !== "H2"; element = element.nextElementSibling) {
    if (element.tagName === "UL") links.push(...element.querySelectorAll("li > strong + a"));
  }
  return links;
}

function draw() {
  const pages = read();
  const links = mapped();
  // The link of another part leads to its first page, and says nothing of the others.
  const ofPages = ".md-nav--primary .md-nav__item:not(.md-nav__item--pruned) > a.md-nav__link[href]";
  const drawn = document.querySelectorAll(".book-map > a");
  for (const link of [...document.querySelectorAll(ofPages), ...links, ...drawn]) {
    tick(link, pages.has(name(link.href)) && !link.hash);
  }
  document.querySelector(".book-read")?.remove();
  if (!links.length) return;
  const line = document.createElement("p");
  line.className = "book-read";
  line.role = "status";
  const count = links.filter((link) => pages.has(name(link.href))).length;
  line.textContent = `You have read ${count} of ${links.length} to the end. `;
  if (pages.size) {
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "book-button";
    clear.textContent = "Forget this";
    clear.addEventListener("click", () => {
      keep(new Set());
      document.getElementById(MAP).scrollIntoView();
    });
    line.append(clear);
  }
  document.getElementById(MAP).after(line);
}

const end = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    end.unobserve(target);
    keep(read().add(name(location)));
  }
});

function start() {
  end.disconnect();
  const last = document.querySelector("article")?.lastElementChild;
  if (last) end.observe(last);
  draw();
  const picture = document.getElementById("chapters");
  if (!picture || !mapped().length || picture.querySelector(".book-map")) return;
  // From the disk nothing can be fetched; there the list is the only map.
  import("./references/map.js").then(({ follow }) => follow(picture, mapped())).then(draw, () => {});
}

addEventListener("storage", draw); // another tab
if (globalThis.document$) globalThis.document$.subscribe(start); // also after an instant navigation
else start();
