import { Stopped } from "../../base/index.ts";
import { orthonormalise } from "./orthonormalise.ts";
import { addCombined, borrow, innerProducts, norm } from "./vectors.ts";

/** Rows that are orthogonalised together. */
const BLOCK = 32;

/** A row is taken for dependent on those before it where no more than this fraction of its length is left. */
const DEPENDENT = 2 ** -44;

/** The space that the rows of a matrix span. */
export interface RowSpace {
  readonly rank: number;
  /** Orthonormal rows of length n, one after another: rank·n numbers. */
  readonly basis: Float64Array;
  /** The rows in that basis, `count` × rank: rows = coordinates · basis. */
  readonly coordinates: Float64Array;
}

/**
 * An orthonormal basis of the space that rows span, and their coordinates in it, by block Gram–Schmidt with
 * reorthogonalisation: basis·basisᵀ = 1 and coordinates·basis = rows to some 1e-13 of the rows' lengths. Finite rows of any
 * rank, 0 included.
 *
 * @param rows `count` rows of length n, read
 * @param shouldStop asked once a block
 * @throws Stopped where it answers true
 * Cost: 2.5·count·rank·n multiplications and additions where all rows are independent, at the rate of the block kernels; room for
 * rows and basis.
 */
export function rowSpace(rows: Float64Array, count: number, n: number, shouldStop?: () => boolean): RowSpace {
  const most = Math.min(count, n);
  const look = (): void => {
    if (shouldStop?.()) throw new Stopped("rowSpace");
  };
  return borrow((most + 2 * BLOCK) * n, (space) => {
    const basis = space.subarray(0, (most + BLOCK) * n);
    const block = space.subarray((most + BLOCK) * n);
    const overlaps = new Float64Array(BLOCK * most);
    const coefficients = new Float64Array(BLOCK * most);
    /** That of the rows up to the end of each block. */
    const ranks: number[] = [];
    let rank = 0;
    for (let at = 0; at < count && rank < most; at += BLOCK) {
      look();
      let some = Math.min(BLOCK, count - at);
      // Made orthonormal where they will lie, behind the basis so far.
      const fresh = basis.subarray(rank * n);
      fresh.set(rows.subarray(at * n, (at + some) * n));
      const lengths = Float64Array.from({ length: some }, (_, i) => norm(fresh, i * n, n));
      // What is left of a row may be little, and rounding's part of it large: unit vectors once more.
      for (let pass = 0; pass < 2; pass++) {
        // The block stays in the cache while the basis goes by.
        innerProducts(basis, 0, rank, fresh, 0, some, n, overlaps);
        for (let i = 0; i < some; i++)
          for (let j = 0; j < rank; j++) coefficients[i * rank + j] = -overlaps[j * some + i];
        addCombined(basis, rank, n, coefficients, some, fresh);
        some = orthonormalised(fresh, some, n, lengths);
        lengths.fill(1);
      }
      rank += some;
      ranks.push(rank);
    }
    const coordinates = new Float64Array(count * rank);
    for (let at = 0; at < count && rank > 0; at += BLOCK) {
      look();
      const some = Math.min(BLOCK, count - at);
      block.set(rows.subarray(at * n, (at + some) * n));
      const known = ranks[at / BLOCK] ?? rank;
      innerProducts(basis, 0, known, block, 0, some, n, overlaps);
      for (let i = 0; i < some; i++)
        for (let j = 0; j < known; j++) coordinates[(at + i) * rank + j] = overlaps[j * some + i];
    }
    return { rank, basis: basis.slice(0, rank * n), coordinates };
  });
}

/**
 * out ← out + coefficients·basis: vectors by their coordinates.
 *
 * @param coefficients count × rank, read @param out count vectors of length n, one after another
 * Cost: count·rank·n multiplications and additions, and a copy of the basis to where kernels reach it.
 */
export function addFromCoordinates(
  { rank, basis }: Pick<RowSpace, "rank" | "basis">,
  coefficients: Float64Array,
  count: number,
  out: Float64Array,
): void {
  if (rank === 0) return;
  const n = basis.length / rank;
  borrow((rank + count) * n, (space) => {
    space.set(basis);
    space.set(out.subarray(0, count * n), rank * n);
    addCombined(space, rank, n, coefficients, count, space, rank * n);
    out.set(space.subarray(rank * n, (rank + count) * n));
  });
}

/**
 * Makes a block orthonormal, in place. Vectors of which nothing but rounding is left, against the lengths that they once had,
 * are left out, and the next take their place. Returns how many there are.
 */
function orthonormalised(block: Float64Array, count: number, n: number, lengths: Float64Array): number {
  let taken = 0;
  for (let i = 0; i < count; i++) {
    if (i > taken) block.copyWithin(taken * n, i * n, (i + 1) * n);
    const left = norm(block, taken * n, n);
    const least = DEPENDENT * lengths[i];
    if (left > least && orthonormalise(block, taken, n, least / left)) taken++;
  }
  return taken;
}
