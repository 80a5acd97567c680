/**
 * The HDF5 library, and what is read with it: data sets, and the rows that they hold, in blocks of rows or column by column.
 */
import type * as H5 from "h5wasm/node";
import { valueError } from "../base/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { columnsIn, type DataSet, type Extent, rowsOfDataSets } from "./columns.ts";

/** Bytes of rows that are laid out, written or compared at once, and the rows that these are at least and at most. */
const BLOCK_BYTES = 1 << 20;
const BLOCK_ROWS = { least: 64, most: 8192 };

/**
 * Rows of a block, a power of two. A block of a compact file is a whole number of chunks of each data set: the library
 * forgets a chunk between two calls, so that a part of one would be compressed and expanded again for each.
 *
 * @param widths numbers that a row has in each data set
 */
export function blockRows(widths: readonly number[]): number {
  const width = widths.reduce((sum, each) => sum + each, 1);
  const rows = powerOfTwoUpTo(BLOCK_BYTES / (8 * width));
  return Math.max(BLOCK_ROWS.least, Math.min(BLOCK_ROWS.most, rows));
}

/** The greatest power of two that is not above `most`, at least 1. */
export function powerOfTwoUpTo(most: number): number {
  let power = 1;
  while (2 * power <= most) power *= 2;
  return power;
}

/** Numbers in an array of a shape. */
export const widthOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** The library's file format: read by HDF5 1.10 of 2016 and later. */
export const FORMAT = ["v110", "v110"] as const;

/** The library as a module. */
export type Library = typeof H5;

let loaded: Promise<Library> | undefined;
let ready: Library | undefined;

/**
 * The HDF5 library, loaded once.
 *
 * @throws Error where the engine has no WebAssembly, of which the library is made; InputValueError where the package is not
 *   installed
 */
export function library(): Promise<Library> {
  loaded ??= (async () => {
    if (!("WebAssembly" in globalThis))
      throw new Error("expected WebAssembly, in which the HDF5 library is written, got an engine without");
    const h5 = await import("h5wasm/node").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      throw valueError(
        "HDF5",
        "the package h5wasm, an optional dependency",
        "an installation without it",
        "npm install h5wasm adds it",
      );
    });
    const module = await h5.ready;
    // Without it the library tells its errors on stderr and goes on.
    module.activate_throwing_error_handler();
    ready = h5;
    return h5;
  })();
  return loaded;
}

/** The library, which has been loaded. @throws Error where it has not */
export function loadedLibrary(): Library {
  if (!ready) throw new Error("expected rows where they were, got them moved meanwhile; try again");
  return ready;
}

/** The group of a path, made with those above it where it is missing. @param groups those that are there; `""` is the file */
export function groupAt(groups: Map<string, H5.Group>, path: string): H5.Group {
  const known = groups.get(path);
  if (known) return known;
  const slash = path.lastIndexOf("/");
  const group = groupAt(groups, path.slice(0, Math.max(slash, 0))).create_group(path.slice(slash + 1));
  groups.set(path, group);
  return group;
}

