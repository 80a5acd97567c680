import { isSource } from "../graph/graph.ts";
import { sizeOf } from "../graph/shape.ts";
import { costOf } from "../plan/build.ts";
import { RULES } from "../primitives/registry.ts";
import type { Tree } from "../tensor/tree.ts";
import { trace } from "../transforms/trace.ts";
import type { LossDefinition } from "./loss.ts";

/** Examples that the loss is traced for to count its work. */
const PROBE = 2;
/** A joint evaluation keeps so many entries for each entry that the loss computes: 3 to 5 in all architectures. */
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
 * A chunk's loss takes at least so many flops for each operation, and for each weight. Measured on the wasm backend: with
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

function workPerExample(definition: LossDefinition): Work {
  const batch = Object.entries(definition.examples ?? {}).map(([name, { shape }]) => [
    name,
    [PROBE, ...shape],
  ]);
  const loss = (parameters: Tree, arrays: Tree): Tree => {
    const result = definition.loss(parameters as never, arrays as never);
    return "loss" in result ? result.loss : result;
  };
  const { graph } = trace<[Tree, Tree], Tree>(loss, definition.parameters, Object.fromEntries(batch));
  const depends = new Uint8Array(graph.nodes.length);
  for (const id of graph.inputs.slice(Object.keys(definition.parameters).length)) depends[id] = 1;
  let operations = 0;
  let entries = 0;
  let flops = 0;
  graph.nodes.forEach((node, id) => {
    if (isSource(node) || !node.operands.some((operand) => depends[operand])) return;
    depends[id] = 1;
    if (RULES[node.op].view) return;
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
export function chunkSize(definition: LossDefinition, examples: number, dimension: number): number {
  const { operations, entries, flops } = workPerExample(definition);
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
