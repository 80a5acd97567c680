/**
 * One line of a chart: a number per row of an axis.
 * @typedef {{ name: string, axis: number, values: Float64Array }} Line
 * Lines that are shown and hidden together.
 * @typedef {{ label: string, role: string, shown: boolean, strays: boolean, lines: Line[] }} Group
 * @typedef {{ kind: "series", id: string, title: string, axis: string, along?: string, log: boolean, level?: { value: number, label: string }, family?: string, groups: Group[] }} Chart
 * A path in a plane, and rows of the first axis that share a plane.
 * @typedef {{ label: string, role: string, x: Float64Array, y: Float64Array }} Path
 * @typedef {{ first: number, paths: Path[] }} Stretch
 * @typedef {{ kind: "plane", id: string, title: string, axes: [string, string], start: number, stretches: Stretch[] }} PlaneChart
 * Where lines stand: steps, and times where runs are compared; so many rows of the run share a place.
 * @typedef {{ steps: Float64Array, times?: Float64Array, rows: number }} Axis
 * @typedef {"steps" | "times"} Measure
 * @typedef {{ axes: Axis[], charts: (Chart | PlaneChart)[] }} RunData
 */

/**
 * The run's data from the JSON that the page carries.
 * @param {string} json
 * @returns {RunData}
 */
export function decodeRun(json) {
  const { axes, charts } = JSON.parse(json);
  for (const axis of axes) {
    axis.steps = decodeFloats(axis.steps);
    if (axis.times) axis.times = decodeFloats(axis.times);
  }
  for (const chart of charts) {
    for (const group of chart.groups ?? [])
      for (const line of group.lines) line.values = decodeFloats(line.values);
    for (const stretch of chart.stretches ?? [])
      for (const path of stretch.paths) {
        path.x = decodeFloats(path.x);
        path.y = decodeFloats(path.y);
      }
  }
  return { axes, charts };
}

/** @param {string} base64 little-endian float64, or after ~ float32, whatever the machine */
function decodeFloats(base64) {
  const single = base64.startsWith("~");
  const width = single ? 4 : 8;
  const bytes = Uint8Array.from(atob(single ? base64.slice(1) : base64), (character) =>
    character.charCodeAt(0),
  );
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / width }, (_, i) =>
    single ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true),
  );
}
