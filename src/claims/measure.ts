import { type ClaimExperiment, type ClaimNumber, chartSource, columnOf, columnsOf } from "../report/index.ts";
import type { StepRow } from "../simulation/index.ts";
import type { Experiment } from "./experiments.ts";

/** The mean of the entries that are numbers; NaN if there are none. */
export function mean(values: ArrayLike<number>): number {
  let total = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++)
    if (!Number.isNaN(values[i])) {
      total += values[i];
      count++;
    }
  return total / count;
}

/** The rows of the second half of a run on which the central flow has an eigenvalue at the edge. */
export function lateAtEdge(rows: readonly StepRow[]): StepRow[] {
  return rows.slice(Math.floor(rows.length / 2)).filter(({ quantities }) => {
    const variances = quantities["central/predicted_variances"];
    return variances !== undefined && typeof variances !== "number" && variances.data.length > 0;
  });
}

/** The mean of a scalar quantity over rows. */
export function meanOf(rows: readonly StepRow[], path: string): number {
  return mean(columnOf(rows, path) ?? []);
}

/** The mean of the sum over a vector's entries, each mapped first. */
export function meanSum(
  rows: readonly StepRow[],
  path: string,
  map: (x: number) => number = (x) => x,
): number {
  const columns = columnsOf(rows, path);
  const totals = rows.map((_, r) =>
    columns.reduce((sum, column) => sum + (Number.isNaN(column[r]) ? 0 : map(column[r])), 0),
  );
  return mean(totals);
}

/** A number that is wanted above a bound. */
export function above(label: string, value: number, bound: number): ClaimNumber {
  return { label, value, criterion: `above ${bound}`, holds: value > bound };
}

/** A number that is wanted below a bound. */
export function below(label: string, value: number, bound: number): ClaimNumber {
  return { label, value, criterion: `below ${bound}`, holds: value < bound };
}

/** Whether every judged number is as wanted, and one is judged. */
function allHold(numbers: readonly ClaimNumber[]): boolean {
  const judged = numbers.filter(({ holds }) => holds !== undefined);
  return judged.length > 0 && judged.every(({ holds }) => holds);
}

/** What one experiment of a claim found, and whether its numbers meet every criterion. */
export function findingsOf(
  { name, help }: Experiment,
  numbers: readonly ClaimNumber[],
  shown: Pick<ClaimExperiment, "axes" | "charts">,
): ClaimExperiment {
  return { name, help, numbers, holds: allHold(numbers), ...shown };
}

/** An experiment's rows as the report's charts read them. */
export function chartSourceOf({ rows }: Experiment): ReturnType<typeof chartSource> {
  return chartSource(rows, 2);
}
