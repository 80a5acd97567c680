/** From calls, which are data, to functions that run: compiling, instantiating, writing parameter words. */
import { cos, sin } from "../../base/index.ts";
import type { Call } from "./call.ts";
import { engine, type Module } from "./engine.ts";
import type { KernelMemory } from "./memory.ts";

/** Compiled kernels by key, for the life of the process: every memory of a kind instantiates the same code. */
const modules = { own: new Map<string, Module>(), shared: new Map<string, Module>() };

/**
 * The compiled code of a call, whose export `run` is the kernel; compiled once for each key and kind of memory.
 * @param shared whether it is for a memory that threads share
 */
export function moduleOf({ key, write }: Pick<Call, "key" | "write">, shared: boolean): Module {
  const compiled = shared ? modules.shared : modules.own;
  const known = compiled.get(key);
  if (known) return known;
  const module = new (engine()!.Module)(write().bytes(shared));
  compiled.set(key, module);
  return module;
}

/** Whether a kernel calls functions of JavaScript: such a one runs on the caller's thread alone. */
export const callsBack = (module: Module): boolean =>
  engine()!
    .Module.imports(module)
    .some(({ kind }) => kind === "function");

/** The kernel of a call, instantiated once over a memory, for its first thread. */
export function kernelOf(call: Call, { memory, threads, kernels }: KernelMemory): () => void {
  const known = kernels.get(call.key);
  if (known) return known;
  const env = { memory, base: 0, sin, cos };
  const { exports } = new (engine()!.Instance)(moduleOf(call, threads > 1), { env });
  kernels.set(call.key, exports.run);
  return exports.run;
}

/** What runs prepared calls: over these entries, with the addresses, in entries, of the arrays that the calls name. */
export type BoundCalls = (entries: Float64Array, at: Int32Array) => void;

/**
 * The calls, one after another, as a function of the entries and the addresses of their arrays. It allocates nothing when
 * it runs; it binds itself to the memory it meets, and again if that changes.
 * @param memoryOf the kernel memory that an array of entries lies in
 * @param expected the entries it will be called with first: what can be prepared for them is prepared now
 */
export function bindCalls(
  calls: readonly Call[],
  memoryOf: (entries: Float64Array) => KernelMemory,
  expected?: Float64Array,
): BoundCalls {
  const bound = calls.map((call) => bindCall(call, memoryOf, expected));
  if (bound.length === 1) return bound[0];
  return (entries, at) => {
    for (const run of bound) run(entries, at);
  };
}

function bindCall(
  call: Call,
  memoryOf: (entries: Float64Array) => KernelMemory,
  expected: Float64Array | undefined,
): BoundCalls {
  const which = Int32Array.from(call.arrays, ({ at }) => at);
  const offsets = Int32Array.from(call.arrays, ({ offset }) => offset);
  const fixed = Int32Array.from(call.words);
  const arrays = which.length;
  let bound: Float64Array | undefined;
  let words: Int32Array = fixed;
  let start = 0;
  let run = (): void => {};
  const bind = (entries: Float64Array): void => {
    const memory = memoryOf(entries);
    words = memory.words;
    start = memory.start;
    run = kernelOf(call, memory);
    bound = entries;
  };
  if (expected) bind(expected);
  return (entries, at) => {
    if (entries !== bound) bind(entries);
    for (let i = 0; i < arrays; i++) words[i] = start + 8 * (at[which[i]] + offsets[i]);
    for (let i = 0; i < fixed.length; i++) words[arrays + i] = fixed[i];
    run();
  };
}
