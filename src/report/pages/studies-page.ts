import { type AnyChart, chart, group, type Role, RUN_COLORS } from "../charts/chart.ts";
import type { Axis } from "../charts/dynamics-charts.ts";
import type { StudyFigure } from "../charts/study-figure.ts";
import { formatNumber } from "../format.ts";
import { type Panel, renderRuns } from "./runs-page.ts";
import type { Table } from "./table.ts";

/** One number of a study. */
export interface StudyNumber {
  /** What was measured, without a full stop. */
  readonly label: string;
  readonly value: number;
  /** Where it has to lie, such as "below 0.1"; absent: told, not judged. */
  readonly criterion?: string;
  /** Whether it does; absent without a criterion. */
  readonly holds?: boolean;
}

/** A study with what it found. Plain data, which JSON can hold. */
export interface StudyResult {
  /** Letters and hyphens. */
  readonly name: string;
  readonly title: string;
  readonly papers: readonly { readonly title: string; readonly arxiv: string; readonly standing: string }[];
  readonly question: string;
  readonly method: string;
  /** Those that are judged, then those that are told. */
  readonly numbers: readonly StudyNumber[];
  /** Whether every criterion is met; null where nothing is judged. */
  readonly holds: boolean | null;
  /** "holds: …" or "does not hold here: …" */
  readonly verdict: string;
  readonly figures: readonly StudyFigure[];
  readonly remarks: readonly string[];
  readonly unavailable: string;
}

/**
 * Renders studies as one HTML page: the verdicts, then for each study its sources, question, numbers and figures.
 *
 * @param environment one line on the machine and engine
 * @throws InputValueError for a name that is no HTML id
 */
export function renderStudies(studies: readonly StudyResult[], environment: string): string {
  const [only] = studies;
  return renderRuns({
    name: studies.length === 1 ? only.title : "Studies",
    kicker: "Central flow studies",
    heading: studies.length === 1 ? only.title : "Related papers, measured",
    environment,
    table: {
      label: "Table of studies",
      first: "Study",
      columns: [{ title: "Verdict", words: true }],
      rows: studies.map(({ name, title, verdict }) => ({ name: title, href: `#${name}`, cells: [verdict] })),
    },
    sections: studies.map((study) => ({
      id: study.name,
      title: study.title,
      sources: study.papers.map(({ title, arxiv, standing }) => ({
        words: title,
        href: `https://arxiv.org/abs/${arxiv}`,
        note: `arXiv ${arxiv}: ${standing}`,
      })),
      paragraphs: [study.question, study.method, ...study.remarks, `Not available: ${study.unavailable}`],
      verdict: study.verdict,
      panels: panelsOf(study),
    })),
  });
}

/** The numbers, then the figures: those along the same axis in one panel. */
function panelsOf({ name, title, numbers, figures }: StudyResult): Panel[] {
  const alongs = [...new Set(figures.map(({ along }) => along))];
  const numbersPanel: Panel = {
    id: `${name}-numbers`,
    title: "Numbers",
    numbers: numbersTable(title, numbers),
    axes: [{ steps: new Float64Array(0) }],
    charts: [],
  };
  return [
    numbersPanel,
    ...alongs.map((along, i): Panel => {
      const axes: Axis[] = [];
      const own = figures.filter((figure) => figure.along === along);
      const charts = own.flatMap((figure) => chartOf(figure, axes));
      return { id: `${name}-along-${i}`, title: `Along ${along}`, axes, charts, explained: true };
    }),
  ];
}

/** A figure as a chart; the places of its curves become axes. */
function chartOf(figure: StudyFigure, axes: Axis[]): AnyChart[] {
  const { id, title, caption, along, axis, log, level, curves } = figure;
  const groups = curves.flatMap(({ label, x, y }, i) => {
    axes.push({ steps: Float64Array.from(x) });
    const role: Role = `run-${i % RUN_COLORS}`;
    return group(label, role, [{ name: label, values: Float64Array.from(y), axis: axes.length - 1 }]);
  });
  return chart({ id, title, caption, along, axis, groups, ...(log && { log }), ...(level && { level }) });
}

function numbersTable(title: string, numbers: readonly StudyNumber[]): Table {
  return {
    label: `Numbers of ${title}`,
    first: "Measured",
    sentences: true,
    columns: [{ title: "Value" }, { title: "Wanted", words: true }, { title: "Is it", words: true }],
    rows: numbers.map(({ label, value, criterion = "–", holds }) => ({
      name: label,
      cells: [shown(value), criterion, holds === undefined ? "–" : holds ? "yes" : "no"],
    })),
  };
}

/** Counts as they are, other numbers rounded. */
const shown = (value: number): string => (Number.isSafeInteger(value) ? String(value) : formatNumber(value));

/** The verdicts and numbers for a terminal. */
export function studiesText(studies: readonly StudyResult[]): string {
  const blocks = studies.map(({ title, verdict, numbers, remarks }) => {
    const lines = numbers.map(
      ({ label, value, criterion, holds }) =>
        `  ${label}: ${shown(value)}${criterion === undefined ? "" : ` (wanted: ${criterion}; ${holds ? "yes" : "no"})`}`,
    );
    return [`${title}: ${verdict}`, ...lines, ...remarks.map((words) => `  ${words}`)].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}
