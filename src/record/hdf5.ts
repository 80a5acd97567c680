/**
 * data.hdf5: a run as the authors' notebooks read it. Every quantity becomes one data set [T, …], T the planned
 * steps: float64 with NaN, or int64 with 0, where a row is not there yet or has fewer entries than the largest.
 * HDF5 files are made and parsed in memory (h5wasm's file system) and reach the disk as finished bytes, so that a
 * full disk is an exception of `node:fs` and not a silent return code of the HDF5 library.
 */
import { readFileSync } from "node:fs";
import type * as H5 from "h5wasm";
import { valueError } from "../base/index.ts";
import {
  isIntegerQuantity,
  type Quantity,
  quantityData,
  quantityShape,
  type StepRow,
} from "../simulation/index.ts";
import { writeFileAtomic } from "./folder.ts";

/** One data set of an HDF5 file, row-major. */
export interface DataSet {
  /** Path without a leading slash, such as `central/train_loss`. */
  readonly path: string;
  readonly shape: readonly number[];
  /** float64 or int64. */
  readonly data: Float64Array | BigInt64Array;
}

/** How far a run will go, which fixes the first axis of every data set. */
export interface RunPlan {
  /** T, the rows of a finished run. */
  readonly totalSteps: number;
  /** The `step` of row 0. */
  readonly initialStep: number;
}

/**
 * Writes the rows so far to an HDF5 file: temporary name, read back, sync, rename. The file is readable at every
 * moment, also when the disk is full.
 *
 * @param path the file to create or replace
 * @param rows rows with index < plan.totalSteps, in any order
 * @throws InputValueError for rows that do not fit (see `dataSetsOfRows`) or a folder that cannot be written;
 *   Error when the disk is full or the HDF5 library did not store what it was given
 */
export async function writeHdf5(path: string, rows: readonly StepRow[], plan: RunPlan): Promise<void> {
  const dataSets = dataSetsOfRows(rows, plan);
  const bytes = await encodeHdf5(dataSets);
  compareStored(dataSets, await decodeHdf5(bytes));
  writeFileAtomic(path, bytes);
}

/** Reads every float64 and integer data set of an HDF5 file; data sets of other kinds are left out. */
export async function readHdf5(path: string): Promise<DataSet[]> {
  return decodeHdf5(readFileSync(path));
}

/**
 * Lays rows out as data sets, `step` first (int64, filled for all T rows as in the reference).
 *
 * @throws InputValueError if a row's index is not in 0 … T − 1, if a quantity's rank differs between rows, if an
 *   integer quantity holds a fraction, or if a name is not a path or is also a folder of another
 */
export function dataSetsOfRows(rows: readonly StepRow[], plan: RunPlan): DataSet[] {
  const { totalSteps, initialStep } = plan;
  const step = BigInt64Array.from({ length: totalSteps }, (_, i) => BigInt(initialStep + i));
  const dataSets: DataSet[] = [{ path: "step", shape: [totalSteps], data: step }];
  for (const [path, extent] of extentsOfRows(rows, totalSteps)) {
    const shape = [totalSteps, ...extent.shape];
    const size = shape.reduce((product, n) => product * n, 1);
    const data = extent.integer ? new BigInt64Array(size) : new Float64Array(size).fill(NaN);
    for (const row of rows) {
      const quantity = row.quantities[path];
      if (quantity !== undefined) placeRow(path, quantity, data, extent.shape, row.index);
    }
    dataSets.push({ path, shape, data });
  }
  return dataSets;
}

/**
 * The inverse, as far as NaN allows: each row holds the whole padded arrays. Trailing rows that hold nothing are
 * left out, so a file of an unfinished run gives the rows it has.
 */
export function rowsOfDataSets(dataSets: readonly DataSet[]): StepRow[] {
  const steps = dataSets.find(({ path }) => path === "step")?.data ?? [];
  const series = dataSets.filter(({ path, shape }) => path !== "step" && shape[0] === steps.length);
  const rows: StepRow[] = [];
  for (let index = 0; index < steps.length; index++) {
    const quantities = series.map(({ path, shape, data }) => [path, rowOf(shape, data, index)]);
    rows.push({ index, step: Number(steps[index]), quantities: Object.fromEntries(quantities) });
  }
  const holdsData = (row: StepRow) => Object.values(row.quantities).some(isPresent);
  return rows.slice(0, rows.findLastIndex(holdsData) + 1);
}

function isPresent(quantity: Quantity): boolean {
  return !isIntegerQuantity(quantity) && Array.from(quantityData(quantity)).some((x) => !Number.isNaN(x));
}

function rowOf(shape: readonly number[], data: DataSet["data"], index: number): Quantity {
  const rowShape = shape.slice(1);
  const size = rowShape.reduce((product, n) => product * n, 1);
  const entries = new Float64Array(size);
  for (let i = 0; i < size; i++) entries[i] = Number(data[index * size + i]);
  if (data instanceof BigInt64Array) return { shape: rowShape, data: entries, integer: true };
  return rowShape.length === 0 ? entries[0] : { shape: rowShape, data: entries };
}

interface Extent {
  shape: number[];
  integer: boolean;
}

