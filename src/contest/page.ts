import type { ProcessKind } from "../flows/index.ts";
import {
  type Chart,
  chart,
  group,
  labelOf,
  type Panel,
  renderRuns,
  type Table,
  tableText,
} from "../report/index.ts";
import type { Entry, ProblemResult, Series } from "./result.ts";

/** The columns that every table ends with: what a model predicts, and what a step of it costs. */
const SCORES = ["Loss", "Mean S/c", "Most S/c", "Onset", "Variance", "Gradients", "Products", "Thirds"].map(
  (title) => ({ title }),
);

const numberOf = (value: number | null | undefined): number => value ?? Number.NaN;

/** Three digits: the scores of chaotic paths have no more. */
function short(value: number | null): string {
  const x = numberOf(value);
  if (Number.isNaN(x)) return "–";
  const size = Math.abs(x);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e4) ? x.toExponential(1) : String(Number(x.toPrecision(3)));
  return text.replace("-", "−").replace("e+", "e");
}

function percent(value: number | null): string {
  const x = 100 * numberOf(value);
  if (Number.isNaN(x)) return "–";
  if (Math.abs(x) >= 1000) return `${x < 0 ? "−" : "+"}${(Math.abs(x) / 100).toFixed(0)}×`;
  return `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(Math.abs(x) < 10 ? 2 : 0)} %`;
}

function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** All models over all problems: how often nearest, and medians. */
export function contestTable(results: readonly ProblemResult[], models: readonly ProcessKind[]): Table {
  const nearest = results.map(({ entries }) =>
    entries.reduce<Entry | undefined>(
      (best, entry) =>
        entry.score.path !== null && (!best || entry.score.path < numberOf(best.score.path)) ? entry : best,
      undefined,
    ),
  );
  const rows = models.flatMap((model) => {
    const played = results.flatMap((result) => {
      const entry = result.entries.find((each) => each.model === model);
      const stable = result.entries.find((each) => each.model === "stable");
      return entry ? [{ entry, result, stable }] : [];
    });
    if (played.length === 0) return [];
    const over = (value: (at: (typeof played)[number]) => number): string => short(median(played.map(value)));
    const cells = [
      `${played.filter(({ entry, result }) => numberOf(entry.score.steps) >= numberOf(result.facts.steps)).length} of ${played.length}`,
      String(nearest.filter((entry) => entry?.model === model).length),
      over(({ entry }) => numberOf(entry.score.path)),
      over(({ entry, stable }) => numberOf(entry.score.path) / numberOf(stable?.score.path)),
      percent(median(played.map(({ entry }) => Math.abs(numberOf(entry.score.loss))))),
      over(({ entry, result }) =>
        Math.abs(numberOf(entry.score.sharpness) - numberOf(result.facts.sharpness)),
      ),
      over(({ entry, result }) =>
        Math.abs(numberOf(entry.score.overshoot) - numberOf(result.facts.overshoot)),
      ),
      over(({ entry, result }) => Math.abs(numberOf(entry.score.onset) - numberOf(result.facts.onset))),
      percent(median(played.map(({ entry }) => Math.abs(numberOf(entry.score.variances))))),
      over(({ entry }) => numberOf(entry.score.gradients)),
      over(({ entry }) => numberOf(entry.score.products)),
      over(({ entry }) => numberOf(entry.score.thirds)),
    ];
    return [{ name: labelOf(model), cells }];
  });
  return {
    label: "Models over all problems",
    first: "Model",
    columns: [
      { title: "To the end" },
      { title: "Nearest" },
      { title: "Path" },
      { title: "Path / stable’s" },
      ...SCORES,
    ],
    rows,
  };
}

