import type { Diagnostics } from "../../analysis/index.ts";
import { chartSection } from "../charts/chart-section.ts";
import { epsilonSentence, histogramCharts } from "../charts/diagnostic-charts.ts";
import { dataElement } from "../charts/page-data.ts";
import { escapeHtml, formatNumber } from "../format.ts";
import { tableHtml } from "./table.ts";

/** Where a study's paper is. */
const paper = (arxiv: string, words: string): string =>
  `<a href="https://arxiv.org/abs/${arxiv}">${words}</a>`;

/**
 * What a report tells of the optimizer's last weights: what ε does, with the histograms behind it, and the norms of the
 * layers. Each names the command of its study.
 */
export function diagnosticsSection({ step, epsilon, layers }: Diagnostics): string {
  return [epsilon && epsilonHtml(epsilon, step), layers.length > 0 ? layersHtml(layers, step) : ""]
    .filter((part) => part)
    .join("\n");
}

function epsilonHtml(epsilon: NonNullable<Diagnostics["epsilon"]>, step: number): string {
  const { axes, charts } = histogramCharts(epsilon);
  return `<section class="run" id="epsilon" aria-labelledby="epsilon-title">
<h2 id="epsilon-title">What ε does</h2>
<p class="note">${escapeHtml(epsilonSentence(epsilon))} After ${step} steps${epsilon.roots.zeros > 0 ? `; a share of ${formatNumber(epsilon.roots.zeros)} of the second moments is 0, of weights without a gradient` : ""}. More of this: <code>central-flows study epsilon DIR</code> with this folder, after ${paper("2311.11532", "arXiv 2311.11532")}.</p>
<div class="charts">${charts.map((chart) => chartSection(chart, { level: 3 })).join("\n")}</div>
${dataElement(axes, charts)}
</section>`;
}

function layersHtml(layers: Diagnostics["layers"], step: number): string {
  const table = tableHtml({
    label: "Table of layers",
    first: "Parameter",
    columns: [{ title: "σ max" }, { title: "Frobenius norm" }, { title: "Gradient norm" }],
    rows: layers.map(({ parameter, spectral, frobenius, gradient }) => ({
      name: parameter,
      cells: [formatNumber(spectral), formatNumber(frobenius), formatNumber(gradient)],
    })),
  });
  return `<details class="config" id="layers"><summary>Norms of the layers after ${step} steps</summary>
<p class="note">σ max is the largest singular value of a weight matrix, the most that the layer stretches a difference of inputs; kernels of convolutions have none here, for theirs is another’s than that of their reshaped numbers. More of this: <code>central-flows analyse DIR</code> and <code>central-flows study lipschitz</code>, after ${paper("2306.09338", "arXiv 2306.09338")}.</p>
${table}</details>`;
}
