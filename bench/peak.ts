import { FUSED } from "../src/wasm/dense/arithmetic.ts";
import { type Code, type Local, ModuleWriter, repeatWhile } from "../src/wasm/emit/assembler.ts";
import { engine } from "../src/wasm/emit/engine.ts";
import { f64x2, i32, int, v128 } from "../src/wasm/emit/instructions.ts";
import { newKernelMemory } from "../src/wasm/emit/memory.ts";

const TURNS = 20_000;
/** Chains side by side: enough to fill four pipes four cycles deep, few enough for sixteen registers. */
const CHAINS = [8, 10, 12, 13];
const UNROLLED = [1, 2, 4];

/** A loop in registers, and how many flops it is. */
export interface PeakLoop {
  readonly run: () => void;
  readonly flops: number;
}

/** What one link of a chain is, and its flops on two lanes. */
interface Link {
  readonly write: (sum: Local, i: number, x: Code, y: Code) => Code;
  readonly flops: number;
}

const LINKS = {
  /** Chains of multiplications beside chains of additions: neither waits for the other. */
  apart: {
    write: (sum, i, x, y) => (i % 2 === 0 ? f64x2.add(sum.get, x) : f64x2.multiply(sum.get, y)),
    flops: 2,
  },
  /** An addition to what was multiplied, as products have it. */
  joined: { write: (sum, _, x, y) => f64x2.add(f64x2.multiply(sum.get, y), x), flops: 4 },
  fused: { write: (sum, _, x, y) => FUSED.multiplyAdd(sum.get, y, x), flops: 4 },
} satisfies Record<string, Link>;

/**
 * Register-only loops of f64x2 multiplications and additions: what a core can do without memory, in the instructions that
 * WebAssembly has. Which of them is fastest depends on how long a core's additions and multiplications take and on
 * how it hands them out, so the peak is the best rate of them all.
 * @param kind loops of separate multiplications and additions, or of fused ones
 */
export function peakLoops(kind: "separate" | "fused"): PeakLoop[] {
  const links: Link[] = kind === "fused" ? [LINKS.fused] : [LINKS.apart, LINKS.joined];
  return links.flatMap((link) =>
    CHAINS.flatMap((chains) => UNROLLED.map((unrolled) => peakLoop(link, chains, unrolled))),
  );
}

/** The best rate of loops that ran for so many milliseconds each, in GFLOP/s. */
export const peakRate = (loops: readonly PeakLoop[], milliseconds: readonly number[]): number =>
  Math.max(...loops.map(({ flops }, i) => flops / milliseconds[i] / 1e6));

function peakLoop({ write, flops }: Link, chains: number, unrolled: number): PeakLoop {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const sums = scope.locals("v128", chains);
    const [x, y] = scope.locals("v128", 2);
    const left = scope.local("i32");
    return [
      ...x.set(v128.loadSplat(int(0))),
      ...y.set(v128.loadSplat(int(8))),
      ...left.set(int(TURNS)),
      ...repeatWhile(
        Array.from({ length: unrolled }, () =>
          sums.map((sum, i) => sum.set(write(sum, i, x.get, y.get))),
        ).flat(),
        left.tee(i32.subtract(left.get, int(1))),
      ),
      ...sums.flatMap((sum) => v128.store(int(16), sum.get)),
    ];
  });
  const { Module, Instance } = engine()!;
  const { memory, words } = newKernelMemory(0);
  words.fill(0, 0, 16);
  const { run } = new Instance(new Module(module.bytes(false)), { env: { memory, base: 0 } }).exports;
  return { run, flops: flops * chains * unrolled * TURNS };
}
