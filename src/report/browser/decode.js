/**
 * One line of a chart.
 * @typedef {{ name: string, values: Float64Array }} Line
 * Lines that are shown and hidden together.
 * @typedef {{ label: string, role: string, shown: boolean, strays: boolean, lines: Line[] }} Group
 * @typedef {{ id: string, title: string, axis: string, log: boolean, level?: { value: number, label: string }, groups: Group[] }} Chart
 * @typedef {{ steps: Float64Array, charts: Chart[] }} RunData
 */

/**
 * The run's data from the JSON that the page carries.
 * @param {string} json
 * @returns {RunData}
 */
export function decodeRun(json) {
  const { steps, charts } = JSON.parse(json);
  for (const chart of charts)
    for (const group of chart.groups) for (const line of group.lines) line.values = decodeFloats(line.values);
  return { steps: decodeFloats(steps), charts };
}

/** @param {string} base64 little-endian float64, whatever the machine */
function decodeFloats(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
}
