import type { Quantity } from "../flows/index.ts";

export type { Quantity } from "../flows/index.ts";

/** What one step of a run logs. Rows are numbered without gaps and never change once logged. */
export interface StepRow {
  /** Row number: 0, 1, … */
  readonly index: number;
  /** Optimizer steps taken before this row: the run's initial step + `index`. */
  readonly step: number;
  /** Keys are HDF5 paths such as `central/train_loss` or `deltas`; a quantity a step does not have is left out. */
  readonly quantities: Readonly<Record<string, Quantity>>;
}

/** The shape of a quantity; [] for a number. */
export function quantityShape(quantity: Quantity): readonly number[] {
  return typeof quantity === "number" ? [] : quantity.shape;
}

/** The entries of a quantity in row-major order; not a copy for arrays. */
export function quantityData(quantity: Quantity): ArrayLike<number> {
  return typeof quantity === "number" ? [quantity] : quantity.data;
}

/** Whether a quantity is stored as int64 (counts) rather than float64. */
export function isIntegerQuantity(quantity: Quantity): boolean {
  return typeof quantity !== "number" && quantity.integer === true;
}

/** True for the quantities that no two runs share, wall-clock times: `PROCESS/times/…`. */
export function isWallClock(path: string): boolean {
  return path.split("/").includes("times");
}

/** What runs of before 0.2.0 did not log: a resumed one has it only from there on. */
const ADDED = ["plane/", "warm_start/"];

/**
 * Compares two rows bit for bit (−0 differs from 0, NaN equals NaN), leaving out wall-clock times.
 * A resumed run recomputes the rows after its checkpoint and checks them with this against the logged ones.
 *
 * @param a the row as it was logged; what an older version did not log is not missed
 * @returns undefined when the rows agree, else the first thing that differs: `index`, `step` or a quantity's path
 */
export function rowDifference(a: StepRow, b: StepRow): string | undefined {
  if (a.index !== b.index) return "index";
  if (a.step !== b.step) return "step";
  const paths = new Set([...Object.keys(a.quantities), ...Object.keys(b.quantities)]);
  for (const path of paths) {
    if (a.quantities[path] === undefined && ADDED.some((prefix) => path.startsWith(prefix))) continue;
    if (!isWallClock(path) && !sameQuantity(a.quantities[path], b.quantities[path])) return path;
  }
  return undefined;
}

function sameQuantity(a: Quantity | undefined, b: Quantity | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (isIntegerQuantity(a) !== isIntegerQuantity(b)) return false;
  return (
    sameEntries(quantityShape(a), quantityShape(b)) &&
    sameEntries(quantityData(a), quantityData(b)) &&
    (typeof a === "number") === (typeof b === "number")
  );
}

function sameEntries(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
