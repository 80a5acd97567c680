import type { StepRow } from "../simulation/index.ts";
import { type Column, RowColumns } from "./row-columns.ts";

export type { Column } from "./row-columns.ts";

/** The rows of a run, one by one or as columns. */
export type Rows = readonly StepRow[] | RowColumns;

/** The columns of a quantity: one per entry of its largest row-major array, none if no row has it. */
export function columnsOf(rows: Rows, path: string): Column[] {
  const columns = rows instanceof RowColumns ? rows.columns(path) : columnsOfRows(rows, path);
  return columns.filter((column) => column.some((x) => !Number.isNaN(x)));
}

function columnsOfRows(rows: readonly StepRow[], path: string): Column[] {
  const columns: Column[] = [];
  const put = (c: number, r: number, value: number): void => {
    columns[c] ??= new Float64Array(rows.length).fill(NaN);
    columns[c][r] = value;
  };
  for (let r = 0; r < rows.length; r++) {
    const quantity = rows[r].quantities[path];
    if (typeof quantity === "number") put(0, r, quantity);
    else if (quantity !== undefined)
      for (let c = 0; c < quantity.data.length; c++) put(c, r, quantity.data[c]);
  }
  return columns;
}

/** A scalar quantity as a column; undefined if no row has a value. */
export function columnOf(rows: Rows, path: string): Column | undefined {
  return columnsOf(rows, path)[0];
}

/** Optimizer steps taken before each row. */
export const stepsOf = (rows: Rows): Float64Array =>
  rows instanceof RowColumns ? rows.steps : Float64Array.from(rows, ({ step }) => step);

/** The paths of all quantities. */
export function pathsOf(rows: Rows): Set<string> {
  if (rows instanceof RowColumns) return new Set(rows.paths);
  const paths = new Set<string>();
  for (const { quantities } of rows) for (const path in quantities) paths.add(path);
  return paths;
}

/** The paths of all quantities that begin with `prefix`, sorted. */
export const pathsUnder = (rows: Rows, prefix: string): string[] =>
  [...pathsOf(rows)].filter((path) => path.startsWith(prefix)).sort();

/** The last value that is not NaN; undefined if there is none. */
export function lastValue(column: Column | undefined): number | undefined {
  return column?.findLast((x) => !Number.isNaN(x));
}

/** Row by row sum over the columns that have a value; NaN where none has. */
export function sumOf(columns: readonly Column[]): Column {
  const length = columns[0]?.length ?? 0;
  return Float64Array.from({ length }, (_, r) => {
    const present = columns.map((column) => column[r]).filter((x) => !Number.isNaN(x));
    return present.length === 0 ? NaN : present.reduce((sum, x) => sum + x, 0);
  });
}

/** Entry by entry square. */
export function squareOf(column: Column): Column {
  return column.map((x) => x * x);
}

/**
 * Centred average over `window` rows (odd), the nearer rows weighing more (triangular weights, so that a spike
 * fades instead of leaving a plateau), skipping NaN; NaN where the column itself is. Near both ends the window
 * shrinks symmetrically, so that a trend does not shift the average, and where less than half of it is left there
 * is no average.
 */
export function runningMean(column: Column, window: number): Column {
  const reach = (window - 1) / 2;
  return column.map((value, r) => {
    if (Number.isNaN(value)) return NaN;
    const half = Math.min(reach, r, column.length - 1 - r);
    if (half < reach / 2) return NaN;
    let sum = 0;
    let weights = 0;
    for (let offset = -half; offset <= half; offset++) {
      const x = column[r + offset];
      if (Number.isNaN(x)) continue;
      const weight = half + 1 - Math.abs(offset);
      sum += weight * x;
      weights += weight;
    }
    return sum / weights;
  });
}

/**
 * The averaging window for a run of `rows` rows: a quarter of it, odd, between 5 and 151. Oscillations at the edge
 * swell and die down with a period of some 25 steps in the runs looked at, and an average should hold one or more.
 */
export function averagingWindow(rows: number): number {
  return Math.min(151, Math.max(5, 2 * Math.round(rows / 8) + 1));
}
