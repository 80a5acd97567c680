import type { Quantity, StepRow } from "../simulation/index.ts";

/** One number per row; NaN where a row has none. */
export type Column = Float64Array;

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

  /** As columns of `length` rows. */
  columns(length: number): Column[] {
    const columns: Column[] = [];
    for (let row = 0, start = 0; row < this.rowCount; row++) {
      const end = this.ends[row];
      for (let c = 0; start + c < end; c++) {
        columns[c] ??= new Float64Array(length).fill(NaN);
        columns[c][row] = this.values[start + c];
      }
      start = end;
    }
    return columns;
  }
}

/**
 * The numbers of a run by quantity: a tenth of the memory that its rows take as objects, for runs of a hundred thousand
 * rows. Filled once, row by row.
 */
export class RowColumns {
  private readonly byPath = new Map<string, Entries>();
  private readonly stepOfRow: number[] = [];

  /** Reads all rows once; none is kept. */
  constructor(rows: Iterable<StepRow>) {
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

  /** Rows. */
  get length(): number {
    return this.stepOfRow.length;
  }

  /** Optimizer steps taken before each row. */
  get steps(): Float64Array {
    return Float64Array.from(this.stepOfRow);
  }

  /** The paths of all quantities. */
  get paths(): Iterable<string> {
    return this.byPath.keys();
  }

  /** The columns of a quantity, made anew by each call: one per entry of its largest array, none if no row has it. */
  columns(path: string): Column[] {
    return this.byPath.get(path)?.columns(this.length) ?? [];
  }
}
