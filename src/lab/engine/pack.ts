import type { Quantity, StepRow } from "../../simulation/index.ts";

/** Rows as they cross from a worker to its page: one array, which is moved and not copied. */
export interface PackedRows {
  /** Paths that are new since the last message; a path's number is its place among all so far. */
  readonly paths: readonly string[];
  /**
   * Of each row its index, step and number of quantities; of each quantity the number of its path, its rank (−1 for a
   * plain number, −2 − rank for counts), its lengths, its entries.
   */
  readonly data: Float64Array<ArrayBuffer>;
}

/** Packs rows, remembering the paths it has sent. */
export class RowPacker {
  private readonly known = new Map<string, number>();

  /** Rows as one array of their own. */
  pack(rows: readonly StepRow[]): PackedRows {
    const paths: string[] = [];
    const out: number[] = [];
    for (const { index, step, quantities } of rows) {
      const entries = Object.entries(quantities);
      out.push(index, step, entries.length);
      for (const [path, quantity] of entries) {
        let place = this.known.get(path);
        if (place === undefined) {
          place = this.known.size;
          this.known.set(path, place);
          paths.push(path);
        }
        out.push(place);
        if (typeof quantity === "number") out.push(-1, quantity);
        else {
          const { shape, data, integer } = quantity;
          out.push(integer ? -2 - shape.length : shape.length, ...shape);
          for (let i = 0; i < data.length; i++) out.push(data[i]);
        }
      }
    }
    return { paths, data: Float64Array.from(out) };
  }
}

/** Unpacks what one packer has packed, in the order in which it has. */
export class RowUnpacker {
  private readonly known: string[] = [];

  /** The rows; their arrays share memory with what was packed. */
  unpack({ paths, data }: PackedRows): StepRow[] {
    this.known.push(...paths);
    const rows: StepRow[] = [];
    for (let at = 0; at < data.length; ) {
      const [index, step, count] = data.subarray(at, at + 3);
      at += 3;
      const quantities: Record<string, Quantity> = {};
      for (let i = 0; i < count; i++) {
        const path = this.known[data[at]];
        const kind = data[at + 1];
        at += 2;
        if (kind === -1) {
          quantities[path] = data[at++];
          continue;
        }
        const rank = kind < 0 ? -2 - kind : kind;
        const shape = [...data.subarray(at, at + rank)];
        at += rank;
        const size = shape.reduce((product, length) => product * length, 1);
        quantities[path] = { shape, data: data.subarray(at, at + size), ...(kind < 0 && { integer: true }) };
        at += size;
      }
      rows.push({ index, step, quantities });
    }
    return rows;
  }
}
