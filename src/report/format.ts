/** A number for reading: four significant digits, an exponent when it is very large or small, – when absent. */
export function formatNumber(x: number | undefined): string {
  if (x === undefined || Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? x.toExponential(2) : trimmed(x.toPrecision(4));
  return text.replace("-", "−").replace("e+", "e");
}

/** A setting or an edge for reading: as many of twelve digits as it has, so that sums of roundings do not show. */
export function plainNumber(x: number): string {
  return String(Number(x.toPrecision(12))).replace("-", "−");
}

/** Drops the exponent that toPrecision gives for 12345 and like; keeps the zeros that tell the precision. */
function trimmed(text: string): string {
  return text.includes("e") ? String(Number(text)) : text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text made safe for HTML, inside elements and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Columns padded to their widest cell, the first to the left and the others to the right. */
export function aligned(table: readonly (readonly string[])[]): string {
  const widths = table[0].map((_, c) => Math.max(...table.map((cells) => cells[c].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  ");
  return table.map((cells) => `${line(cells).trimEnd()}\n`).join("");
}
