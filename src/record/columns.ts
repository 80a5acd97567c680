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

  /** @param known those of rows that were taken in before */
  constructor(known: Iterable<readonly [string, Extent]> = []) {
    for (const [path, extent] of known) this.byPath.set(path, extent);
  }

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
  const block = new RowBlock(extents, rows.length);
  for (const row of rows) block.add(row);
  return block.dataSets();
}

/** Rows that are laid out as data sets one by one, into arrays that are made once: a row need not be kept. */
export class RowBlock {
  /** Most rows. */
  readonly capacity: number;
  private readonly extents: ReadonlyMap<string, Extent>;
  private readonly data: ReadonlyMap<string, DataSet["data"]>;
  private readonly steps: BigInt64Array;
  private rowCount = 0;

  /** @param extents those of all rows that will be added, as they are now */
  constructor(extents: Extents, capacity: number) {
    this.capacity = capacity;
    this.extents = new Map(extents.entries);
    this.steps = new BigInt64Array(capacity);
    this.data = new Map(
      [...this.extents].map(([path, { shape, integer }]) => {
        const size = capacity * sizeOf(shape);
        return [path, integer ? new BigInt64Array(size) : new Float64Array(size)];
      }),
    );
    this.clear();
  }

  /** Rows that were added. */
  get length(): number {
    return this.rowCount;
  }

  /** Adds a row; fewer than `capacity` have been. @throws InputValueError if an integer quantity holds a fraction */
  add({ step, quantities }: StepRow): void {
    const at = this.rowCount++;
    this.steps[at] = BigInt(step);
    for (const [path, { shape }] of this.extents) {
      const quantity = quantities[path];
      const data = this.data.get(path);
      if (quantity !== undefined && data) placeRow(path, quantity, data, shape, at);
    }
  }

  /** The rows as `dataSetsOfRows` lays them out; views, until the next `clear`. */
  dataSets(): DataSet[] {
    const rows = this.rowCount;
    const sets: DataSet[] = [{ path: "step", shape: [rows], data: this.steps.subarray(0, rows) }];
    for (const [path, { shape }] of this.extents) {
      const data = this.data.get(path)?.subarray(0, rows * sizeOf(shape));
      if (data) sets.push({ path, shape: [rows, ...shape], data });
    }
    return sets;
  }

  /** Forgets all rows. */
  clear(): void {
    this.rowCount = 0;
    for (const data of this.data.values())
      if (data instanceof BigInt64Array) data.fill(0n);
      else data.fill(NaN);
  }
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
  const start = at * sizeOf(slot);
  if (typeof quantity === "number" && out instanceof Float64Array) {
    out[start] = quantity;
    return;
  }
  const corner = quantityShape(quantity);
  const data = quantityData(quantity);
  for (let i = 0; i < data.length; i++) {
    const to = start + (slot.length === 1 ? i : offsetIn(slot, corner, i));
    if (out instanceof Float64Array) out[to] = data[i];
    else if (Number.isSafeInteger(data[i])) out[to] = BigInt(data[i]);
    else throw valueError("data.hdf5", `integers for ${path}`, String(data[i]));
  }
}

/** Whether the data sets of a file are those that rows need. */
export const sameExtents = (stored: ReadonlyMap<string, Extent>, { entries }: Extents): boolean =>
  stored.size === entries.size &&
  [...entries].every(([path, { shape, integer }]) => {
    const other = stored.get(path);
    return other !== undefined && other.integer === integer && other.shape.join() === shape.join();
  });

/** Data sets of some rows, `step` among them, as extents that have grown since would have them: padded, those that are missing added. */
export function fitted(dataSets: readonly DataSet[], rowCount: number, extents: Extents): DataSet[] {
  const found = new Map(dataSets.map((dataSet) => [dataSet.path, dataSet]));
  const step = found.get("step");
  const series = [...extents.entries].map(([path, { shape, integer }]): DataSet => {
    const known = found.get(path);
    const same = known !== undefined && known.shape.slice(1).join() === shape.join();
    if (known && same && known.data instanceof BigInt64Array === integer) return known;
    const width = sizeOf(shape);
    const size = rowCount * width;
    const data = integer ? new BigInt64Array(size) : new Float64Array(size).fill(NaN);
    if (known) {
      const corner = known.shape.slice(1);
      const inner = sizeOf(corner);
      for (let i = 0; i < known.data.length; i++) {
        const to = Math.floor(i / inner) * width + offsetIn(shape, corner, i % inner);
        data[to] = data instanceof BigInt64Array ? BigInt(known.data[i]) : Number(known.data[i]);
      }
    }
    return { path, shape: [rowCount, ...shape], data };
  });
  return step ? [step, ...series] : series;
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

/**
 * The columns of a data set: one number per row for each entry of the largest array that a row has, in row-major order; NaN
 * where a row has none. They are what the rows of `rowsOfDataSets` have.
 */
export function columnsIn(dataSet: DataSet | undefined): Float64Array[] {
  if (!dataSet) return [];
  const { shape, data } = dataSet;
  const [rows, ...slot] = shape;
  const width = sizeOf(slot);
  const columns: Float64Array[] = [];
  const column = (c: number): Float64Array => {
    columns[c] ??= new Float64Array(rows).fill(NaN);
    return columns[c];
  };
  if (data instanceof Float64Array && slot.length <= 1) {
    for (let c = 0; c < width; c++)
      for (let r = 0, out = column(c); r < rows; r++) out[r] = data[r * width + c];
    return columns;
  }
  // A row's array is the corner of its slot that has numbers; its entries are counted as if there were no more.
  for (let r = 0; r < rows; r++) {
    const quantity = withoutPadding(slotOf(dataSet, r));
    const entries = quantity === undefined ? [] : quantityData(quantity);
    for (let c = 0; c < entries.length; c++) column(c)[r] = entries[c];
  }
  return columns;
}

/** The first path at which two lists of data sets differ in a shape, a type or a bit; undefined if none does. */
export function dataSetsDifference(a: readonly DataSet[], b: readonly DataSet[]): string | undefined {
  const others = new Map(b.map((dataSet) => [dataSet.path, dataSet]));
  for (const { path, shape, data } of a) {
    const other = others.get(path);
    if (!other || other.shape.join() !== shape.join()) return path;
    if (data instanceof BigInt64Array !== other.data instanceof BigInt64Array) return path;
    if (Buffer.compare(bytesOf(data), bytesOf(other.data)) === 0) continue;
    for (let i = 0; i < data.length; i++) if (!Object.is(data[i], other.data[i])) return path;
  }
  return undefined;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: DataSet["data"]): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
