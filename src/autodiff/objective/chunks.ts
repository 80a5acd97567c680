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
/**
 * The same where what is left is one chunk or two: a second thread is worth more than that. Measured on two cores: at the
 * first bound, an lstm of 83 operations, halves cost one thread 7 to 20 % and let two be 1.7 to 1.8 times as fast.
 */
const SHARED_FLOPS_PER_OPERATION = 1e3;
const SHARED_FLOPS_PER_WEIGHT = 20;
/** The least flops of the loss of all examples to share: its gradient, three times as much, is worth a helper's call. */
const SHARED_FLOPS = 7e4;
/** How many more examples two halves may have than there are: what a short one lacks is computed for nothing. */
const MOST_FILLING = 0.1;

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
 * as each has enough to do that an added chunk costs next to nothing; two at least, as long as they gain more than they cost.
 */
export function chunkSize(loss: ChunkLoss, dimension: number): number {
  const { examples } = loss;
  const { operations, entries, flops } = workPerExample(loss);
  const examplesFor = (perOperation: number, perWeight: number): number =>
    Math.ceil(Math.max(perOperation * operations, perWeight * dimension) / Math.max(1, flops));
  const least = examplesFor(LEAST_FLOPS_PER_OPERATION, LEAST_FLOPS_PER_WEIGHT);
  const within = (room: number): number =>
    Math.max(1, Math.floor(room / (ENTRIES_PER_VALUE * Math.max(1, entries))));
  const most = Math.min(within(MOST_ENTRIES), Math.max(least, within(CACHED_ENTRIES)));
  let chunks = Math.ceil(examples / most);
  while (chunks < ENOUGH_CHUNKS && Math.ceil(examples / (2 * chunks)) >= least) chunks *= 2;
  const half = Math.ceil(examples / 2);
  const shared =
    half >= examplesFor(SHARED_FLOPS_PER_OPERATION, SHARED_FLOPS_PER_WEIGHT) &&
    flops * examples >= SHARED_FLOPS &&
    2 * half <= (1 + MOST_FILLING) * examples;
  if (chunks === 1 && shared) chunks = 2;
  // An even number: two threads share evenly.
  if (chunks > 1 && chunks < ENOUGH_CHUNKS) chunks += chunks % 2;
  return Math.ceil(examples / chunks);
}
