import type { AnyChart } from "../charts/chart.ts";
import type { Axis } from "../charts/dynamics-charts.ts";
import { formatNumber } from "../format.ts";
import { type Panel, renderRuns } from "./runs-page.ts";

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
  /** Where the charts' lines stand. */
  readonly axes: readonly Axis[];
  readonly charts: readonly AnyChart[];
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
 * Renders claims as one HTML page: the verdicts, then for each claim its numbers and figures by experiment.
 *
 * @param environment one line on the machine and engine
 * @throws InputValueError for a name that is no HTML id
 */
export function renderClaims(claims: readonly ClaimResult[], environment: string): string {
  return renderRuns({
    name: "Claims",
    kicker: "Central flow claims",
    heading: "Three findings, measured again",
    environment,
    table: {
      label: "Table of claims",
      first: "Claim",
      columns: [{ title: "Verdict", words: true }],
      rows: claims.map(({ name, title, verdict }) => ({ name: title, href: `#${name}`, cells: [verdict] })),
    },
    sections: claims.map(({ name, title, statement, method, verdict, experiments }) => ({
      id: name,
      title,
      paragraphs: [statement, method],
      verdict,
      panels: experiments.map((experiment) => panelOf(name, experiment)),
    })),
  });
}

function panelOf(claim: string, { name, help, numbers, axes, charts }: ClaimExperiment): Panel {
  return {
    id: `${claim}-${name}`,
    title: name,
    note: help,
    numbers: {
      label: `Numbers of ${name}`,
      first: "Measured",
      columns: [{ title: "Value" }, { title: "Wanted", words: true }, { title: "Is it", words: true }],
      rows: numbers.map(({ label, value, criterion = "–", holds }) => ({
        name: label,
        cells: [shown(value), criterion, holds === undefined ? "–" : holds ? "yes" : "no"],
      })),
    },
    axes,
    charts,
  };
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
