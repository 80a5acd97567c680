import { RowBytes, type StepRow } from "../../simulation/index.ts";
import { hexadecimal, sha256 } from "./sha256.ts";

/** Rows between two marks. */
const STRIDE = 10;

/**
 * The running hash of a run's rows in a page, by the definition of `RowDigest` of the layer record: SHA-256 of the hash
 * so far and the row's numbers. After every tenth row it keeps the first 16 bits, so that a link can tell from where
 * another run differs.
 */
export class BitTrail {
  private hash = new Uint8Array(32);
  private readonly bytes = new RowBytes();
  private marks: string[] = [];
  private count = 0;

  /** Takes up the next row. */
  add(row: StepRow): void {
    const numbers = this.bytes.of(row);
    const message = new Uint8Array(32 + numbers.length);
    message.set(this.hash);
    message.set(numbers, 32);
    this.hash = new Uint8Array(sha256(message));
    this.count++;
    if (this.count % STRIDE === 0) this.marks.push(this.digest.slice(0, 4));
  }

  /** 64 hexadecimal digits; zeros before the first row. */
  get digest(): string {
    return hexadecimal(this.hash);
  }

  /** What a link carries of it: rows, the first 64 bits, the marks. */
  get bits(): Bits {
    return { rows: this.count, digest: this.digest.slice(0, 16), marks: this.marks.join("") };
  }

  /** Where it stands now, to go back to. */
  save(): BitTrail {
    const copy = new BitTrail();
    copy.hash = this.hash;
    copy.marks = [...this.marks];
    copy.count = this.count;
    return copy;
  }
}

/** The bits of so many rows of a run, as a link carries them. */
export interface Bits {
  readonly rows: number;
  /** 16 hexadecimal digits. */
  readonly digest: string;
  /** Four hexadecimal digits for every tenth row, of the hash of all rows so far. */
  readonly marks: string;
}

/** Bits as they stand in a link. */
export const bitsText = ({ rows, digest, marks }: Bits): string => [rows, digest, marks].join(".");

/** Bits as a link has them; undefined for what is none. */
export function bitsOf(text: string): Bits | undefined {
  const [, rows, digest, marks] = /^(\d{1,7})\.([0-9a-f]{16})\.((?:[0-9a-f]{4})*)$/.exec(text) ?? [];
  return rows === undefined ? undefined : { rows: Number(rows), digest, marks };
}

/**
 * What comparing a run with the bits of a link came to: the same, or the rows between which they part. Undefined while
 * the run has fewer rows and agrees so far.
 */
export function comparedBits(
  wanted: Bits,
  found: Bits,
):
  | { readonly same: true }
  | { readonly same: false; readonly after: number; readonly by: number }
  | undefined {
  const shared = Math.min(wanted.marks.length, found.marks.length) / 4;
  for (let i = 0; i < shared; i++)
    if (wanted.marks.slice(4 * i, 4 * i + 4) !== found.marks.slice(4 * i, 4 * i + 4))
      return { same: false, after: i * STRIDE, by: (i + 1) * STRIDE };
  if (found.rows < wanted.rows) return undefined;
  if (found.rows === wanted.rows && found.digest === wanted.digest) return { same: true };
  return found.rows === wanted.rows
    ? { same: false, after: shared * STRIDE, by: wanted.rows }
    : { same: false, after: wanted.rows, by: found.rows };
}
