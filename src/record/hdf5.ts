/**
 * data.hdf5: a run as the authors' notebooks read it, every quantity one data set [rows, …] (`columns.ts`), chunked, with
 * unlimited axes, in the format of HDF5 1.10. It is derived from the journal: whoever writes it may fail.
 *
 * While a run goes, rows are appended to an uncompressed file in SWMR mode, which other processes may read meanwhile
 * (`h5py.File(path, "r", swmr=True)`); data sets cannot be added or widened in that mode, so a row that needs it has the
 * file written anew. A run that has ended leaves a compressed file, which a longer run appends to a copy of.
 */
import type * as H5 from "h5wasm/node";
import type { StepRow } from "../simulation/index.ts";
import {
  type DataSet,
  dataSetsDifference,
  dataSetsOfRows,
  type Extents,
  fitted,
  RowBlock,
  sameExtents,
} from "./columns.ts";
import { copyFileHashed, hashOfFile, moveInto, removeIfThere, syncFile, temporaryBeside } from "./files.ts";
import {
  blockRows,
  dataSetsIn,
  FORMAT,
  groupAt,
  type Library,
  library,
  powerOfTwoUpTo,
  type StoredRows,
  sliceOf,
  widthOf,
} from "./hdf5-read.ts";

/** Bytes of a chunk at most: small enough to be rewritten while it fills, large enough to be compressed. */
const CHUNK_BYTES = { live: 1 << 12, compact: 1 << 16 };

const blockOf = (extents: Extents): number =>
  blockRows([...extents.entries.values()].map(({ shape }) => widthOf(shape)));

/** Rows of a chunk of a data set. @param block rows of a block; @param width numbers of a row */
function chunkRows(kind: keyof typeof CHUNK_BYTES, block: number, width: number, rowCount: number): number {
  const most = powerOfTwoUpTo(CHUNK_BYTES[kind] / (8 * Math.max(1, width)));
  if (kind === "live") return most;
  // A short run has no need of longer chunks; see `canGrow`.
  return Math.min(block, most, 2 * powerOfTwoUpTo(rowCount));
}

/** What a run's rows are read from while data.hdf5 is written: the journal, and before it a sealed file. */
export interface RowSource {
  /** All rows. */
  readonly rowCount: number;
  /** The rows that the sealed file does not have; all where there is none. */
  readonly rows: () => Iterable<StepRow>;
  /** The first rows. */
  readonly sealed?: SealedFile | undefined;
}

/** A compact file that has been read back when it was written, and is known again by the hash of its bytes. */
export interface SealedFile {
  readonly path: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly stored: StoredRows;
}

/** Consecutive rows, laid out as data sets. */
interface Block {
  readonly first: number;
  readonly end: number;
  readonly dataSets: readonly DataSet[];
}

/** The rows from `first` on in blocks, each overwritten by the next. */
function* blocksOfRows(rows: Iterable<StepRow>, first: number, extents: Extents): Generator<Block> {
  const size = blockOf(extents);
  const block = new RowBlock(extents, size);
  let from = first;
  const laidOut = (): Block => ({ first: from, end: from + block.length, dataSets: block.dataSets() });
  for (const row of rows) {
    block.add(row);
    if ((from + block.length) % size !== 0) continue;
    yield laidOut();
    from += block.length;
    block.clear();
  }
  if (block.length > 0) yield laidOut();
}

/** The rows of a source from `from` on, which is 0 or among those of its sealed file, in blocks. */
function* blocksOf({ rows, sealed }: RowSource, extents: Extents, from = 0): Generator<Block> {
  if (sealed)
    for (const { first, end, dataSets } of sealed.stored.blocks(from))
      yield { first, end, dataSets: fitted(dataSets, end - first, extents) };
  yield* blocksOfRows(rows(), sealed?.stored.rowCount ?? 0, extents);
}

