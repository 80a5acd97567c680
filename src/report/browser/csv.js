/**
 * A chart's data as comma-separated values: one row per step, one column per line, full precision, empty where a
 * value is missing.
 * @param {Float64Array} steps
 * @param {import("./decode.js").Chart} chart
 */
export function csvOf(steps, chart) {
  const lines = chart.groups.flatMap((group) => group.lines);
  const title = ["step", ...lines.map((line) => quoted(line.name))].join(",");
  const rows = Array.from(steps, (step, i) => [step, ...lines.map((line) => cell(line.values[i]))].join(","));
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

/**
 * Hands text to the browser as a file.
 * @param {string} name
 * @param {string} text
 */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
