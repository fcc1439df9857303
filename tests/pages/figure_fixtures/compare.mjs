// Reads {module, calls: [{function, args, expected}]}, calls each, prints the differences as JSON.
// Numbers must agree to 1e-12, relative to the largest number of what was expected (at least 1).
import { readFileSync } from "node:fs";

const { module, calls } = JSON.parse(readFileSync(0, "utf8"));
const functions = await import(module);
const wrong = Object.keys(functions)
  .filter((name) => !calls.some((call) => call.function === name))
  .map((name) => `${name}: exported, but no fixture calls it`);

function numbers(value, into = []) {
  if (typeof value === "number" || typeof value === "boolean") into.push(Number(value));
  else if (ArrayBuffer.isView(value)) into.push(...value);
  else if (value && typeof value === "object") Object.values(value).forEach((v) => numbers(v, into));
  return into;
}

function shape(value) {
  if (typeof value !== "object" || value === null) return "";
  const entries = ArrayBuffer.isView(value) ? Array.from(value) : value;
  return Array.isArray(entries)
    ? `[${entries.map(shape)}]`
    : `{${Object.keys(entries).sort().map((key) => key + shape(entries[key]))}}`;
}

for (const [i, { function: name, args, expected }] of calls.entries()) {
  const before = JSON.stringify(args);
  const got = functions[name](...args);
  if (JSON.stringify(args) !== before) wrong.push(`${name}, call ${i}: changed its arguments`);
  if (shape(got) !== shape(expected)) {
    wrong.push(`${name}, call ${i}: expected ${shape(expected)}, got ${shape(got)}`);
    continue;
  }
  const [a, b] = [numbers(got), numbers(expected)];
  const scale = Math.max(1, ...b.map(Math.abs));
  const off = a.findIndex((value, k) => !(Math.abs(value - b[k]) <= 1e-12 * scale));
  if (off >= 0) wrong.push(`${name}, call ${i}, number ${off}: expected ${b[off]}, got ${a[off]}`);
}
console.log(JSON.stringify(wrong));
