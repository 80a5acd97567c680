/**
 * The lines of a chart on one horizontal axis.
 * @typedef {{ x: Float64Array, groups: { label: string, role: string, strays: boolean, lines: { name: string, values: Float64Array }[] }[] }} Table
 */

/**
 * Puts lines that stand on several axes on the one that holds the places of all; where a line has none, it has a gap.
 * @param {import("./decode.js").Chart} chart
 * @param {import("./decode.js").Axis[]} axes
 * @param {import("./decode.js").Measure} measure
 * @returns {Table}
 */
export function tableOf(chart, axes, measure) {
  const used = [...new Set(chart.groups.flatMap((group) => group.lines.map((line) => line.axis)))];
  const places = new Map(used.map((i) => [i, axes[i][measure] ?? axes[i].steps]));
  if (used.length === 1)
    return { x: /** @type {Float64Array} */ (places.get(used[0])), groups: chart.groups };
  const x = Float64Array.from(new Set([...places.values()].flatMap((at) => [...at]))).sort();
  const rowOf = new Map(Array.from(x, (value, row) => [value, row]));
  const spread = (/** @type {import("./decode.js").Line} */ { name, axis, values }) => {
    const out = new Float64Array(x.length).fill(Number.NaN);
    places.get(axis)?.forEach((place, i) => {
      out[/** @type {number} */ (rowOf.get(place))] = values[i];
    });
    return { name, values: out };
  };
  return { x, groups: chart.groups.map((group) => ({ ...group, lines: group.lines.map(spread) })) };
}

/**
 * The row of an ascending axis that is nearest to a place.
 * @param {Float64Array} x
 * @param {number} place
 */
export function nearestRow(x, place) {
  let low = 0;
  let high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= place) low = middle;
    else high = middle;
  }
  return place - x[low] <= x[high] - place ? low : high;
}
