import { isSource } from "../graph/graph.ts";
import { dependents } from "../graph/reach.ts";
import { sizeOf } from "../graph/shape.ts";
import { costOf } from "../plan/build.ts";
import { RULES } from "../primitives/registry.ts";
import { newTrace } from "../transforms/simplify.ts";
import type { ChunkLoss } from "./loss.ts";

/** The number of examples that the loss is traced for to count its work. */
const PROBE = 2;
/** Entries that a joint evaluation keeps for each entry that the loss computes: 3 to 5 in all architectures. */
const ENTRIES_PER_VALUE = 4;
/**
 * 2 MiB of doubles, a core's second-level cache: measured on the wasm backend, networks of images take 5 to 10 % less
 * time than in chunks twice or half as large, and two threads do not meet at the memory.
 */
const CACHED_ENTRIES = 2 ** 18;
/** 64 MiB of doubles, where a chunk must be larger to have enough to do. */
const MOST_ENTRIES = 2 ** 23;
/** Enough to share among threads, whatever their number. */
const ENOUGH_CHUNKS = 16;
/**
 * The least flops of a chunk's loss for each operation, and for each weight. Measured on the wasm backend: with
 * fewer, what a chunk costs whatever its size (calls of kernels, packing of weights, sums over weights) is more than 5 %.
 */
const LEAST_FLOPS_PER_OPERATION = 2e4;
const LEAST_FLOPS_PER_WEIGHT = 100;

/** What the loss computes for one example: operations, entries of all its values, and flops. */
interface Work {
  readonly operations: number;
  readonly entries: number;
  readonly flops: number;
}

function workPerExample(loss: ChunkLoss): Work {
  const tracing = newTrace();
  const parameters = Object.entries(loss.parameters).map(([name, shape]) => tracing.input(name, shape));
  const arrays = loss.arrays.map(({ name, shape }) => tracing.input(name, [PROBE, ...shape]));
  const graph = tracing.graph([...parameters, ...arrays], [loss.trace(parameters, arrays).value]);
  const depends = dependents(graph.nodes, graph.inputs.slice(parameters.length));
  let operations = 0;
  let entries = 0;
  let flops = 0;
  graph.nodes.forEach((node, id) => {
    if (isSource(node) || !depends[id] || RULES[node.op].view) return;
    operations++;
    entries += sizeOf(node.shape) / PROBE;
    flops += costOf(node, graph).flops / PROBE;
  });
  return { operations, entries, flops };
}

/**
 * Examples per chunk where none are asked for. It depends on the loss and the number of examples alone, because the bits
 * of sums over chunks depend on it: as many chunks as keep one's arrays in a cache, and at least enough for threads, as long
 * as each has enough to do.
 */
export function chunkSize(loss: ChunkLoss, dimension: number): number {
  const { examples } = loss;
  const { operations, entries, flops } = workPerExample(loss);
  const leastFlops = Math.max(LEAST_FLOPS_PER_OPERATION * operations, LEAST_FLOPS_PER_WEIGHT * dimension);
  const least = Math.ceil(leastFlops / Math.max(1, flops));
  const within = (room: number): number =>
    Math.max(1, Math.floor(room / (ENTRIES_PER_VALUE * Math.max(1, entries))));
  const most = Math.min(within(MOST_ENTRIES), Math.max(least, within(CACHED_ENTRIES)));
  let chunks = Math.ceil(examples / most);
  while (chunks < ENOUGH_CHUNKS && Math.ceil(examples / (2 * chunks)) >= least) chunks *= 2;
  // An even number: two threads share evenly.
  if (chunks > 1 && chunks < ENOUGH_CHUNKS) chunks += chunks % 2;
  return Math.ceil(examples / chunks);
}
