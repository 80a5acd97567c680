import { valueError } from "../../base/index.ts";
import type { StepRow } from "../../simulation/index.ts";
import type { Chart } from "../charts/chart.ts";
import { chartSection, legendOfUse } from "../charts/chart-section.ts";
import {
  type ChartSource,
  distancesChart,
  lossChart,
  sharpnessChart,
  variancesChart,
} from "../charts/dynamics-charts.ts";
import { accuracyChart, costCharts, gradientChart, optimizerCharts } from "../charts/other-charts.ts";
import { flattened, runFacts } from "../facts.ts";
import { escapeHtml, formatNumber } from "../format.ts";
import { labelOf } from "../processes.ts";
import type { Summary } from "../summary.ts";
import { htmlPage, kicker } from "./html-page.ts";
import { dataElement } from "./page-data.ts";

/** What a report tells. */
export interface ReportInput {
  /** Names the run, such as its expid. */
  readonly title: string;
  readonly summary: Summary;
  /** The configuration as a nested record, in the structure of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The rows 0, 1, … logged so far; may be empty. */
  readonly rows: readonly StepRow[];
  /** c, the edge of stability: 2 for gradient descent and the RMSProp rules. */
  readonly criticalValue: number;
  /** One sentence on how the run ended, such as `finished` or `interrupted after 40 of 300 steps`. */
  readonly status: string;
  /** One line on the machine, engine and time. */
  readonly environment: string;
}

/**
 * Renders a run as one HTML page that needs nothing else: scripts, styles and data are inside, its security policy
 * forbids the network and eval, and it works when opened from disk.
 *
 * @returns the page; some 80 kB and 11 bytes per logged number
 * @throws InputValueError if `criticalValue` is not a positive number
 */
export function renderReport(input: ReportInput): string {
  if (!(input.criticalValue > 0))
    throw valueError("renderReport", "a critical value > 0", String(input.criticalValue));
  const charts = chartsOf(input);
  const steps = Float64Array.from(input.rows, (row) => row.step);
  const body = [
    head(input),
    summarySection(input.summary),
    ...(charts.length > 0
      ? [legendOfUse("all plots")]
      : ['<p class="empty">No steps have been logged yet.</p>']),
    `<main class="charts">${charts.map((chart) => chartSection(chart)).join("\n")}</main>`,
    configuration(input),
  ];
  return htmlPage(`${input.title} – central flows`, [...body, dataElement(steps, charts, "run-data")]);
}

/** Every chart that the rows can fill, in reading order. */
function chartsOf(source: ChartSource): Chart[] {
  return [
    ...lossChart(source),
    ...sharpnessChart(source),
    ...distancesChart(source),
    ...variancesChart(source),
    ...gradientChart(source),
    ...accuracyChart(source),
    ...optimizerCharts(source),
    ...costCharts(source),
  ];
}

function head({ title, config, status, environment }: ReportInput): string {
  const facts = runFacts(config).map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return `<header class="head">
${kicker("Central flow report")}
<h1>${escapeHtml(title)}</h1>
<dl class="facts">${facts.join("")}</dl>
<p class="status">${escapeHtml(status)}<span class="environment">${escapeHtml(environment)}</span></p>
</header>`;
}

function summarySection({ step, processes, distances }: Summary): string {
  if (step === undefined) return "";
  const processRows = processes.map(
    ({ process, loss, sharpness, accuracy }) =>
      `<tr><th scope="row"><i class="swatch" data-role="${process}"></i>${escapeHtml(labelOf(process))}</th>${[
        loss,
        sharpness,
        accuracy,
      ]
        .map((x) => `<td>${formatNumber(x)}</td>`)
        .join("")}</tr>`,
  );
  const distanceRows = distances.map(({ between: [a, b], distance }) => {
    const label = `${labelOf(a)} to ${labelOf(b).toLowerCase()}`;
    return `<tr><th scope="row">${escapeHtml(label)}</th><td>${formatNumber(distance)}</td></tr>`;
  });
  const table = (caption: string, titles: readonly string[], rows: readonly string[]) => `<table>
<caption>${caption}</caption>
<thead><tr>${titles.map((title, i) => `<th scope="col"${i > 0 ? ' class="number"' : ""}>${title}</th>`).join("")}</tr></thead>
<tbody>${rows.join("")}</tbody></table>`;
  return `<section class="summary" aria-label="Summary">
<p class="lede">${escapeHtml(lede({ step, processes, distances }))}</p>
<div class="tables">
${table(`State at step ${step}`, ["Process", "Loss", "Sharpness", "Accuracy"], processRows)}
${distanceRows.length > 0 ? table("Distance between the weights", ["Between", "Distance"], distanceRows) : ""}
</div></section>`;
}

/** The run in one sentence. */
function lede({ step, distances }: Summary): string {
  const distance = (pair: string) => distances.find(({ between }) => between.join("-") === pair)?.distance;
  const flow = distance("central-discrete");
  const stable = distance("discrete-stable");
  if (flow === undefined) return `The run stands at step ${step}.`;
  const near = `At step ${step} the central flow is ${formatNumber(flow)} away from the optimizer`;
  if (stable === undefined) return `${near}.`;
  const times = stable / flow;
  const ratio = times >= 1.05 && times < 1e4 ? `, ${times.toPrecision(2)} times as far` : "";
  return `${near}; the stable flow is ${formatNumber(stable)} away${ratio}.`;
}

function configuration({ config }: ReportInput): string {
  const rows = flattened(config).map(
    ({ label, value }) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<details class="config"><summary>Full configuration</summary>
<table><tbody>${rows.join("")}</tbody></table></details>`;
}
