import type { Quantity, StepRow } from "../simulation/index.ts";

/** One number per row; NaN where a row has none. */
export type Column = Float64Array;

/** The first rows of a run where they can be read column by column. */
export interface StoredColumns {
  readonly rowCount: number;
  /** Optimizer steps taken before each row. */
  readonly steps: Float64Array;
  /** The paths of all quantities are its keys. */
  readonly extents: ReadonlyMap<string, unknown>;
  /** The columns of a quantity, made anew: one per entry of its largest array. */
  readonly columns: (path: string) => Column[];
}

/** The entries of one quantity, row after row: 8 bytes an entry and 4 a row. */
class Entries {
  private values = new Float64Array(16);
  /** Where the entries of each row end; rows after the last have none. */
  private ends = new Uint32Array(16);
  private used = 0;
  private rowCount = 0;

  /** Takes in what row `row` has, after those before it. */
  add(row: number, quantity: Quantity): void {
    const data = typeof quantity === "number" ? [quantity] : quantity.data;
    if (this.used + data.length > this.values.length) {
      const grown = new Float64Array(2 * (this.used + data.length));
      grown.set(this.values);
      this.values = grown;
    }
    for (let i = 0; i < data.length; i++) this.values[this.used + i] = data[i];
    if (row >= this.ends.length) {
      const grown = new Uint32Array(2 * (row + 1));
      grown.set(this.ends);
      this.ends = grown;
    }
    this.ends.fill(this.used, this.rowCount, row);
    this.used += data.length;
    this.ends[row] = this.used;
    this.rowCount = row + 1;
  }

  /** As columns of `length` rows, of which those here begin with row `offset`; into `columns`, where they are. */
  columns(length: number, offset = 0, columns: Column[] = []): Column[] {
    for (let row = 0, start = 0; row < this.rowCount; row++) {
      const end = this.ends[row];
      for (let c = 0; start + c < end; c++) {
        columns[c] ??= new Float64Array(length).fill(NaN);
        columns[c][offset + row] = this.values[start + c];
      }
      start = end;
    }
    return columns;
  }
}

/**
 * The numbers of a run by quantity. Rows that are given one by one are kept, in a tenth of the memory that they take as
 * objects; those that can be read column by column are read when they are asked for, and not kept.
 */
export class RowColumns {
  private readonly stored: StoredColumns | undefined;
  private readonly byPath = new Map<string, Entries>();
  private readonly stepOfRow: number[] = [];

  /**
   * Reads all rows that are given once; none is kept.
   *
   * @param rows those after the stored ones
   */
  constructor(rows: Iterable<StepRow>, stored?: StoredColumns) {
    this.stored = stored;
    for (const { step, quantities } of rows) {
      const row = this.stepOfRow.length;
      this.stepOfRow.push(step);
      for (const path in quantities) {
        const known = this.byPath.get(path) ?? new Entries();
        this.byPath.set(path, known);
        known.add(row, quantities[path]);
      }
    }
  }

  /** The columns of a run on disk. */
  static of({
    rows,
    stored,
  }: {
    readonly rows: (from: number) => Iterable<StepRow>;
    readonly stored?: StoredColumns | undefined;
  }): RowColumns {
    return new RowColumns(rows(stored?.rowCount ?? 0), stored);
  }

  /** Rows. */
  get length(): number {
    return this.first + this.stepOfRow.length;
  }

  /** Optimizer steps taken before each row. */
  get steps(): Float64Array {
    const steps = new Float64Array(this.length);
    if (this.stored) steps.set(this.stored.steps);
    steps.set(this.stepOfRow, this.first);
    return steps;
  }

  /** The paths of all quantities. */
  get paths(): Iterable<string> {
    return new Set([...(this.stored?.extents.keys() ?? []), ...this.byPath.keys()]);
  }

  /** The columns of a quantity, made anew by each call: one per entry of its largest array, none if no row has it. */
  columns(path: string): Column[] {
    const columns = this.stored?.extents.has(path) ? this.stored.columns(path) : [];
    const own = this.byPath.get(path);
    if (this.stepOfRow.length === 0) return columns;
    const whole = columns.map((column) => {
      const longer = new Float64Array(this.length).fill(NaN);
      longer.set(column);
      return longer;
    });
    return own?.columns(this.length, this.first, whole) ?? whole;
  }

  /** Rows that are stored. */
  private get first(): number {
    return this.stored?.rowCount ?? 0;
  }
}
