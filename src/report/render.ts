import { valueError } from "../base/index.ts";
import type { StepRow } from "../experiment/index.ts";
import type { Chart } from "./chart.ts";
import {
  type ChartSource,
  distancesChart,
  labelOf,
  lossChart,
  sharpnessChart,
  variancesChart,
} from "./dynamics-charts.ts";
import { escapeHtml, formatNumber } from "./format.ts";
import { accuracyChart, costCharts, gradientChart, optimizerCharts } from "./other-charts.ts";
import { pageAssets } from "./page-assets.ts";
import { pageData } from "./page-data.ts";
import { flattened, isGradientDescent, runFacts } from "./run-facts.ts";
import type { Summary } from "./summary.ts";

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
  const { style, script, notice } = pageAssets();
  const plain = isGradientDescent(input.config);
  const source: ChartSource = {
    rows: input.rows,
    criticalValue: input.criticalValue,
    stableName: plain ? "Gradient flow" : "Stable flow",
    stableProse: plain ? "gradient flow" : "the stable flow",
  };
  const charts = chartsOf(source);
  const steps = Float64Array.from(input.rows, (row) => row.step);
  const body = [
    head(input),
    summarySection(input.summary, source),
    ...(charts.length > 0 ? [legendOfUse()] : ['<p class="empty">No steps have been logged yet.</p>']),
    `<main class="charts">${charts.map(chartSection).join("\n")}</main>`,
    configuration(input),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<link rel="icon" href="data:,">
<title>${escapeHtml(input.title)} – central flows</title>
<style>
${style}
</style>
</head>
<body>
${body.join("\n")}
<script type="application/json" id="run-data">${pageData(steps, charts)}</script>
<script>
${script}
</script>
<!--
${notice}
-->
</body>
</html>
`;
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
<div class="bar"><p class="kicker">Central flow report</p>
<button type="button" class="tool" id="theme" aria-live="polite" hidden>Theme: auto</button></div>
<h1>${escapeHtml(title)}</h1>
<dl class="facts">${facts.join("")}</dl>
<p class="status">${escapeHtml(status)}<span class="environment">${escapeHtml(environment)}</span></p>
</header>`;
}

function summarySection({ step, processes, distances }: Summary, source: ChartSource): string {
  if (step === undefined) return "";
  const processRows = processes.map(
    ({ process, loss, sharpness, accuracy }) =>
      `<tr><th scope="row"><i class="swatch" data-role="${process}"></i>${escapeHtml(labelOf(source, process))}</th>${[
        loss,
        sharpness,
        accuracy,
      ]
        .map((x) => `<td>${formatNumber(x)}</td>`)
        .join("")}</tr>`,
  );
  const distanceRows = distances.map(({ between: [a, b], distance }) => {
    const label = `${labelOf(source, a)} to ${labelOf(source, b).toLowerCase()}`;
    return `<tr><th scope="row">${escapeHtml(label)}</th><td>${formatNumber(distance)}</td></tr>`;
  });
  const table = (caption: string, titles: readonly string[], rows: readonly string[]) => `<table>
<caption>${caption}</caption>
<thead><tr>${titles.map((title, i) => `<th scope="col"${i > 0 ? ' class="number"' : ""}>${title}</th>`).join("")}</tr></thead>
<tbody>${rows.join("")}</tbody></table>`;
  return `<section class="summary" aria-label="Summary">
<p class="lede">${escapeHtml(lede({ step, processes, distances }, source))}</p>
<div class="tables">
${table(`State at step ${step}`, ["Process", "Loss", "Sharpness", "Accuracy"], processRows)}
${distanceRows.length > 0 ? table("Distance between the weights", ["Between", "Distance"], distanceRows) : ""}
</div></section>`;
}

/** The run in one sentence. */
function lede({ step, distances }: Summary, source: ChartSource): string {
  const distance = (pair: string) => distances.find(({ between }) => between.join("-") === pair)?.distance;
  const flow = distance("central-discrete");
  const stable = distance("discrete-stable");
  if (flow === undefined) return `The run stands at step ${step}.`;
  const near = `At step ${step} the central flow is ${formatNumber(flow)} away from the optimizer`;
  if (stable === undefined) return `${near}.`;
  const times = stable / flow;
  const ratio = times >= 1.05 && times < 1e4 ? `, ${times.toPrecision(2)} times as far` : "";
  return `${near}; ${source.stableProse} is ${formatNumber(stable)} away${ratio}.`;
}

function legendOfUse(): string {
  return `<p class="howto">Move over a plot, or focus it and use the arrow keys, to read values in all plots at
once. Drag to zoom; double-click or press Escape to see everything again. Names switch curves on and off.</p>`;
}

function chartSection({ id, title, caption, groups, log, wide }: Chart): string {
  const items = groups.map(
    ({ label, role, shown, lines }, i) =>
      `<button type="button" class="key" data-group="${i}" aria-pressed="${shown}"><i class="swatch" data-role="${role}"></i><span>${escapeHtml(label)}</span><output style="min-width: ${7 * Math.min(lines.length, 4)}ch"></output></button>`,
  );
  return `<section class="chart${wide ? " wide" : ""}" id="${id}" aria-labelledby="${id}-title">
<div class="bar"><h2 id="${id}-title">${escapeHtml(title)}</h2>
<div class="tools" hidden><button type="button" class="tool" data-tool="log" aria-pressed="${log ?? false}" aria-label="Logarithmic axis">Log</button>
<button type="button" class="tool" data-tool="reset" aria-label="Reset zoom" disabled>Reset</button>
<button type="button" class="tool" data-tool="csv" aria-label="${escapeHtml(title)} as CSV">CSV</button></div></div>
<p class="caption" id="${id}-caption">${escapeHtml(caption.replace(/\s+/g, " "))}</p>
<div class="plot" role="group" tabindex="0" aria-roledescription="plot" aria-labelledby="${id}-title" aria-describedby="${id}-caption"></div>
<div class="keys" role="group" aria-label="Curves and their values"><span class="at"></span>${items.join("")}</div>
<p class="aloud" role="status"></p>
</section>`;
}

function configuration({ config }: ReportInput): string {
  const rows = flattened(config).map(
    ({ label, value }) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<details class="config"><summary>Full configuration</summary>
<table><tbody>${rows.join("")}</tbody></table></details>`;
}
