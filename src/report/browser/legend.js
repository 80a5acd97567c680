import { valueText } from "./format.js";

/** A group of many lines shows the first few values; the rest are in the CSV. */
const VALUES_SHOWN = 4;

/**
 * Writes the values at a row beside the names of the curves.
 * @param {HTMLElement} section
 * @param {import("./plot.js").Plot} plot
 * @param {Float64Array} steps
 * @param {number} row
 */
export function writeValues(section, plot, steps, row) {
  const at = /** @type {HTMLElement} */ (section.querySelector(".at"));
  at.textContent = `step ${steps[row]}`;
  section.querySelectorAll(".key").forEach((key, g) => {
    const output = /** @type {HTMLOutputElement} */ (key.querySelector("output"));
    output.textContent = plot.shown[g] ? groupText(plot.chart.groups[g], row) : "";
  });
}

/**
 * The values of the visible curves in words, for a screen reader.
 * @param {import("./plot.js").Plot} plot
 * @param {Float64Array} steps
 * @param {number} row
 */
export function valuesAloud({ chart, shown }, steps, row) {
  const visible = chart.groups.filter((_, g) => shown[g]);
  return [`step ${steps[row]}`, ...visible.map((group) => `${group.label} ${groupText(group, row)}`)].join(
    "; ",
  );
}

/**
 * @param {import("./decode.js").Group} group
 * @param {number} row
 */
function groupText(group, row) {
  const values = group.lines.map((line) => line.values[row]).filter((x) => !Number.isNaN(x));
  if (values.length === 0) return "–";
  const more = values.length > VALUES_SHOWN ? " …" : "";
  return values.slice(0, VALUES_SHOWN).map(valueText).join("  ") + more;
}
