import { ModuleWriter, repeatWhile } from "../src/wasm/emit/assembler.ts";
import { engine } from "../src/wasm/emit/engine.ts";
import { f64x2, i32, int, v128 } from "../src/wasm/emit/instructions.ts";
import { newKernelMemory } from "../src/wasm/emit/memory.ts";

const TURNS = 200_000;
const CHAINS = 12;

/**
 * A register-only loop of f64x2 multiplications and additions, one each per chain and turn: what the core can do
 * without memory, in the instructions that WebAssembly has. Multiplication chains and addition chains are separate,
 * so neither waits for the other.
 */
export function peakLoop(): { readonly run: () => void; readonly flops: number } {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const sums = scope.locals("v128", CHAINS);
    const [x, y] = scope.locals("v128", 2);
    const left = scope.local("i32");
    return [
      ...x.set(v128.loadSplat(int(0))),
      ...y.set(v128.loadSplat(int(8))),
      ...left.set(int(TURNS)),
      ...repeatWhile(
        sums.map((sum, i) =>
          sum.set(i % 2 === 0 ? f64x2.add(sum.get, x.get) : f64x2.multiply(sum.get, y.get)),
        ),
        left.tee(i32.subtract(left.get, int(1))),
      ),
      ...sums.flatMap((sum) => v128.store(int(16), sum.get)),
    ];
  });
  const { Module, Instance } = engine()!;
  const { memory, words } = newKernelMemory(0);
  words.fill(0, 0, 16);
  const { run } = new Instance(new Module(module.bytes(false)), { env: { memory, base: 0 } }).exports;
  return { run, flops: 2 * CHAINS * TURNS };
}
