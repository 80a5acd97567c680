/**
 * data.hdf5: a run as the authors' notebooks read it, every quantity one data set [rows, …] (`columns.ts`), chunked, with
 * unlimited axes, in the format of HDF5 1.10. It is derived from the journal: whoever writes it may fail.
 *
 * While a run goes, rows are appended to an uncompressed file in SWMR mode, which other processes may read meanwhile
 * (`h5py.File(path, "r", swmr=True)`); data sets cannot be added or widened in that mode, so a row that needs it has the
 * file written anew. A run that has ended leaves a compressed file.
 */
import type * as H5 from "h5wasm/node";
import { valueError } from "../base/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { type DataSet, dataSetsDifference, dataSetsOfRows, type Extents, rowsOfDataSets } from "./columns.ts";
import { moveInto, removeIfThere, temporaryBeside } from "./files.ts";

/** Bytes of rows that are laid out, written or compared at once, and the rows that these are at least and at most. */
const BLOCK_BYTES = 1 << 20;
const BLOCK_ROWS = { least: 64, most: 8192 };

/** Bytes of a chunk at most: small enough to be rewritten while it fills, large enough to be compressed. */
const CHUNK_BYTES = { live: 1 << 10, compact: 1 << 16 };

/**
 * Rows of a block. A block of a compact file is a whole number of chunks of each data set, about: the library forgets a
 * chunk between two calls, so that a part of one would be compressed and expanded again for each.
 *
 * @param widths numbers that a row has in each data set
 */
function blockRows(widths: readonly number[]): number {
  const width = widths.reduce((sum, each) => sum + each, 1);
  const rows = Math.floor(BLOCK_BYTES / (8 * width));
  return Math.max(BLOCK_ROWS.least, Math.min(BLOCK_ROWS.most, rows));
}

const widthOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

const widthsOf = (extents: Extents): number[] =>
  [...extents.entries.values()].map(({ shape }) => widthOf(shape));

/** Rows of a chunk of a data set. @param block rows of a block; @param width numbers of a row */
function chunkRows(kind: keyof typeof CHUNK_BYTES, block: number, width: number, rowCount: number): number {
  const most = Math.max(1, Math.floor(CHUNK_BYTES[kind] / (8 * Math.max(1, width))));
  if (kind === "live") return most;
  return Math.min(Math.ceil(block / Math.ceil(block / most)), Math.max(1, rowCount));
}

/** The library's file format: read by HDF5 1.10 of 2016 and later. */
export const FORMAT = ["v110", "v110"] as const;

/** The library as a module. */
export type Library = typeof H5;

let loaded: Promise<Library> | undefined;

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
    return h5;
  })();
  return loaded;
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

/** Makes all data sets of a new file, with no rows yet. */
function createDataSets(
  file: H5.File,
  extents: Extents,
  kind: keyof typeof CHUNK_BYTES,
  rowCount: number,
): void {
  const groups = new Map<string, H5.Group>([["", file]]);
  const block = blockRows(widthsOf(extents));
  for (const { path, shape, data } of dataSetsOfRows([], extents)) {
    const slash = path.lastIndexOf("/");
    groupAt(groups, path.slice(0, Math.max(slash, 0))).create_dataset({
      name: path.slice(slash + 1),
      data,
      shape: [...shape],
      maxshape: shape.map(() => null),
      chunks: [
        chunkRows(kind, block, widthOf(shape.slice(1)), rowCount),
        ...shape.slice(1).map((length) => Math.max(1, length)),
      ],
      dtype: data instanceof BigInt64Array ? "<q" : "<d",
      ...(kind === "compact" && { compression: 4 }),
    });
  }
}

/** Appends rows, `from` of which are there already, to the data sets of an open file. */
function appendRows(
  h5: Library,
  file: H5.File,
  extents: Extents,
  rows: readonly StepRow[],
  from: number,
): void {
  for (const { path, shape, data } of dataSetsOfRows(rows, extents)) {
    const dataSet = file.get(path);
    if (!(dataSet instanceof h5.Dataset)) throw new Error(`expected a data set at ${path}, got none`);
    const to = from + rows.length;
    dataSet.resize([to, ...shape.slice(1)]);
    if (data.length > 0)
      dataSet.write_slice(
        [[from, to], ...shape.slice(1).map((length): [number, number] => [0, length])],
        data,
      );
  }
}

