import { valueError } from "../../base/index.ts";
import type { StepRow } from "../../simulation/index.ts";
import type { Chart } from "../charts/chart.ts";
import { chartSection, legendOfUse } from "../charts/chart-section.ts";
import { lossChart, sharpnessChart } from "../charts/dynamics-charts.ts";
import { runFacts } from "../facts.ts";
import { escapeHtml } from "../format.ts";
import { GALLERY_COLUMNS, gallerySummary } from "./gallery-summary.ts";
import { htmlPage, kicker } from "./html-page.ts";
import { dataElement } from "./page-data.ts";

/** One run of a gallery. */
export interface GalleryRun {
  /** Unique; letters, digits and hyphens: it becomes part of HTML ids. */
  readonly name: string;
  /** A sentence on what to see, without a full stop. */
  readonly help: string;
  /** The configuration in the structure of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: readonly StepRow[];
  readonly criticalValue: number;
  /** How the run ended. */
  readonly status: string;
  /** The address of its report, relative to the page. */
  readonly report: string;
}

/**
 * Renders runs as one HTML page, in the manner of `renderReport`: a table of them all, then the loss and the sharpness
 * of each.
 *
 * @param environment one line on the machine and engine
 * @returns the page; some 80 kB and 11 bytes per number drawn
 * @throws InputValueError for two runs of one name, or a name that is no HTML id
 */
export function renderGallery(runs: readonly GalleryRun[], environment: string): string {
  runs.forEach(({ name }, i) => {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || runs.findIndex((run) => run.name === name) !== i)
      throw valueError("renderGallery", "distinct names of letters, digits and hyphens", name);
  });
  const body = [
    `<header class="head">${kicker("Central flow gallery")}
<h1>Every network at the edge of stability</h1>
<p class="status">${escapeHtml(environment)}</p></header>`,
    overview(runs),
    legendOfUse("both plots of a run"),
    ...runs.map(runSection),
  ];
  return htmlPage("Gallery – central flows", body);
}

function overview(runs: readonly GalleryRun[]): string {
  const titles = GALLERY_COLUMNS.map(({ title }) => `<th scope="col">${title}</th>`).join("");
  const lines = runs.map(({ name, rows, criticalValue }) => {
    const summary = gallerySummary(rows, criticalValue);
    const cells = GALLERY_COLUMNS.map(({ cell }) => `<td>${cell(summary)}</td>`).join("");
    return `<tr><th scope="row"><a href="#${name}">${name}</a></th>${cells}</tr>`;
  });
  return `<section class="summary gallery" aria-label="Summary">
<p class="lede">A central flow should stay close to its optimizer where the stable flow leaves it, hold its
eigenvalues at the edge, and predict the loss that the bouncing optimizer has on average.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table of runs"><table>
<thead><tr><th scope="col">Preset</th>${titles}</tr></thead>
<tbody>${lines.join("\n")}</tbody></table></div>
<p class="note">At the edge: how many eigenvalues of the central flow are within a two-thousandth of the critical
value, in the last step and at most. Sharpness: the flow’s largest effective eigenvalue in the last step. Distances of
the flows from the optimizer: between the weights, in the last step. Losses: what the central flow predicts for the
optimizer’s average, and that average, both over the last quarter of the steps, at most 151. Seconds: of all
processes together.</p></section>`;
}

function runSection(run: GalleryRun): string {
  const { name, help, config, rows, status, report } = run;
  const charts = [...lossChart(run), ...sharpnessChart(run)].map(
    (chart): Chart => ({ ...chart, id: `${name}-${chart.id}`, wide: false }),
  );
  const facts = runFacts(config).map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  const steps = Float64Array.from(rows, (row) => row.step);
  return `<section class="run" id="${name}" aria-labelledby="${name}-name">
<div class="bar"><h2 id="${name}-name">${name}</h2><a href="${escapeHtml(report)}">Full report</a></div>
<p class="status">${escapeHtml(help)}; ${escapeHtml(status)}</p>
<dl class="facts">${facts.join("")}</dl>
<div class="charts">${charts.map((chart) => chartSection(chart, 3)).join("\n")}</div>
${dataElement(steps, charts)}
</section>`;
}
