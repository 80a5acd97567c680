import { valueText } from "./plots/format.js";
import { nearestRow } from "./plots/table.js";

/** A group of many lines shows the first few values; the rest are in the CSV. */
const VALUES_SHOWN = 4;

/**
 * Writes the values at a place beside the names of the curves.
 * @param {HTMLElement} section
 * @param {import("./plots/plot.js").Plot} plot
 * @param {number} place
 * @param {import("./plots/decode.js").Measure} measure
 */
export function writeValues(section, plot, place, measure) {
  const { x, groups } = plot.table();
  const row = nearestRow(x, place);
  const at = /** @type {HTMLElement} */ (section.querySelector(".at"));
  at.textContent = placeText(x[row], measure, plot.chart.along);
  section.querySelectorAll(".key").forEach((key, g) => {
    const output = /** @type {HTMLOutputElement} */ (key.querySelector("output"));
    output.textContent = plot.shown[g] ? groupText(groups[g], row) : "";
  });
}

/**
 * The values of the visible curves in words, for a screen reader.
 * @param {import("./plots/plot.js").Plot} plot
 * @param {number} place
 * @param {import("./plots/decode.js").Measure} measure
 */
export function valuesAloud(plot, place, measure) {
  const { x, groups } = plot.table();
  const row = nearestRow(x, place);
  const visible = groups.filter((_, g) => plot.shown[g]);
  return [
    placeText(x[row], measure, plot.chart.along),
    ...visible.map((group) => `${group.label} ${groupText(group, row)}`),
  ].join("; ");
}

/**
 * @param {number} place
 * @param {import("./plots/decode.js").Measure} measure
 * @param {string | undefined} along what the horizontal axis shows, if neither steps nor times
 */
function placeText(place, measure, along) {
  if (along !== undefined) return `${along} ${valueText(place)}`;
  return measure === "steps" ? `step ${place}` : `time ${valueText(place)}`;
}

/**
 * @param {{ lines: { values: Float64Array }[] }} group
 * @param {number} row
 */
function groupText(group, row) {
  const values = group.lines.map((line) => line.values[row]).filter((x) => !Number.isNaN(x));
  if (values.length === 0) return "–";
  const more = values.length > VALUES_SHOWN ? " …" : "";
  return values.slice(0, VALUES_SHOWN).map(valueText).join("  ") + more;
}