function* blocksOf(rows: Iterable<StepRow>, extents: Extents): Generator<StepRow[]> {
  const size = blockRows(widthsOf(extents));
  let block: StepRow[] = [];
  for (const row of rows) {
    block.push(row);
    if (block.length < size) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}

/** Writes rows to a new file at `path`, block by block. */
function writeRows(
  h5: Library,
  path: string,
  rows: Iterable<StepRow>,
  extents: Extents,
  kind: keyof typeof CHUNK_BYTES,
  rowCount: number,
): void {
  const file = new h5.File(path, "x", { libver: [...FORMAT] });
  try {
    createDataSets(file, extents, kind, rowCount);
    let from = 0;
    for (const block of blocksOf(rows, extents)) {
      appendRows(h5, file, extents, block, from);
      from += block.length;
    }
  } finally {
    file.close();
  }
}

/** The data sets of an open file that hold numbers, by path. */
function dataSetsIn(h5: Library, file: H5.File): Map<string, H5.Dataset> {
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

/** Rows `from` … `to` − 1 of a data set; undefined for one that holds no numbers. */
function sliceOf(path: string, dataSet: H5.Dataset, from: number, to: number): DataSet | undefined {
  const shape = [to - from, ...(dataSet.shape ?? []).slice(1)];
  const empty = shape.includes(0);
  const integer = dataSet.dtype === "<q" || dataSet.dtype === "<l";
  const value = empty
    ? integer
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

/** Rows kept in an HDF5 file. */
export interface StoredRows {
  readonly rowCount: number;
  /** The rows `from` … `to` − 1 without what pads them, read in blocks; default all. */
  readonly rows: (from?: number, to?: number) => IterableIterator<StepRow>;
}

/** The rows of an HDF5 file. @throws InputValueError where it cannot be read, or has no data set `step` */
export async function readStoredRows(path: string): Promise<StoredRows> {
  const h5 = await library();
  let file: H5.File;
  try {
    file = new h5.File(path, "r");
  } catch (error) {
    throw valueError("data.hdf5", "an HDF5 file that can be read", `${path}: ${reasonOf(error)}`);
  }
  let rowCount: number;
  try {
    const step = file.get("step");
    if (!(step instanceof h5.Dataset)) throw valueError("data.hdf5", 'a data set "step"', `none in ${path}`);
    rowCount = step.shape?.[0] ?? 0;
  } finally {
    file.close();
  }
  return { rowCount, rows: (from = 0, to = rowCount) => storedRows(h5, path, from, Math.min(to, rowCount)) };
}

function* storedRows(h5: Library, path: string, from: number, to: number): Generator<StepRow> {
  const file = new h5.File(path, "r");
  try {
    const length = (file.get("step") as H5.Dataset).shape?.[0];
    const dataSets = [...dataSetsIn(h5, file)].filter(([, { shape }]) => shape?.[0] === length);
    const block = blockRows(dataSets.map(([, { shape }]) => widthOf((shape ?? []).slice(1))));
    for (let start = from; start < to; ) {
      const end = Math.min(to, start - (start % block) + block);
      const slices = dataSets.flatMap(([name, dataSet]) => sliceOf(name, dataSet, start, end) ?? []);
      yield* rowsOfDataSets(slices, start);
      start = end;
    }
  } finally {
    file.close();
  }
}

/** The first path at which a file does not hold rows bit for bit; undefined where it does. */
function difference(
  h5: Library,
  path: string,
  rows: Iterable<StepRow>,
  extents: Extents,
  rowCount: number,
): string | undefined {
  const file = new h5.File(path, "r");
  try {
    const stored = [...dataSetsIn(h5, file)];
    const odd = stored.find(([, { shape }]) => shape?.[0] !== rowCount);
    if (odd) return odd[0];
    let from = 0;
    for (const block of blocksOf(rows, extents)) {
      const meant = dataSetsOfRows(block, extents);
      const to = from + block.length;
      const found = dataSetsDifference(
        meant,
        stored.flatMap(([name, dataSet]) => sliceOf(name, dataSet, from, to) ?? []),
      );
      if (found !== undefined) return found;
      from = to;
    }
    return from === rowCount ? undefined : "step";
  } finally {
    file.close();
  }
}

/** What a run's rows are read from while data.hdf5 is written: the journal. */
export interface RowSource {
  readonly rowCount: number;
  readonly rows: () => Iterable<StepRow>;
}

/** data.hdf5 of a run that goes. All its functions throw what is to be told as a notice. */
export class LiveHdf5 {
  private readonly h5: Library;
  private readonly path: string;
  private file: H5.File | undefined;
  private version = -1;
  private written = 0;

  private constructor(h5: Library, path: string) {
    this.h5 = h5;
    this.path = path;
  }

  /** Loads the library. @throws Error where the engine has no WebAssembly */
  static async load(path: string): Promise<LiveHdf5> {
    return new LiveHdf5(await library(), path);
  }

  /**
   * Brings the file up to the journal.
   *
   * @param latest the journal's last rows, at least all since the last call
   */
  update(extents: Extents, source: RowSource, latest: readonly StepRow[]): void {
    const missing = source.rowCount - this.written;
    if (this.file === undefined || this.version !== extents.version || missing > latest.length) {
      this.close();
      this.replace(extents, source, "live");
      this.file = new this.h5.File(this.path, "a", { libver: [...FORMAT] });
      this.file.start_swmr_write();
      this.version = extents.version;
    } else if (missing > 0) {
      appendRows(this.h5, this.file, extents, latest.slice(latest.length - missing), this.written);
      this.file.flush();
    }
    this.written = source.rowCount;
  }

  /**
   * Leaves the compact file of a run that has ended, and reads it back.
   *
   * @throws Error where what is read back is not what the journal holds; the journal must stay then
   */
  finish(extents: Extents, source: RowSource): void {
    this.close();
    this.replace(extents, source, "compact", (temporary) => {
      const path = difference(this.h5, temporary, source.rows(), extents, source.rowCount);
      if (path !== undefined) throw new Error(`expected to read back what was written, got another ${path}`);
    });
  }

  /** Ends the writing of rows; the file stays as it is. */
  close(): void {
    const { file } = this;
    this.file = undefined;
    file?.close();
  }

  private replace(
    extents: Extents,
    source: RowSource,
    kind: keyof typeof CHUNK_BYTES,
    check?: (path: string) => void,
  ): void {
    const temporary = temporaryBeside(this.path);
    try {
      writeRows(this.h5, temporary, source.rows(), extents, kind, source.rowCount);
      check?.(temporary);
      moveInto(temporary, this.path);
    } finally {
      removeIfThere(temporary);
    }
  }
}

/** Writes rows to a compact HDF5 file, all or nothing, and reads it back. */
export async function writeHdf5(path: string, extents: Extents, source: RowSource): Promise<void> {
  (await LiveHdf5.load(path)).finish(extents, source);
}
