import type { Diagnostics } from "../../analysis/index.ts";
import { valueError } from "../../base/index.ts";
import { type AnyChart, inPairs } from "../charts/chart.ts";
import { chartSection, legendOfUse } from "../charts/chart-section.ts";
import {
  type ChartSource,
  chartSource,
  distancesChart,
  lossChart,
  sharpnessChart,
  variancesChart,
} from "../charts/dynamics-charts.ts";
import {
  accuracyChart,
  batchSharpnessChart,
  costCharts,
  gradientChart,
  observedCharts,
  optimizerCharts,
} from "../charts/other-charts.ts";
import { dataElement, isThinned, thinned } from "../charts/page-data.ts";
import { planeChart } from "../charts/plane-chart.ts";
import { flattened, runFacts, titleOf } from "../facts.ts";
import { escapeHtml, formatNumber } from "../format.ts";
import type { Rows } from "../series.ts";
import { headline, type Summary } from "../summary.ts";
import { diagnosticsSection } from "./diagnostics-section.ts";
import { framedPage, type PageKit, type PageOptions, pageHead } from "./page-frame.ts";

/** What a report tells. */
export interface ReportInput {
  /** Names the run, such as its expid. */
  readonly title: string;
  readonly summary: Summary;
  /** The configuration as a nested record, in the structure of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The rows 0, 1, … logged so far; may be empty. */
  readonly rows: Rows;
  /** c, the edge of stability: 2 for gradient descent and the RMSProp rules. */
  readonly criticalValue: number;
  /** One sentence on how the run ended, such as `finished` or `interrupted after 40 of 300 steps`. */
  readonly status: string;
  /** One line on the machine, engine and time. */
  readonly environment: string;
  /** What is told of the optimizer's last weights. */
  readonly diagnostics?: Diagnostics;
}

/**
 * Renders a run as one HTML page that needs nothing else: scripts, styles and data are inside, its security policy
 * forbids the network and eval, and it works when opened from disk.
 *
 * @param kit what is put inside, and how it is hashed
 * @param options `live`: the run still goes, and the page loads itself again
 * @returns the page; some 90 kB and 11 bytes per logged number, of long runs per number drawn
 * @throws InputValueError if `criticalValue` is not a positive number
 */
export function reportPage(kit: PageKit, input: ReportInput, options: PageOptions = {}): string {
  if (!(input.criticalValue > 0))
    throw valueError("renderReport", "a critical value > 0", String(input.criticalValue));
  const source = chartSource(input.rows, input.criticalValue);
  const charts = inPairs(chartsOf(source));
  const title = titleOf(input.config);
  const body = [
    head(input, title),
    `<main>${summarySection(input.summary)}`,
    ...(charts.length > 0
      ? [legendOfUse("all plots"), thinningNote(input.rows.length)]
      : ['<p class="empty">No steps have been logged yet.</p>']),
    `<div class="charts">${charts.map((chart) => chartSection(chart)).join("\n")}</div>`,
    input.diagnostics === undefined ? "" : diagnosticsSection(input.diagnostics),
    `${configuration(input)}</main>`,
    dataElement(source.axes, charts, "run-data"),
  ];
  return framedPage(kit, `${title} – central flows`, body, { run: input.title, ...options });
}

/** Every chart that the rows can fill, in reading order. */
const CHARTS: readonly ((source: ChartSource) => AnyChart[])[] = [
  planeChart,
  lossChart,
  sharpnessChart,
  distancesChart,
  variancesChart,
  batchSharpnessChart,
  gradientChart,
  accuracyChart,
  optimizerCharts,
  observedCharts,
  costCharts,
];

/** The charts of a run; of a long one no more of their numbers are kept than are drawn. */
const chartsOf = (source: ChartSource): AnyChart[] =>
  CHARTS.flatMap((draw) => draw(source).map((chart) => thinned(source.axes, chart)));

const thinningNote = (rows: number): string =>
  isThinned(rows)
    ? `<p class="howto">Of the ${rows} steps each curve shows the least and the largest value of every few; all numbers are in data.hdf5.</p>`
    : "";

function head({ title, config, status, environment }: ReportInput, name: string): string {
  const facts = runFacts(config).map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return pageHead(
    `Central flow report · ${title}`,
    name,
    `<dl class="facts">${facts.join("")}</dl>
<p class="status">${escapeHtml(status)}<span class="environment">${escapeHtml(environment)}</span></p>`,
  );
}

function summarySection(summary: Summary): string {
  const { step, processes, distances } = summary;
  if (step === undefined) return "";
  const processRows = processes.map(
    ({ process, label, loss, sharpness, accuracy }) =>
      `<tr><th scope="row"><i class="swatch" data-role="${process}"></i>${escapeHtml(label)}</th>${[
        loss,
        sharpness,
        accuracy,
      ]
        .map((x) => `<td>${formatNumber(x)}</td>`)
        .join("")}</tr>`,
  );
  const distanceRows = distances.map(
    ({ label, distance }) =>
      `<tr><th scope="row">${escapeHtml(label)}</th><td>${formatNumber(distance)}</td></tr>`,
  );
  const table = (caption: string, titles: readonly string[], rows: readonly string[]) => `<table>
<caption>${caption}</caption>
<thead><tr>${titles.map((title, i) => `<th scope="col"${i > 0 ? ' class="number"' : ""}>${title}</th>`).join("")}</tr></thead>
<tbody>${rows.join("")}</tbody></table>`;
  const told = headline(summary);
  const lede = told.length > 0 ? told.join(" ") : `The run stands at step ${step}.`;
  return `<section class="summary" aria-label="Summary">
<p class="lede">${escapeHtml(lede)}</p>
<div class="tables">
${table(`State at step ${step}`, ["Process", "Loss", "Sharpness", "Accuracy"], processRows)}
${distanceRows.length > 0 ? table("Distance between the weights", ["Between", "Distance"], distanceRows) : ""}
</div></section>`;
}

function configuration({ config }: ReportInput): string {
  const rows = flattened(config).map(
    ({ label, value }) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<details class="config"><summary>Full configuration</summary>
<table><tbody>${rows.join("")}</tbody></table></details>`;
}
