import { valueError } from "../../base/index.ts";
import type { Chart } from "../charts/chart.ts";
import { chartSection, legendOfUse } from "../charts/chart-section.ts";
import { escapeHtml, formatNumber } from "../format.ts";
import { htmlPage, kicker } from "./html-page.ts";
import { dataElement } from "./page-data.ts";

/** One number that a claim rests on. */
export interface ClaimNumber {
  /** What was measured, without a full stop. */
  readonly label: string;
  readonly value: number;
  /** What it must be for the claim to hold, such as "above 0.95"; absent: told, not judged. */
  readonly criterion?: string;
  /** Whether it is; absent without a criterion. */
  readonly holds?: boolean;
}

/** What one experiment says about a claim. */
export interface ClaimExperiment {
  /** Letters, digits and hyphens. */
  readonly name: string;
  /** A sentence on the settings, without a full stop. */
  readonly help: string;
  readonly numbers: readonly ClaimNumber[];
  readonly holds: boolean;
  /** The steps of the charts' columns. */
  readonly steps: Float64Array;
  readonly charts: readonly Chart[];
}

/** A claim with its measurements. */
export interface ClaimResult {
  /** Letters, digits and hyphens. */
  readonly name: string;
  readonly title: string;
  /** What is claimed, in a sentence or two. */
  readonly statement: string;
  /** How it is measured. */
  readonly method: string;
  readonly experiments: readonly ClaimExperiment[];
  readonly holds: boolean;
  /** "holds: …" or "does not hold here: …" */
  readonly verdict: string;
}

/**
 * Renders claims as one HTML page, in the manner of `renderReport`: the verdicts, then for each claim its numbers and
 * figures by experiment.
 *
 * @param environment one line on the machine and engine
 * @throws InputValueError for a name that is no HTML id
 */
export function renderClaims(claims: readonly ClaimResult[], environment: string): string {
  for (const { name, experiments } of claims)
    for (const id of [name, ...experiments.map((experiment) => experiment.name)])
      if (!/^[a-z][a-z0-9-]*$/.test(id))
        throw valueError("renderClaims", "names of letters, digits and hyphens", id);
  const body = [
    `<header class="head">${kicker("Central flow claims")}
<h1>Three findings, measured again</h1>
<p class="status">${escapeHtml(environment)}</p></header>`,
    `<section class="summary gallery" aria-label="Verdicts"><div class="scroll" tabindex="0" role="region" aria-label="Table of claims"><table>
<thead><tr><th scope="col">Claim</th><th scope="col" class="words">Verdict</th></tr></thead>
<tbody>${claims
      .map(
        ({ name, title, verdict }) =>
          `<tr><th scope="row"><a href="#${name}">${escapeHtml(title)}</a></th><td class="words">${escapeHtml(verdict)}</td></tr>`,
      )
      .join("\n")}</tbody></table></div></section>`,
    legendOfUse("all plots of an experiment"),
    ...claims.flatMap(claimSections),
  ];
  return htmlPage("Claims – central flows", body);
}

function claimSections(claim: ClaimResult): string[] {
  const { name, title, statement, method, verdict, experiments } = claim;
  return [
    `<section class="claim" id="${name}" aria-labelledby="${name}-title"><h2 id="${name}-title">${escapeHtml(title)}</h2>
<p>${escapeHtml(statement)}</p><p class="note">${escapeHtml(method)}</p><p><strong>${escapeHtml(verdict)}</strong></p></section>`,
    ...experiments.map((experiment) => experimentSection(name, experiment)),
  ];
}

function experimentSection(claim: string, { name, help, numbers, steps, charts }: ClaimExperiment): string {
  const id = `${claim}-${name}`;
  const own = charts.map((chart): Chart => ({ ...chart, id: `${id}-${chart.id}`, wide: false }));
  const lines = numbers.map(
    ({ label, value, criterion = "–", holds }) =>
      `<tr><th scope="row">${escapeHtml(label)}</th><td>${shown(value)}</td><td class="words">${escapeHtml(criterion)}</td><td class="words">${holds === undefined ? "–" : holds ? "yes" : "no"}</td></tr>`,
  );
  return `<section class="run gallery" id="${id}" aria-labelledby="${id}-name">
<h3 id="${id}-name">${name}</h3>
<p class="status">${escapeHtml(help)}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Numbers of ${name}"><table>
<thead><tr><th scope="col">Measured</th><th scope="col">Value</th><th scope="col" class="words">Wanted</th><th scope="col" class="words">Is it</th></tr></thead>
<tbody>${lines.join("\n")}</tbody></table></div>
<div class="charts">${own.map((chart) => chartSection(chart, 3)).join("\n")}</div>
${dataElement(steps, own)}
</section>`;
}

/** Counts as they are, other numbers rounded. */
const shown = (value: number): string => (Number.isSafeInteger(value) ? String(value) : formatNumber(value));

/** The verdicts and numbers for a terminal. */
export function claimsText(claims: readonly ClaimResult[]): string {
  const blocks = claims.map(({ title, verdict, experiments }) => {
    const lines = experiments.flatMap(({ name, numbers }) => [
      `  ${name}`,
      ...numbers.map(
        ({ label, value, criterion, holds }) =>
          `    ${label}: ${shown(value)}${criterion === undefined ? "" : ` (wanted: ${criterion}; ${holds ? "yes" : "no"})`}`,
      ),
    ]);
    return [`${title}: ${verdict}`, ...lines].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}
