/** How the register tiles of products and convolutions add a product to a sum: one rounding or two. */
import { type Code, ModuleWriter } from "../emit/assembler.ts";
import { engine, wasmObstacle } from "../emit/engine.ts";
import { f64x2, int, v128 } from "../emit/instructions.ts";
import { newKernelMemory } from "../emit/memory.ts";

/** A definition of sums of products, bit by bit. */
export interface Arithmetic {
  /** Part of the keys of kernels: those of two definitions are two kernels. */
  readonly key: string;
  /** sum + x·y. */
  readonly multiplyAdd: (x: Code, y: Code, sum: Code) => Code;
}

/** The product is rounded, then the sum: the definition of the js backend. */
export const SEPARATE: Arithmetic = {
  key: "",
  multiplyAdd: (x, y, sum) => f64x2.add(sum, f64x2.multiply(x, y)),
};

/** sum + x·y is rounded once (IEEE 754-2019, 5.4.1, fusedMultiplyAdd), where `fusedObstacle` names no reason against it. */
export const FUSED: Arithmetic = {
  key: ", fused",
  multiplyAdd: (x, y, sum) => f64x2.relaxedMultiplyAdd(x, y, sum),
};

/** Products whose lowest bits a rounded product loses: x·y + z, what one rounding gives, and what two give. */
const PROBES = [
  // (1 + 2⁻³⁰)² = 1 + 2⁻²⁹ + 2⁻⁶⁰, of which a double keeps 1 + 2⁻²⁹.
  { x: 1 + 2 ** -30, y: 1 + 2 ** -30, z: -(1 + 2 ** -29), fused: 2 ** -60, separate: 0 },
  // (1 − 2⁻³⁰)(1 + 2⁻³⁰) = 1 − 2⁻⁶⁰, which rounds to 1.
  { x: 1 - 2 ** -30, y: 1 + 2 ** -30, z: -1, fused: -(2 ** -60), separate: 0 },
] as const;

/**
 * Why multiplications and additions cannot be fused here, as the end of a sentence; undefined where they are, which is
 * found by doing some. Cost: a small module is compiled and run.
 */
export function fusedObstacle(): string | undefined {
  const obstacle = wasmObstacle();
  if (obstacle !== undefined) return obstacle;
  const host = engine()!;
  const module = new ModuleWriter();
  module.function("run", 0, () =>
    v128.store(
      int(0),
      FUSED.multiplyAdd(v128.load(int(0)), v128.load(int(0), 16), v128.load(int(0), 32)),
      48,
    ),
  );
  const { memory, words } = newKernelMemory(0);
  let run: () => void;
  try {
    const compiled = new host.Module(module.bytes(false));
    run = new host.Instance(compiled, { env: { memory, base: 0 } }).exports.run;
  } catch {
    return "this host does not compile WebAssembly's relaxed SIMD, as Node does from 22 on";
  }
  const numbers = new Float64Array(words.buffer, 0, 8);
  PROBES.forEach(({ x, y, z }, lane) => {
    numbers[lane] = x;
    numbers[2 + lane] = y;
    numbers[4 + lane] = z;
  });
  run();
  const fused = PROBES.every((probe, lane) => numbers[6 + lane] === probe.fused);
  return fused
    ? undefined
    : "this host's relaxed multiply-and-add rounds twice: its processor has none that rounds once";
}
