/** Rows as columns: every quantity one array [rows, …], as HDF5 files keep them. */
import { valueError } from "../base/index.ts";
import {
  isIntegerQuantity,
  offsetIn,
  type Quantity,
  quantityData,
  quantityShape,
  type StepRow,
  withoutPadding,
} from "../simulation/index.ts";

/** One data set of an HDF5 file, row-major. */
export interface DataSet {
  /** Path without a leading slash, such as `central/train_loss`. */
  readonly path: string;
  readonly shape: readonly number[];
  /** float64 or int64. */
  readonly data: Float64Array | BigInt64Array;
}

/** What one step of a quantity takes: the largest size along each axis, and whether all rows have it as integers. */
export interface Extent {
  readonly shape: readonly number[];
  readonly integer: boolean;
}

/** The data sets that hold rows: paths with the largest shape of a step, found row by row. */
export class Extents {
  private readonly byPath = new Map<string, Extent>();
  private changes = 0;

  /** Counts up whenever a row needed another shape or path. */
  get version(): number {
    return this.changes;
  }

  /** Paths with their extents, in the order of their first row. */
  get entries(): ReadonlyMap<string, Extent> {
    return this.byPath;
  }

  /**
   * Takes in a row.
   *
   * @throws InputValueError if a quantity's rank differs from another row's, or if a name is not a path or is also a
   *   folder of another
   */
  add({ quantities }: StepRow): void {
    for (const path in quantities) {
      const shape = quantityShape(quantities[path]);
      const integer = isIntegerQuantity(quantities[path]);
      const known = this.byPath.get(path);
      if (known === undefined) {
        this.checkPath(path);
        this.byPath.set(path, { shape: [...shape], integer });
        this.changes++;
        continue;
      }
      if (shape.length !== known.shape.length)
        throw valueError("data.hdf5", `${known.shape.length} axes for ${path}`, `${shape.length}`);
      if (integer !== known.integer && known.integer) {
        this.byPath.set(path, { ...known, integer: false });
        this.changes++;
      }
      if (known.shape.some((length, axis) => shape[axis] > length)) {
        const grown = known.shape.map((length, axis) => Math.max(length, shape[axis]));
        this.byPath.set(path, { shape: grown, integer: known.integer && integer });
        this.changes++;
      }
    }
  }

  private checkPath(path: string): void {
    const advice = "name quantities like central/train_loss";
    if (path.split("/").some((part) => part === "" || part === "." || part.includes("\0")))
      throw valueError("data.hdf5", "an HDF5 path", JSON.stringify(path), advice);
    for (const other of ["step", ...this.byPath.keys()])
      if (path === other || path.startsWith(`${other}/`) || other.startsWith(`${path}/`))
        throw valueError("data.hdf5", "a name of its own for each quantity", path, advice);
  }
}

/** The extents of some rows. */
export function extentsOf(rows: Iterable<StepRow>): Extents {
  const extents = new Extents();
  for (const row of rows) extents.add(row);
  return extents;
}

/**
 * Lays rows out as data sets, `step` first: float64 with NaN, or int64 with 0, where a row has fewer entries than the
 * extent, or none.
 *
 * @throws InputValueError if an integer quantity holds a fraction
 */
export function dataSetsOfRows(rows: readonly StepRow[], extents = extentsOf(rows)): DataSet[] {
  const step = BigInt64Array.from(rows, (row) => BigInt(row.step));
  const dataSets: DataSet[] = [{ path: "step", shape: [rows.length], data: step }];
  for (const [path, { shape, integer }] of extents.entries) {
    const size = rows.length * sizeOf(shape);
    const data = integer ? new BigInt64Array(size) : new Float64Array(size).fill(NaN);
    rows.forEach((row, at) => {
      const quantity = row.quantities[path];
      if (quantity !== undefined) placeRow(path, quantity, data, shape, at);
    });
    dataSets.push({ path, shape: [rows.length, ...shape], data });
  }
  return dataSets;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Copies one row's entries into the corner of its slot in the padded array. */
function placeRow(
  path: string,
  quantity: Quantity,
  out: Float64Array | BigInt64Array,
  slot: readonly number[],
  at: number,
): void {
  const corner = quantityShape(quantity);
  const data = quantityData(quantity);
  const start = at * sizeOf(slot);
  for (let i = 0; i < data.length; i++) {
    const to = start + offsetIn(slot, corner, i);
    if (out instanceof Float64Array) out[to] = data[i];
    else if (Number.isSafeInteger(data[i])) out[to] = BigInt(data[i]);
    else throw valueError("data.hdf5", `integers for ${path}`, String(data[i]));
  }
}

/**
 * The rows that data sets of equal length hold, without what pads them: the inverse of `dataSetsOfRows` as far as NaN
 * and 0 allow.
 *
 * @param first the index of the first row
 */
export function rowsOfDataSets(dataSets: readonly DataSet[], first: number): StepRow[] {
  const steps = dataSets.find(({ path }) => path === "step")?.data ?? [];
  const series = dataSets.filter(({ path }) => path !== "step");
  return Array.from<number | bigint, StepRow>(steps, (step, at) => {
    const quantities = series.flatMap((dataSet): [string, Quantity][] => {
      const quantity = withoutPadding(slotOf(dataSet, at));
      return quantity === undefined ? [] : [[dataSet.path, quantity]];
    });
    return { index: first + at, step: Number(step), quantities: Object.fromEntries(quantities) };
  });
}

function slotOf({ shape, data }: DataSet, at: number): Quantity {
  const slot = shape.slice(1);
  const size = sizeOf(slot);
  const entries = Float64Array.from({ length: size }, (_, i) => Number(data[at * size + i]));
  return data instanceof BigInt64Array
    ? { shape: slot, data: entries, integer: true }
    : { shape: slot, data: entries };
}

/** The first path at which two lists of data sets differ in a shape, a type or a bit; undefined if none does. */
export function dataSetsDifference(a: readonly DataSet[], b: readonly DataSet[]): string | undefined {
  const others = new Map(b.map((dataSet) => [dataSet.path, dataSet]));
  for (const { path, shape, data } of a) {
    const other = others.get(path);
    if (!other || other.shape.join() !== shape.join()) return path;
    if (data instanceof BigInt64Array !== other.data instanceof BigInt64Array) return path;
    for (let i = 0; i < data.length; i++) if (!Object.is(data[i], other.data[i])) return path;
  }
  return undefined;
}
