import { escapeHtml } from "../format.ts";
import type { Chart } from "./chart.ts";

/** How plots are read and used. @param together the plots that show their values at one step */
export function legendOfUse(together: string): string {
  return `<p class="howto">Move over a plot, or focus it and use the arrow keys, to read values in
${together} at once. Drag to zoom; double-click or press Escape to see everything again. Names switch curves on and off.</p>`;
}

/**
 * The frame of a chart, which the page's script fills.
 *
 * @param level of its heading; 3 on a page of many runs, where no chart has its caption
 */
export function chartSection({ id, title, caption, groups, log, wide }: Chart, level: 2 | 3 = 2): string {
  const explained = level === 2;
  const items = groups.map(
    ({ label, role, shown, lines }, i) =>
      `<button type="button" class="key" data-group="${i}" aria-pressed="${shown}"><i class="swatch" data-role="${role}"></i><span>${escapeHtml(label)}</span><output style="min-width: ${7 * Math.min(lines.length, 4)}ch"></output></button>`,
  );
  return `<section class="chart${wide ? " wide" : ""}" id="${id}" aria-labelledby="${id}-title">
<div class="bar"><h${level} id="${id}-title">${escapeHtml(title)}</h${level}>
<div class="tools" hidden><button type="button" class="tool" data-tool="log" aria-pressed="${log ?? false}" aria-label="Logarithmic axis">Log</button>
<button type="button" class="tool" data-tool="reset" aria-label="Reset zoom" disabled>Reset</button>
<button type="button" class="tool" data-tool="csv" aria-label="${escapeHtml(title)} as CSV">CSV</button></div></div>
${explained ? captionOf(id, caption) : ""}
<div class="plot" role="group" tabindex="0" aria-roledescription="plot" aria-labelledby="${id}-title"${explained ? ` aria-describedby="${id}-caption"` : ""}></div>
<div class="keys" role="group" aria-label="Curves and their values"><span class="at"></span>${items.join("")}</div>
<p class="aloud" role="status"></p>
</section>`;
}

const captionOf = (id: string, caption: string): string =>
  `<p class="caption" id="${id}-caption">${escapeHtml(caption.replace(/\s+/g, " "))}</p>`;
