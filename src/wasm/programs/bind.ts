/** Programs on the thread that made their memory. */
import { type Engine, engine } from "../emit/engine.ts";
import { MOST_REGIONS, PROGRAM } from "../emit/header.ts";
import { kernelOf, moduleOf } from "../emit/kernels.ts";
import type { KernelMemory } from "../emit/memory.ts";
import type { Bytecode } from "./bytecode.ts";
import { RUNNER } from "./runner.ts";

/** A program that its memory's first thread can run. */
export interface BoundProgram {
  /** The entry at which each region starts: the caller's to set. */
  readonly bases: Int32Array;
  run(segment: number): void;
}

/** Binds the bytecode that stands in a memory to its kernels and the runner. Allocates nothing when it runs. */
export function bindProgram(memory: KernelMemory, { starts, kernels }: Bytecode): BoundProgram {
  const { Table, Instance } = engine() as Engine;
  const table = new Table({ element: "anyfunc", initial: kernels.length });
  kernels.forEach((call, place) => {
    table.set(place, kernelOf(call, memory));
  });
  const env = { memory: memory.memory, base: 0, table };
  const { run } = new Instance(moduleOf(RUNNER, memory.threads > 1), { env }).exports;
  const addresses = starts.map((at) => memory.code + 4 * at);
  return {
    bases: new Int32Array(memory.memory.buffer, PROGRAM.bases, MOST_REGIONS),
    run: (segment) => run(addresses[segment], addresses[segment + 1]),
  };
}
