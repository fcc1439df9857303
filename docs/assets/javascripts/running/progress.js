// How far the reader is: in the list of all exercises, and in the map of the chapters.

import { button, element } from "./dom.js";
import * as kept from "./kept.js";

const stateOf = ({ right, tests, checked, source }) => {
  if (!tests) return "begun";
  if (checked !== undefined && checked !== source) return "changed since it was checked";
  return right === tests ? "solved" : `${right} of ${tests} tests pass`;
};

function badge(text) {
  const isSolved = text === "solved";
  return element("span", { class: "book-tick book-done" }, isSolved ? " ✓ solved" : ` ${text}`);
}

/** Write it where the page has the exercises, and beside the chapters on the map. */
export function draw() {
  for (const node of document.querySelectorAll(".book-done")) node.remove();
  const mine = kept.exercises.read();
  for (const row of document.querySelectorAll("article table tbody tr")) {
    const name = [...row.querySelectorAll("code")].map((code) => code.textContent).find((text) => mine[text]);
    if (name) row.firstElementChild.append(badge(stateOf(mine[name])));
  }
  for (const item of document.querySelectorAll("article .admonition.exercise li")) {
    const name = item.querySelector("code")?.textContent;
    if (name && mine[name]) item.querySelector("button")?.after(badge(stateOf(mine[name])));
  }
  const map = document.getElementById("the-chapters-in-order");
  if (map) chapters(mine);
  const list = document.getElementById("all-of-them");
  if (list && !document.querySelector(".book-take")) files(list);
}

/** On the map: how many of a chapter's exercises are solved. */
async function chapters(mine) {
  const { about } = await import("./exercises.js");
  const all = Object.entries(await about());
  const pages = new Set(all.map(([, { page }]) => page));
  for (const page of pages) {
    const own = all.filter(([, exercise]) => exercise.page === page);
    const solved = own.filter(([name]) => mine[name] && stateOf(mine[name]) === "solved");
    if (!solved.length) continue;
    for (const link of document.querySelectorAll("article li > strong + a"))
      if (new URL(link.href).pathname.endsWith(`/${page}/`))
        link.after(element("span", { class: "book-tick book-done" }, ` ${solved.length} of ${own.length} exercises`));
  }
}

/** Take the files home, and bring them back. */
function files(list) {
  const said = element("span", { class: "book-note", role: "status" });
  const input = element("input", { type: "file", multiple: "", accept: ".py,.zip", "aria-label": "Your files" });
  input.addEventListener("change", async () => {
    const { take } = await import("./exercises.js");
    try {
      const question = (names) => confirm(`You have other code here for ${names.join(", ")}. Replace it?`);
      const names = await take(input.files, question);
      said.textContent = names.length ? `Taken in: ${names.join(", ")}.` : "Nothing to take in: these are the starters, or what you have here.";
    } catch (error) {
      said.textContent = `Nothing was taken in: ${error.message}.`;
    }
    input.value = ""; // the same file may be chosen again
    draw();
  });
  const home = button("Download your files", async () => (await import("./exercises.js")).download());
  list.after(element("p", { class: "book-take" }, home, " ", element("label", {}, "Take in files: ", input), " ", said));
}
