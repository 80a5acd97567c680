/** Room for blocks of vectors in a WebAssembly memory of their own, and the kernels over it. */
import { type Engine, engine, type Memory, type Module, wasmObstacle } from "../emit/engine.ts";
import { vectorModule } from "./kernels.ts";

const PAGE = 65536;
/** Entries in front of the room, for coefficients on their way in and results on their way out: 256 KiB. */
const STAGE = 32768;
/** Most entries of the room: 2 GiB, so that every address is a positive 32-bit integer. */
const MOST = 2 ** 28 - 2 * STAGE;

type Kernel = (...words: readonly number[]) => void;

interface Space {
  readonly memory: Memory;
  readonly entries: Float64Array;
  readonly inner: Kernel;
  readonly combine: Kernel;
}

/**
 * A room of numbers that grows when more is borrowed, of one thread. One borrower at a time: who asks while it is taken, or
 * where there is no WebAssembly, gets a plain array, for which `inner` and `combine` are not.
 */
export class VectorRoom {
  private space: Space | undefined;
  private taken = false;
  private refused = false;

  /** `length` numbers, not cleared, for as long as `work` runs. */
  borrow<T>(length: number, work: (room: Float64Array) => T): T {
    if (this.taken || !this.grow(length)) return work(new Float64Array(length));
    this.taken = true;
    try {
      return work(this.space!.entries.subarray(STAGE, STAGE + length));
    } finally {
      this.taken = false;
    }
  }

  /** Whether an array lies in the room, so that kernels may be used on it. */
  holds(array: Float64Array): boolean {
    return this.space !== undefined && array.buffer === this.space.memory.buffer;
  }

  /**
   * out[i·columns + j] ← ⟨x_i, y_j⟩ for vectors of length n one after another, from entries xAt and yAt of arrays in the
   * room. Order of summation: l ≡ 0, 1, 2, 3 mod 4 apart, the last n mod 4 with the first, (s0 + s1) + (s2 + s3).
   */
  inner(
    x: Float64Array,
    xAt: number,
    rows: number,
    y: Float64Array,
    yAt: number,
    columns: number,
    n: number,
    out: Float64Array,
  ): void {
    const { entries, inner } = this.space!;
    const most = Math.max(1, Math.floor(STAGE / Math.max(1, columns)));
    for (let i = 0; i < rows; i += most) {
      const some = Math.min(most, rows - i);
      const from = x.byteOffset + 8 * (xAt + i * n);
      inner(from, 8 * n, some, y.byteOffset + 8 * yAt, 8 * n, columns, 0, 8 * columns, n);
      out.set(entries.subarray(0, some * columns), i * columns);
    }
  }

  /**
   * out_j ← out_j + Σ_i coefficients[j·m + i]·x_i for j < count over `length` entries; x_i from entry xAt + i·xStride of an
   * array in the room, out_j from outAt + j·outStride. Terms are added four at a time: (c0·x0 + c1·x1) + (c2·x2 + c3·x3).
   */
  combine(
    coefficients: Float64Array,
    m: number,
    count: number,
    x: Float64Array,
    xAt: number,
    xStride: number,
    out: Float64Array,
    outAt: number,
    outStride: number,
    length: number,
  ): void {
    const { entries, combine } = this.space!;
    const most = Math.max(1, Math.floor(STAGE / Math.max(1, m)));
    for (let j = 0; j < count; j += most) {
      const some = Math.min(most, count - j);
      entries.set(coefficients.subarray(j * m, (j + some) * m));
      const to = out.byteOffset + 8 * (outAt + j * outStride);
      combine(0, 8 * m, x.byteOffset + 8 * xAt, 8 * xStride, m, to, 8 * outStride, some, length);
    }
  }

  /** Makes the room at least this long; false where that cannot be. */
  private grow(length: number): boolean {
    if (this.space && this.space.entries.length >= STAGE + length) return true;
    if (this.refused || length > MOST) return false;
    const host = wasmObstacle() === undefined ? engine() : undefined;
    try {
      if (host) this.space = spaceOf(host, STAGE + length);
    } catch {
      // No memory of that length, or a host that compiles nothing here: plain arrays do.
      this.refused = true;
      return false;
    }
    this.refused = host === undefined;
    return !this.refused;
  }
}

let compiled: Module | undefined;

function spaceOf(host: Engine, entries: number): Space {
  const pages = Math.ceil((8 * entries) / PAGE);
  const memory = new host.Memory({ initial: pages, maximum: pages });
  compiled ??= new host.Module(vectorModule().bytes(false));
  const { exports } = new host.Instance(compiled, { env: { memory, base: 0 } });
  const { inner, combine } = exports as Readonly<Record<string, Kernel>>;
  return { memory, entries: new Float64Array(memory.buffer), inner, combine };
}
