import type { Plan } from "../plan/plan.ts";
import { REGION } from "./plan.ts";

/** Most directions whose first-order tangents are kept at a time, for pairs. */
const MOST_DIRECTIONS = 8;
/** Entries that directions, their sums and tangents may take before fewer are kept: 1 GiB of addresses, used or not. */
const DIRECTION_ENTRIES = 2 ** 27;

/** Where everything of a joint evaluation lies in one memory, in entries. */
export interface Placement {
  readonly entries: number;
  readonly constants: number;
  readonly weights: number;
  /** Directions kept at a time; twice as many vectors have a place. */
  readonly directions: number;
  readonly vectors: number;
  /** Sums over chunks of products and third derivatives, each of p entries, and that of the gradient. */
  readonly sums: number;
  readonly gradientSum: number;
  /** Chunks lie side by side; within one: examples, loss and outputs, perhaps the values kept for the current w. */
  readonly chunkStart: number;
  readonly chunkStride: number;
  readonly keepsPrimal: boolean;
  /** Where each thread's arena starts; offsets within one follow. */
  readonly arenas: Int32Array;
  readonly own: {
    readonly scratch: number;
    /** Gradient, product or third derivative of a chunk: never two at a time. */
    readonly result: number;
    readonly direction: number;
    /** One place for each direction kept, one for a further direction, one for a sum of two. */
    readonly tangents: number;
    readonly primal: number;
  };
}

/** @param budget entries for the values that all chunks keep for the current w */
export function placeAll(plan: Plan, p: number, chunks: number, threads: number, budget: number): Placement {
  const sizes = plan.regionSizes;
  const tangent = sizes[REGION.tangent];
  // With a single chunk there is nothing to gain from letting go of its values.
  const keepsPrimal = chunks === 1 || chunks * sizes[REGION.primal] <= budget;
  const directionEntries = (directions: number): number =>
    (2 * directions + sumsFor(directions)) * p + threads * (directions + 2) * tangent;
  let directions = MOST_DIRECTIONS;
  while (directions > 1 && directionEntries(directions) > DIRECTION_ENTRIES) directions--;

  let end = 0;
  const place = (size: number): number => {
    const at = end;
    end += size;
    return at;
  };
  const arena = {
    scratch: place(sizes[REGION.scratch]),
    result: place(Math.max(sizes[REGION.gradient], sizes[REGION.product], sizes[REGION.third])),
    direction: place(p),
    tangents: place((directions + 2) * tangent),
    primal: place(keepsPrimal ? 0 : sizes[REGION.primal]),
  };
  const arenaSize = end;
  end = 0;
  const constants = place(sizes[REGION.constants]);
  const weights = place(p);
  const chunkStride = sizes[REGION.batch] + sizes[REGION.value] + (keepsPrimal ? sizes[REGION.primal] : 0);
  const chunkStart = place(chunks * chunkStride);
  const arenas = Int32Array.from({ length: threads }, () => place(arenaSize));
  const vectors = place(2 * directions * p);
  const sums = place(sumsFor(directions) * p);
  const gradientSum = place(p);
  return {
    ...{ entries: end, constants, weights, directions, vectors, sums, gradientSum },
    ...{ chunkStart, chunkStride, keepsPrimal, arenas, own: arena },
  };
}

/** Products and third derivatives of a block of directions, or all pairs of two blocks. */
const sumsFor = (directions: number): number =>
  Math.max(directions + (directions * (directions + 1)) / 2, directions ** 2);