/** Makes all data sets of a new file, with no rows yet. */
function createDataSets(
  file: H5.File,
  extents: Extents,
  kind: keyof typeof CHUNK_BYTES,
  rowCount: number,
): void {
  const groups = new Map<string, H5.Group>([["", file]]);
  const block = blockOf(extents);
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

/** Appends a block to the data sets of an open file, which end where it begins. */
function append(h5: Library, file: H5.File, { first, end, dataSets }: Block): void {
  for (const { path, shape, data } of dataSets) {
    const dataSet = file.get(path);
    if (!(dataSet instanceof h5.Dataset)) throw new Error(`expected a data set at ${path}, got none`);
    dataSet.resize([end, ...shape.slice(1)]);
    if (data.length > 0)
      dataSet.write_slice(
        [[first, end], ...shape.slice(1).map((length): [number, number] => [0, length])],
        data,
      );
  }
}

/** Writes rows to a new file at `path`, block by block. */
function writeRows(
  h5: Library,
  path: string,
  source: RowSource,
  extents: Extents,
  kind: keyof typeof CHUNK_BYTES,
  look: () => void,
): void {
  const file = new h5.File(path, "x", { libver: [...FORMAT] });
  try {
    createDataSets(file, extents, kind, source.rowCount);
    for (const block of blocksOf(source, extents)) {
      look();
      append(h5, file, block);
    }
  } finally {
    file.close();
  }
}

/**
 * Copies the sealed file of a source to `path` and appends the other rows.
 *
 * @returns the first row in a chunk that has been written
 * @throws Error where the sealed file is not what it was
 */
function extendCopy(
  h5: Library,
  path: string,
  source: RowSource,
  sealed: SealedFile,
  extents: Extents,
  look: () => void,
): number {
  if (copyFileHashed(sealed.path, path) !== sealed.sha256) throw damaged(sealed);
  const file = new h5.File(path, "a", { libver: [...FORMAT] });
  try {
    const { rowCount } = sealed.stored;
    const starts = [...dataSetsIn(h5, file).values()].map(
      (dataSet) => rowCount - (rowCount % (dataSet.metadata.chunks?.[0] ?? rowCount + 1)),
    );
    for (const block of blocksOfRows(source.rows(), rowCount, extents)) {
      look();
      append(h5, file, block);
    }
    return Math.min(rowCount, ...starts);
  } finally {
    file.close();
  }
}

/** Whether a sealed file can be appended to: it has the same data sets, and is no short run's with short chunks. */
const canGrow = ({ stored }: SealedFile, extents: Extents): boolean =>
  stored.rowCount >= blockOf(extents) && sameExtents(stored.extents, extents);

const damaged = ({ path }: SealedFile): Error =>
  new Error(`expected ${path} as it was written (SHA-256), got another; restore it from a copy`);

/** The first path at which a file does not hold the rows of a source from `from` on bit for bit; undefined where it does. */
function difference(
  h5: Library,
  path: string,
  source: RowSource,
  extents: Extents,
  from: number,
  look: () => void,
): string | undefined {
  const file = new h5.File(path, "r");
  try {
    const stored = [...dataSetsIn(h5, file)];
    const odd = stored.find(([, { shape }]) => shape?.[0] !== source.rowCount);
    if (odd) return odd[0];
    let done = from;
    for (const { first, end, dataSets } of blocksOf(source, extents, from)) {
      look();
      const found = dataSetsDifference(
        dataSets,
        stored.flatMap(([name, dataSet]) => sliceOf(name, dataSet, first, end) ?? []),
      );
      if (found !== undefined) return found;
      done = end;
    }
    return done === source.rowCount ? undefined : "step";
  } finally {
    file.close();
  }
}

/**
 * Writes rows to a compact file, all or nothing, and reads back what it has written. Where the source has a sealed file with
 * data sets of the same shapes, that is copied, its bytes held against its hash on the way, and the other rows appended;
 * read back are then the rows in chunks that were touched.
 *
 * @param look called between blocks of about a megabyte; it may throw, and nothing is left
 * @returns the SHA-256 of the file
 * @throws Error where what is read back differs, or the sealed file is not what it was
 */
export function writeCompact(
  h5: Library,
  path: string,
  extents: Extents,
  source: RowSource,
  look: () => void = () => {},
): string {
  const temporary = temporaryBeside(path);
  const { sealed } = source;
  try {
    let from = 0;
    if (sealed && canGrow(sealed, extents)) from = extendCopy(h5, temporary, source, sealed, extents, look);
    else {
      if (sealed && hashOfFile(sealed.path) !== sealed.sha256) throw damaged(sealed);
      writeRows(h5, temporary, source, extents, "compact", look);
    }
    const found = difference(h5, temporary, source, extents, from, look);
    if (found !== undefined) throw new Error(`expected to read back what was written, got another ${found}`);
    syncFile(temporary);
    const sha256 = hashOfFile(temporary);
    moveInto(temporary, path);
    return sha256;
  } finally {
    removeIfThere(temporary);
  }
}

/** Rows between two updates of a file that is appended to, at most. */
export const LATEST_ROWS = 256;

/** data.hdf5 of a run that goes. All its functions throw what is to be told as a notice. */
export class LiveHdf5 {
  /** The library that writes it. */
  readonly h5: Library;
  private readonly path: string;
  private file: H5.File | undefined;
  private version = -1;
  private written = 0;
  /** Rows that the file does not have yet. */
  private latest: RowBlock | undefined;

  private constructor(h5: Library, path: string) {
    this.h5 = h5;
    this.path = path;
  }

  /** Loads the library. @throws Error where the engine has no WebAssembly */
  static async load(path: string): Promise<LiveHdf5> {
    return new LiveHdf5(await library(), path);
  }

  /** Takes the next row that the journal has, to be written by `update`; one that needs another file is read from there. */
  add(extents: Extents, row: StepRow): void {
    if (this.latest && this.version === extents.version && this.latest.length < this.latest.capacity)
      this.latest.add(row);
  }

  /** Brings the file up to the journal. */
  update(extents: Extents, source: RowSource): void {
    const missing = source.rowCount - this.written;
    const { latest, file } = this;
    if (!file || !latest || this.version !== extents.version || missing !== latest.length) {
      this.close();
      this.begin(extents, source);
      this.version = extents.version;
      this.latest = new RowBlock(extents, LATEST_ROWS);
    } else if (missing > 0) {
      append(this.h5, file, { first: this.written, end: source.rowCount, dataSets: latest.dataSets() });
      file.flush();
      latest.clear();
    }
    this.written = source.rowCount;
  }

  /** Writes the file anew, and keeps it open. */
  private begin(extents: Extents, source: RowSource): void {
    const temporary = temporaryBeside(this.path);
    try {
      writeRows(this.h5, temporary, source, extents, "live", () => {});
      moveInto(temporary, this.path);
    } finally {
      removeIfThere(temporary);
    }
    this.file = new this.h5.File(this.path, "a", { libver: [...FORMAT] });
    this.file.start_swmr_write();
  }

  /**
   * Leaves the compact file of a run that has ended, and reads it back. See `writeCompact`.
   *
   * @returns the SHA-256 of the file
   * @throws Error where what is read back is not what the journal holds; the journal must stay then
   */
  finish(extents: Extents, source: RowSource): string {
    this.close();
    return writeCompact(this.h5, this.path, extents, source);
  }

  /** Ends the writing of rows; the file stays as it is. */
  close(): void {
    const { file } = this;
    this.file = undefined;
    file?.close();
  }
}

/** Writes rows to a compact HDF5 file, all or nothing, and reads it back. */
export async function writeHdf5(path: string, extents: Extents, source: RowSource): Promise<void> {
  writeCompact(await library(), path, extents, source);
}
