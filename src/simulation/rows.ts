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
  return /(?:^|\/)times(?:\/|$)/.test(path);
}

/** What a row keeps where network outputs are logged every so many rows only: all, or all but those. */
export function withOutputsEvery(
  index: number,
  quantities: StepRow["quantities"],
  every: number,
): StepRow["quantities"] {
  if (index % every === 0) return quantities;
  return Object.fromEntries(Object.entries(quantities).filter(([path]) => !path.endsWith("_outputs")));
}

/** What runs of before 0.2.0 did not log: a resumed one has it only from there on. */
const ADDED = ["plane/", "warm_start/"];

/**
 * A quantity without what only pads it: an array cut to the smallest corner that holds all its entries that are
 * numbers (of integers: that are not 0). Undefined when nothing is left, which is what a quantity that was not logged
 * looks like too. Files that hold many rows as one array pad with NaN and 0; this tells the same rows the same in both
 * forms. Returns the quantity itself where there is nothing to cut.
 */
export function withoutPadding(quantity: Quantity): Quantity | undefined {
  if (typeof quantity === "number") return Number.isNaN(quantity) ? undefined : quantity;
  const { shape, data, integer } = quantity;
  const present = (x: number): boolean => (integer ? x !== 0 : !Number.isNaN(x));
  if (data.length > 0 && present(data[data.length - 1])) return plain(quantity);
  const kept = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    if (!present(data[i])) continue;
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      kept[axis] = Math.max(kept[axis], (rest % shape[axis]) + 1);
      rest = Math.floor(rest / shape[axis]);
    }
  }
  if (kept.includes(0) || shape.length === 0) return undefined;
  if (kept.every((length, axis) => length === shape[axis])) return quantity;
  const size = kept.reduce((product, length) => product * length, 1);
  const cut = Float64Array.from({ length: size }, (_, i) => data[offsetIn(shape, kept, i)]);
  return { shape: kept, data: cut, ...(integer && { integer }) };
}

/** A float array without axes is a number. */
const plain = (quantity: Exclude<Quantity, number>): Quantity =>
  quantity.shape.length === 0 && !quantity.integer ? quantity.data[0] : quantity;

/** Where entry `i` of the corner `corner` stands in an array of the given shape. */
export function offsetIn(shape: readonly number[], corner: readonly number[], i: number): number {
  let offset = 0;
  let stride = 1;
  for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
    offset += (rest % corner[axis]) * stride;
    rest = Math.floor(rest / corner[axis]);
    stride *= shape[axis];
  }
  return offset;
}

/**
 * Compares two rows bit for bit (−0 differs from 0, NaN equals NaN), leaving out wall-clock times and padding.
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

function sameQuantity(x: Quantity | undefined, y: Quantity | undefined): boolean {
  const a = x === undefined ? undefined : withoutPadding(x);
  const b = y === undefined ? undefined : withoutPadding(y);
  if (a === undefined || b === undefined) return a === b;
  return (
    isIntegerQuantity(a) === isIntegerQuantity(b) &&
    sameEntries(quantityShape(a), quantityShape(b)) &&
    sameEntries(quantityData(a), quantityData(b))
  );
}

function sameEntries(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** The paths of rows, as they stand and sorted, with their bytes. */
interface Order {
  readonly paths: readonly string[];
  readonly sorted: readonly { readonly path: string; readonly name: Uint8Array }[];
}

/** So many orders are kept. */
const MOST_ORDERS = 8;

function hasPaths(quantities: StepRow["quantities"], paths: readonly string[]): boolean {
  let at = 0;
  for (const path in quantities) if (path !== paths[at++]) return false;
  return at === paths.length;
}

/**
 * A row as bytes that are the same for rows in which `rowDifference` finds nothing: what a digest of a run is made of.
 * Wall-clock times and padding are left out; every NaN is one NaN.
 */
export class RowBytes {
  /** Orders that were made: a run's rows have one of a few lists of paths. */
  private readonly orders: Order[] = [];
  private bytes = new Uint8Array(4096);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  /** The bytes of a row; overwritten by the next call. */
  of(row: StepRow): Uint8Array {
    this.length = 0;
    this.number(row.index);
    this.number(row.step);
    for (const { path, name } of this.order(row)) {
      const quantity = withoutPadding(row.quantities[path]);
      if (quantity === undefined) continue;
      const shape = quantityShape(quantity);
      const data = quantityData(quantity);
      this.reserve(name.length + 8 * (2 + shape.length + data.length));
      this.bytes.set(name, this.length);
      this.length += name.length;
      this.number(isIntegerQuantity(quantity) ? -1 - shape.length : shape.length);
      for (const length of shape) this.number(length);
      for (let i = 0; i < data.length; i++) this.number(data[i]);
    }
    return this.bytes.subarray(0, this.length);
  }

  /** The row's paths in an order that does not depend on how it was made. */
  private order({ quantities }: StepRow): Order["sorted"] {
    const known = this.orders.find(({ paths }) => hasPaths(quantities, paths));
    if (known) return known.sorted;
    const encoder = new TextEncoder();
    const paths = Object.keys(quantities);
    const sorted = paths
      .filter((path) => !isWallClock(path))
      .sort((a, b) => (a < b ? -1 : 1))
      .map((path) => ({ path, name: encoder.encode(`${path}\0`) }));
    this.orders.unshift({ paths, sorted });
    this.orders.length = Math.min(this.orders.length, MOST_ORDERS);
    return sorted;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.length + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  private number(x: number): void {
    if (Number.isNaN(x)) this.view.setBigUint64(this.length, 0x7ff8000000000000n, true);
    else this.view.setFloat64(this.length, x, true);
    this.length += 8;
  }
}