/** What the library's error comes to: its trace ends with the cause. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const causes = [...text.matchAll(/line \d+ in \S+ (.*)/g)].map(([, cause]) => cause);
  return causes.at(-1) ?? text.split("\n")[0];
}

/** The data sets of an open file that hold numbers, by path. */
export function dataSetsIn(h5: Library, file: H5.File): Map<string, H5.Dataset> {
  const found = new Map<string, H5.Dataset>();
  for (const path of file.paths()) {
    const entity = file.get(path);
    if (entity instanceof h5.Dataset) found.set(path.replace(/^\//, ""), entity);
  }
  return found;
}

function numbersOf(value: unknown): DataSet["data"] | undefined {
  if (value instanceof Float64Array || value instanceof BigInt64Array) return value;
  if (value instanceof Float32Array) return Float64Array.from(value);
  if (value instanceof Int32Array) return BigInt64Array.from(value, BigInt);
  return undefined;
}

const isInteger = ({ dtype }: H5.Dataset): boolean => dtype === "<q" || dtype === "<l";

/** What the library calls numbers that `sliceOf` reads. */
const NUMBERS: readonly unknown[] = ["<d", "<f", "<q", "<l", "<i"];

/** Rows `from` … `to` − 1 of a data set; undefined for one that holds no numbers. */
export function sliceOf(path: string, dataSet: H5.Dataset, from: number, to: number): DataSet | undefined {
  const shape = [to - from, ...(dataSet.shape ?? []).slice(1)];
  const empty = shape.includes(0);
  const value = empty
    ? isInteger(dataSet)
      ? new BigInt64Array(0)
      : new Float64Array(0)
    : dataSet.slice([[from, to], ...shape.slice(1).map((length): [number, number] => [0, length])]);
  const data = numbersOf(value);
  return data && { path, shape, data };
}

/** Reads every float64 and integer data set of an HDF5 file; data sets of other kinds are left out. */
export async function readHdf5(path: string): Promise<DataSet[]> {
  const h5 = await library();
  const file = new h5.File(path, "r");
  try {
    return [...dataSetsIn(h5, file)].flatMap(
      ([name, dataSet]) => sliceOf(name, dataSet, 0, dataSet.shape?.[0] ?? 0) ?? [],
    );
  } finally {
    file.close();
  }
}

/** Rows kept in an HDF5 file, which is opened anew by each look at them. */
export class StoredRows {
  readonly rowCount: number;
  /** What a row has, but for its step: paths with shapes. */
  readonly extents: ReadonlyMap<string, Extent>;
  /** The rows `from` … `to` − 1 without what pads them, read in blocks; default all. */
  readonly rows: (from?: number, to?: number) => IterableIterator<StepRow>;
  /**
   * The columns of a quantity, read anew: one number per row for each entry of its largest array, NaN where a row has none;
   * none of a quantity that is not there.
   */
  readonly columns: (path: string) => Float64Array[];
  private readonly h5: Library;
  private readonly path: string;

  /** Opens a file. @throws InputValueError where it cannot be read, or has no data set `step` */
  constructor(h5: Library, path: string) {
    this.h5 = h5;
    this.path = path;
    this.rows = (from, to) => this.rowsOfBlocks(from, to);
    this.columns = (path) => columnsIn(this.whole(path));
    const file = this.open();
    try {
      const step = file.get("step");
      if (!(step instanceof h5.Dataset))
        throw valueError("data.hdf5", 'a data set "step"', `none in ${path}`);
      this.rowCount = step.shape?.[0] ?? 0;
      this.extents = new Map(
        [...this.seriesIn(file)].flatMap(([name, dataSet]) =>
          name === "step"
            ? []
            : [[name, { shape: (dataSet.shape ?? []).slice(1), integer: isInteger(dataSet) }]],
        ),
      );
    } finally {
      file.close();
    }
  }

  /** Rows of a block in `blocks`. */
  get blockRows(): number {
    return blockRows([...this.extents.values()].map(({ shape }) => widthOf(shape)));
  }

  /** The rows `from` … `to` − 1 as data sets, block by block. */
  *blocks(
    from = 0,
    to = this.rowCount,
  ): Generator<{ readonly first: number; readonly end: number; readonly dataSets: DataSet[] }> {
    const end = Math.min(to, this.rowCount);
    if (from >= end) return;
    const file = this.open();
    try {
      const series = [...this.seriesIn(file)];
      const block = this.blockRows;
      for (let first = from; first < end; ) {
        const next = Math.min(end, first - (first % block) + block);
        const dataSets = series.flatMap(([name, dataSet]) => sliceOf(name, dataSet, first, next) ?? []);
        yield { first, end: next, dataSets };
        first = next;
      }
    } finally {
      file.close();
    }
  }

  /** Optimizer steps taken before each row, read anew. */
  get steps(): Float64Array {
    return Float64Array.from(this.whole("step")?.data ?? [], Number);
  }

  /** A data set; undefined where there is none of numbers. */
  private whole(path: string): DataSet | undefined {
    const file = this.open();
    try {
      const dataSet = file.get(path);
      return dataSet instanceof this.h5.Dataset ? wholeOf(path, dataSet, this.rowCount) : undefined;
    } finally {
      file.close();
    }
  }

  private *rowsOfBlocks(from?: number, to?: number): Generator<StepRow> {
    for (const { first, dataSets } of this.blocks(from, to)) yield* rowsOfDataSets(dataSets, first);
  }

  /** The data sets that have as many rows as there are steps. */
  private seriesIn(file: H5.File): Map<string, H5.Dataset> {
    const all = dataSetsIn(this.h5, file);
    const length = all.get("step")?.shape?.[0];
    return new Map(
      [...all].filter(([, { shape, dtype }]) => shape?.[0] === length && NUMBERS.includes(dtype)),
    );
  }

  private open(): H5.File {
    try {
      return new this.h5.File(this.path, "r");
    } catch (error) {
      throw valueError("data.hdf5", "an HDF5 file that can be read", `${this.path}: ${reasonOf(error)}`);
    }
  }
}

/** A data set read in parts, so that the library's memory, which never shrinks, stays small. */
function wholeOf(path: string, dataSet: H5.Dataset, rowCount: number): DataSet | undefined {
  const shape = [rowCount, ...(dataSet.shape ?? []).slice(1)];
  const width = widthOf(shape.slice(1));
  const block = powerOfTwoUpTo(Math.max(BLOCK_ROWS.most, BLOCK_BYTES / (8 * Math.max(1, width))));
  let data: DataSet["data"] | undefined;
  for (let first = 0; first < rowCount; first += block) {
    const part = sliceOf(path, dataSet, first, Math.min(rowCount, first + block))?.data;
    if (part === undefined) return undefined;
    data ??=
      part instanceof BigInt64Array
        ? new BigInt64Array(rowCount * width)
        : new Float64Array(rowCount * width);
    if (data instanceof BigInt64Array && part instanceof BigInt64Array) data.set(part, first * width);
    else if (data instanceof Float64Array && part instanceof Float64Array) data.set(part, first * width);
  }
  return { path, shape, data: data ?? new Float64Array(0) };
}

/** The rows of an HDF5 file. @throws InputValueError where it cannot be read, or has no data set `step` */
export async function readStoredRows(path: string): Promise<StoredRows> {
  return new StoredRows(await library(), path);
}
