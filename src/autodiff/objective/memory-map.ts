/*
 * The one memory of a joint evaluation, in entries of 8 bytes, from its start. p weights; d directions kept at a time.
 *
 *   ┌───────────┬─────────┬─────────┬─────────┬───┬─────────┬─────────┬───┬─────────┬──────┬──────────────┐
 *   │ constants │ weights │ chunk 0 │ chunk 1 │ … │ arena 0 │ arena 1 │ … │ vectors │ sums │ gradient sum │
 *   └───────────┴─────────┴─────────┴─────────┴───┴─────────┴─────────┴───┴─────────┴──────┴──────────────┘
 *                    p      one per chunk of        one per thread           2d·p   ≥ d²·p        p
 *                              examples
 *
 *   chunk   batch: its examples │ value: its loss, then outputs │ primal: values kept for the current w, if there is room
 *
 *   arena   scratch │ result of a chunk │ a sum of two directions │ tangents of d directions, of one more, of the sum │
 *           primal, if chunks do not keep it
 *
 * `REGION` names what kernels read and write; a job says before each segment where its regions lie: at a fixed entry, in the
 * chunk at hand, or in the thread's own arena.
 */
import type { Plan } from "../plan/plan.ts";
import { REGION } from "./plan.ts";

/** Most directions whose first-order tangents are kept at a time, for pairs. */
const MOST_DIRECTIONS = 8;
/** Entries that directions, their sums and tangents may take before fewer are kept: 1 GiB of addresses, used or not. */
const DIRECTION_ENTRIES = 2 ** 27;

/** Where everything of a joint evaluation lies in one memory, in entries. */
export interface MemoryMap {
  /** Its size. */
  readonly entries: number;
  readonly constants: number;
  readonly weights: number;
  /** Directions kept at a time; there is room for twice as many vectors. */
  readonly directions: number;
  readonly vectors: number;
  /** Sums over chunks of products and third derivatives, each of p entries, and that of the gradient. */
  readonly sums: number;
  readonly gradientSum: number;
  readonly chunkStart: number;
  readonly chunkStride: number;
  /** Within a chunk: its examples are at 0. */
  readonly inChunk: { readonly value: number; readonly primal: number };
  /** Whether chunks keep the values of the current w, or an arena holds them for the chunk at hand. */
  readonly keepsPrimal: boolean;
  /** Where each thread's arena starts; offsets within one follow. */
  readonly arenas: Int32Array;
  readonly inArena: {
    readonly scratch: number;
    /** Gradient, product or third derivative of a chunk: never two at a time. */
    readonly result: number;
    readonly direction: number;
    /** Room for the tangents of each direction kept, of a further one, and of a sum of two. */
    readonly tangents: number;
    readonly primal: number;
  };
}

/** What a memory must hold besides the plan's regions. */
export interface Demand {
  /** p. */
  readonly dimension: number;
  readonly chunks: number;
  readonly threads: number;
  /** Entries for the values that all chunks keep for the current w. */
  readonly budget: number;
}

/** Lays out the memory of a plan. */
export function mapMemory(plan: Plan, { dimension: p, chunks, threads, budget }: Demand): MemoryMap {
  const sizes = plan.regionSizes;
  const tangent = sizes[REGION.tangent];
  // With a single chunk there is nothing to gain from letting go of its values.
  const keepsPrimal = chunks === 1 || chunks * sizes[REGION.primal] <= budget;
  const directionEntries = (directions: number): number =>
    (2 * directions + sumsFor(directions)) * p + threads * (directions + 2) * tangent;
  let directions = MOST_DIRECTIONS;
  while (directions > 1 && directionEntries(directions) > DIRECTION_ENTRIES) directions--;

  let end = 0;
  const take = (size: number): number => {
    const at = end;
    end += size;
    return at;
  };
  const inArena = {
    scratch: take(sizes[REGION.scratch]),
    result: take(Math.max(sizes[REGION.gradient], sizes[REGION.product], sizes[REGION.third])),
    direction: take(p),
    tangents: take((directions + 2) * tangent),
    primal: take(keepsPrimal ? 0 : sizes[REGION.primal]),
  };
  const arenaSize = end;
  const inChunk = { value: sizes[REGION.batch], primal: sizes[REGION.batch] + sizes[REGION.value] };
  const chunkStride = inChunk.primal + (keepsPrimal ? sizes[REGION.primal] : 0);

  end = 0;
  const constants = take(sizes[REGION.constants]);
  const weights = take(p);
  const chunkStart = take(chunks * chunkStride);
  const arenas = Int32Array.from({ length: threads }, () => take(arenaSize));
  const vectors = take(2 * directions * p);
  const sums = take(sumsFor(directions) * p);
  const gradientSum = take(p);
  return {
    ...{ entries: end, constants, weights, directions, vectors, sums, gradientSum },
    ...{ chunkStart, chunkStride, inChunk, keepsPrimal, arenas, inArena },
  };
}

/** Products and third derivatives of a block of directions, or all pairs of two blocks. */
const sumsFor = (directions: number): number =>
  Math.max(directions + (directions * (directions + 1)) / 2, directions ** 2);