/** Per quantity: the largest size along each axis, and whether all rows store it as integers. */
function extentsOfRows(rows: readonly StepRow[], totalSteps: number): Map<string, Extent> {
  const extents = new Map<string, Extent>();
  for (const row of rows) {
    if (!(Number.isInteger(row.index) && row.index >= 0 && row.index < totalSteps))
      throw valueError("dataSetsOfRows", `row indices below ${totalSteps}`, String(row.index));
    for (const [path, quantity] of Object.entries(row.quantities)) {
      const shape = quantityShape(quantity);
      const extent = extents.get(path);
      if (extent === undefined) {
        extents.set(path, { shape: [...shape], integer: isIntegerQuantity(quantity) });
      } else {
        if (shape.length !== extent.shape.length)
          throw valueError("dataSetsOfRows", `${extent.shape.length} axes for ${path}`, `${shape.length}`);
        extent.shape = extent.shape.map((n, axis) => Math.max(n, shape[axis]));
        extent.integer &&= isIntegerQuantity(quantity);
      }
    }
  }
  checkPaths([...extents.keys()]);
  return extents;
}

function checkPaths(paths: readonly string[]): void {
  const folders = new Set(
    paths.flatMap((path) => path.split("/").map((_, i, parts) => parts.slice(0, i).join("/"))),
  );
  const advice = "name quantities like central/train_loss";
  for (const path of paths) {
    if (path.split("/").some((part) => part === "" || part === "." || part.includes("\0")))
      throw valueError("dataSetsOfRows", "an HDF5 path", JSON.stringify(path), advice);
    if (folders.has(path) || path === "step")
      throw valueError("dataSetsOfRows", "a name of its own for each quantity", path, advice);
  }
}

/** Copies one row's entries into the corner of its slot in the padded array. */
function placeRow(
  path: string,
  quantity: Quantity,
  out: Float64Array | BigInt64Array,
  slot: readonly number[],
  index: number,
): void {
  const shape = quantityShape(quantity);
  const data = quantityData(quantity);
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let offset = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += (rest % shape[axis]) * stride;
      rest = Math.floor(rest / shape[axis]);
      stride *= slot[axis];
    }
    const at = index * stride + offset;
    if (out instanceof Float64Array) out[at] = data[i];
    else if (Number.isSafeInteger(data[i])) out[at] = BigInt(data[i]);
    else throw valueError("dataSetsOfRows", `integers for ${path}`, String(data[i]));
  }
}

let filesMade = 0;

/** Runs `use` with the library and a path in its memory that no other call uses, and removes the file afterwards. */
async function withMemoryFile<T>(use: (h5: typeof H5, path: string, fs: FileSystem) => T): Promise<T> {
  const h5 = await import("h5wasm");
  const { FS } = await h5.ready;
  const path = `/run-${filesMade++}.hdf5`;
  try {
    return use(h5, path, FS);
  } finally {
    if (FS.analyzePath(path, false).exists) FS.unlink(path);
  }
}

type FileSystem = Awaited<typeof H5.ready>["FS"];

/** The bytes of an HDF5 file with these data sets, contiguous and uncompressed like the reference's. */
function encodeHdf5(dataSets: readonly DataSet[]): Promise<Uint8Array> {
  return withMemoryFile((h5, path, fs) => {
    const file = new h5.File(path, "w");
    try {
      const groups = new Map<string, H5.Group>([["", file]]);
      for (const { path, shape, data } of dataSets) {
        const slash = path.lastIndexOf("/");
        const name = path.slice(slash + 1);
        const dtype = data instanceof BigInt64Array ? "<q" : "<d";
        groupAt(groups, path.slice(0, Math.max(slash, 0))).create_dataset({
          name,
          data,
          shape: [...shape],
          dtype,
        });
      }
    } finally {
      file.close();
    }
    return fs.readFile(path);
  });
}

function groupAt(groups: Map<string, H5.Group>, path: string): H5.Group {
  const known = groups.get(path);
  if (known) return known;
  const slash = path.lastIndexOf("/");
  const group = groupAt(groups, path.slice(0, Math.max(slash, 0))).create_group(path.slice(slash + 1));
  groups.set(path, group);
  return group;
}

function decodeHdf5(bytes: Uint8Array): Promise<DataSet[]> {
  return withMemoryFile((h5, path, fs) => {
    fs.writeFile(path, bytes);
    const file = new h5.File(path, "r");
    try {
      return file.paths().flatMap((path): DataSet[] => {
        const found = file.get(path);
        if (!(found instanceof h5.Dataset)) return [];
        const data = numbersOf(found.value);
        return data === undefined ? [] : [{ path, shape: found.shape ?? [], data }];
      });
    } finally {
      file.close();
    }
  });
}

function numbersOf(value: unknown): DataSet["data"] | undefined {
  if (value instanceof Float64Array || value instanceof BigInt64Array) return value;
  if (value instanceof Float32Array) return Float64Array.from(value);
  if (value instanceof Int32Array) return BigInt64Array.from(value, BigInt);
  return undefined;
}

/** HDF5 reports a refused data set on stderr and carries on, so what was stored is compared with what was meant. */
function compareStored(meant: readonly DataSet[], stored: readonly DataSet[]): void {
  const found = new Map(stored.map((dataSet) => [dataSet.path, describe(dataSet)]));
  for (const dataSet of meant) {
    const got = found.get(dataSet.path) ?? "nothing";
    if (got !== describe(dataSet))
      throw new Error(
        `writeHdf5: expected to read back ${describe(dataSet)} at ${dataSet.path}, got ${got}; the rows are safe in the journal`,
      );
  }
}

function describe({ shape, data }: DataSet): string {
  return `${data instanceof BigInt64Array ? "int64" : "float64"} [${shape.join(", ")}]`;
}
