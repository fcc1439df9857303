// Whether two outputs say the same, to rounding: another NumPy on another processor adds in another
// order.

const NUMBER = /[-−+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?:\s*\\cdot\s*10\^\{[-−]?\d+\})?/gi;
const SMALL = 1e-6; // below it a number is rounding

// A report links to the site that it is read on; where none is known, to one that is served.
const SITE = /https?:\/\/\S*?\/(?=\w+\/\w+\/#)| \(while `make serve` runs\)/g;

export function same(one, other) {
  [one, other] = [one.replace(SITE, ""), other.replace(SITE, "")];
  const words = (text) => text.replace(NUMBER, "#").replace(/[\s#]+/g, " ").replace(/-{2,}/g, "--").trim();
  if (words(one) !== words(other)) return false;
  const [left, right] = [numbers(one), numbers(other)];
  return left.length === right.length && left.every((number, i) => near(number, right[i]));
}

function numbers(text) {
  return [...text.matchAll(NUMBER)].map(([written]) => {
    const plain = written.replaceAll("−", "-").replaceAll(",", "");
    const [digits, power = "0"] = plain.split(/e|\s*\\cdot\s*10\^\{/i).map((part) => part.replace("}", ""));
    const decimals = digits.split(".")[1]?.length ?? 0;
    const isWhole = decimals === 0 && power === "0";
    return { value: Number(`${digits}e${power}`), unit: isWhole ? 0 : 10 ** (Number(power) - decimals) };
  });
}

function near(one, other) {
  const apart = Math.abs(one.value - other.value);
  const large = Math.max(Math.abs(one.value), Math.abs(other.value));
  return apart <= 1.001 * Math.max(one.unit, other.unit) || apart <= 1e-5 * large * (one.unit > 0) || (large < SMALL);
}