/** The models on one problem, beside the optimizer itself. */
export function problemTable({ name, facts, entries }: ProblemResult): Table {
  return {
    label: `Models on ${name}`,
    first: "Model",
    columns: [{ title: "Path" }, ...SCORES],
    rows: [
      {
        name: "Optimizer",
        cells: [
          "",
          short(facts.loss),
          short(facts.sharpness),
          short(facts.overshoot),
          short(facts.onset),
          short(facts.variance),
          "1",
          "0",
          "0",
        ],
      },
      ...entries.map(({ model, score }) => ({
        name: labelOf(model),
        cells: [
          numberOf(score.steps) < numberOf(facts.steps) ? `ended at ${score.steps}` : short(score.path),
          percent(score.loss),
          short(score.sharpness),
          short(score.overshoot),
          short(score.onset),
          percent(score.variances),
          short(score.gradients),
          short(score.products),
          short(score.thirds),
        ],
      })),
    ],
  };
}

const NOTE =
  "Path: mean distance from the optimizer’s midpoints over the distance that they moved. Loss: predicted less measured mean of the second half, over the mean of the measured |loss|. S/c: effective sharpness over its edge, mean of the second half and largest of all steps but the first, S at the midpoints for the optimizer. Onset: the step at which the oscillation has a tenth of the mean square that the optimizer’s has in the second half; – where it never comes. Variance: predicted over measured mean square, less 1. Costs are those of a step; the flow with noise asks for the gradient of every example besides. With mini-batches Loss and S are those of all examples, Variance contains the noise of directions that do not oscillate, and Path how one draw of batches departs from their mean. A model that ended early has no means. In the table of all models: medians over problems of absolute differences from the optimizer; a problem counts only where there is a number.";

/** The page of a contest: the table of all, then a panel for each problem. @throws InputValueError as `renderRuns` does */
export function renderContest(
  results: readonly ProblemResult[],
  models: readonly ProcessKind[],
  environment: string,
): string {
  return renderRuns({
    name: "Contest",
    kicker: "Central flows contest",
    heading: "Continuous models against the optimizer",
    environment,
    table: contestTable(results, models),
    note: NOTE,
    sections: [{ panels: results.map(panelOf) }],
  });
}

const valuesOf = (series: Series): Float64Array => Float64Array.from(series, numberOf);

function panelOf(result: ProblemResult): Panel {
  const { name, help, loss, sharpness, entries } = result;
  const steps = Float64Array.from(loss, (_, t) => t);
  const lines = (what: "distance" | "loss" | "sharpness"): Chart["groups"] =>
    entries.flatMap((entry) =>
      group(
        labelOf(entry.model),
        entry.model,
        [{ name: `${entry.model}/${what}`, values: valuesOf(entry[what]) }],
        {
          ...(entry.model === "stable" && { strays: true }),
        },
      ),
    );
  return {
    id: name,
    title: name,
    note: help,
    numbers: problemTable(result),
    axes: [{ steps }],
    charts: [
      ...chart({
        id: "sharpness",
        title: "Effective sharpness over its edge",
        caption: "",
        axis: "S/c",
        wide: true,
        level: { value: 1, label: "edge of stability" },
        groups: [
          ...group("Midpoints", "midpoint", [{ name: "midpoint/sharpness", values: valuesOf(sharpness) }]),
          ...lines("sharpness"),
        ],
      }),
      ...chart({
        id: "distance",
        title: "Distance from the midpoints",
        caption: "",
        axis: "distance",
        log: true,
        groups: lines("distance"),
      }),
      ...chart({
        id: "loss",
        title: "Loss, as predicted on average",
        caption: "",
        axis: "loss",
        log: true,
        groups: [
          ...group("Optimizer", "discrete", [{ name: "discrete/loss", values: valuesOf(loss) }]),
          ...lines("loss"),
        ],
      }),
    ],
  };
}

/** The tables for a terminal. */
export function contestText(results: readonly ProblemResult[], models: readonly ProcessKind[]): string {
  const blocks = results.map(
    (result) => `${result.name}: ${result.help}\n${tableText(problemTable(result))}`,
  );
  return `${[...blocks, `all\n${tableText(contestTable(results, models))}`].join("\n\n")}\n`;
}
