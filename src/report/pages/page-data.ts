import type { Chart } from "../charts/chart.ts";

/**
 * The element that carries the charts of one run to the page's script: JSON, numbers as base64 of little-endian float64 so that nothing is rounded.
 * Nothing in them can end the element.
 */
export function dataElement(steps: Float64Array, charts: readonly Chart[], id?: string): string {
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
  const json = JSON.stringify({ steps: base64(steps), charts: plain }).replaceAll("<", "\\u003c");
  return `<script type="application/json" class="run-data"${id === undefined ? "" : ` id="${id}"`}>${json}</script>`;
}

function base64(values: Float64Array): string {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((x, i) => {
    bytes.writeDoubleLE(x, i * 8);
  });
  return bytes.toString("base64");
}
