import { escapeHtml } from "../format.ts";
import type { AnyChart, Role, Term } from "./chart.ts";

/** How plots are read and used. @param together the plots that show their values at one step; @param timed whether η·t may be the axis */
export function legendOfUse(together: string, timed = false): string {
  const choice = timed
    ? `<span class="choice" role="group" aria-label="Horizontal axis" hidden><button type="button" class="tool" data-axis="steps" aria-pressed="true">By step</button>
<button type="button" class="tool" data-axis="times" aria-pressed="false">By time η·t</button></span>`
    : "";
  return `<div class="use"><p class="howto">Move over a plot, or focus it and use the arrow keys, to read values in
${together} at once. Drag to zoom; double-click or press Escape to see everything again. Names switch curves on and off.</p>${choice}</div>`;
}

/**
 * The frame of a chart, which the page's script fills.
 *
 * @param level of its heading
 * @param explained whether caption and terms are shown: not on a page of many runs
 * @param under the id of what it stands under, where other charts have the same title
 */
export function chartSection(
  chart: AnyChart,
  {
    level = 2,
    explained = true,
    under = "",
  }: { readonly level?: 2 | 3 | 4; readonly explained?: boolean; readonly under?: string } = {},
): string {
  const { id, title, caption, terms = [], wide } = chart;
  const label = `${under} ${id}-title`.trim();
  return `<section class="chart ${chart.kind}${wide ? " wide" : ""}" id="${id}" aria-labelledby="${label}">
<div class="bar"><h${level} id="${id}-title">${escapeHtml(title)}</h${level}>
<div class="tools" hidden>${toolsOf(chart).join("\n")}</div></div>
${explained ? `<div class="words"><p class="caption" id="${id}-caption">${escapeHtml(oneLine(caption))}</p>${termsHtml(terms)}</div>` : ""}
<div class="plot" role="group" tabindex="0" aria-roledescription="plot" aria-labelledby="${label}"${explained ? ` aria-describedby="${id}-caption"` : ""}></div>
<div class="keys" role="group" aria-label="Curves and their values"><span class="at"></span>${keysOf(chart).join("")}</div>
<p class="aloud" role="status"></p>
</section>`;
}

const oneLine = (words: string): string => words.replace(/\s+/g, " ");

function toolsOf(chart: AnyChart): string[] {
  const tool = (name: string, words: string, label: string, more = "") =>
    `<button type="button" class="tool" data-tool="${name}" aria-label="${escapeHtml(label)}"${more}>${words}</button>`;
  const own =
    chart.kind === "plane"
      ? [tool("back", "←", "Earlier stretch"), tool("on", "→", "Later stretch")]
      : [
          tool("log", "Log", "Log axis", ` aria-pressed="${chart.log ?? false}"`),
          tool("reset", "Reset", "Reset the zoom", " disabled"),
        ];
  const saved = ["CSV", "PNG", "SVG"].map((kind) =>
    tool(kind.toLowerCase(), kind, `${chart.title} as ${kind}`),
  );
  return [...own, ...saved];
}

/** The names of the curves, with the room that their values take. */
function keysOf(chart: AnyChart): string[] {
  if (chart.kind === "plane")
    return (chart.stretches[0]?.paths ?? []).map(({ label, role }, i) => key(label, role, i, true, 1));
  return chart.groups.map(({ label, role, shown, lines }, i) =>
    key(label, role, i, shown, Math.min(lines.length, 4)),
  );
}

const key = (label: string, role: Role, i: number, shown: boolean, values: number): string =>
  `<button type="button" class="key" data-group="${i}" aria-pressed="${shown}"><i class="swatch" data-role="${role}"></i><span>${escapeHtml(label)}</span><output class="values-${values}"></output></button>`;

/** Each word with its meaning. */
function termsHtml(terms: readonly Term[]): string {
  if (terms.length === 0) return "";
  const items = terms.map(
    ([word, meaning]) => `<div><dt>${escapeHtml(word)}</dt><dd>${escapeHtml(oneLine(meaning))}</dd></div>`,
  );
  return `<dl class="terms">${items.join("")}</dl>`;
}
