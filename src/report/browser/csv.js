/**
 * A chart's data as comma-separated values: one row per step, one column per line, full precision, empty where a
 * value is missing.
 * @param {import("./plots/table.js").Table} table
 * @param {string} first the title of the first column
 */
export function csvOf({ x, groups }, first) {
  const lines = groups.flatMap((group) => group.lines);
  const title = [first, ...lines.map((line) => quoted(line.name))].join(",");
  const rows = Array.from(x, (place, i) => [place, ...lines.map((line) => cell(line.values[i]))].join(","));
  return `${[title, ...rows].join("\n")}\n`;
}

/** @param {number} x */
function cell(x) {
  if (Number.isNaN(x)) return "";
  return Object.is(x, -0) ? "-0" : String(x);
}

/** @param {string} name */
function quoted(name) {
  return /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
