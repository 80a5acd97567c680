import type { Chart } from "./chart.ts";

/**
 * The charts as JSON for the page's script, numbers as base64 of little-endian float64 so that nothing is rounded.
 * The text is safe inside a script element.
 */
export function pageData(steps: Float64Array, charts: readonly Chart[]): string {
  const plain = charts.map(({ id, title, axis, log, level, groups }) => ({
    id,
    title,
    axis,
    log: log ?? false,
    level,
    groups: groups.map(({ label, role, shown, strays, lines }) => ({
      label,
      role,
      shown,
      strays: strays ?? false,
      lines: lines.map(({ name, values }) => ({ name, values: base64(values) })),
    })),
  }));
  return JSON.stringify({ steps: base64(steps), charts: plain }).replaceAll("<", "\\u003c");
}

function base64(values: Float64Array): string {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((x, i) => {
    bytes.writeDoubleLE(x, i * 8);
  });
  return bytes.toString("base64");
}
