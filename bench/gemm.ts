import { onBothBackends } from "./kernels.ts";
import { peakLoop } from "./peak.ts";
import { digits, measured, percent, progress, Table } from "./table.ts";
import { compareTimes } from "./timing.ts";

const SIZES = [
  [8, 8, 8],
  [64, 64, 64],
  [200, 64, 32],
  [200, 32, 64],
  [1000, 10, 256],
  [1000, 256, 256],
  [1000, 256, 3072],
  [3072, 256, 1000],
] as const;

const rate = (flops: number, milliseconds: number): number => flops / milliseconds / 1e6;

/** Matrix products on both backends against what the core's multipliers and adders can do. */
export function gemm(): void {
  console.log("\n### Matrix products\n");
  console.log(
    "m × n × k, with either operand transposed; GFLOP/s. The peak is a loop of f64x2 multiplications",
  );
  console.log("and additions in registers, interleaved with the products.\n");
  const table = new Table([
    "product",
    "peak",
    "wasm",
    "best",
    "spread",
    "best over peak",
    "js",
    "wasm over js",
  ]);
  const peak = peakLoop();
  for (const [m, n, k] of SIZES)
    for (const transposeA of [false, true])
      for (const transposeB of [false, true]) {
        const name = `${m}×${n}×${k} ${transposeA ? "Aᵀ" : "A"}${transposeB ? "Bᵀ" : "B"}`;
        progress(`matrix product ${name}`);
        const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
        const { js, wasm } = onBothBackends("matmul", { transposeA, transposeB }, shapes, [m, n]);
        const [limit, fast, plain] = compareTimes([peak.run, wasm, js], 0.25);
        const flops = 2 * m * n * k;
        table.row(
          name,
          measured(rate(peak.flops, limit.best), "more"),
          { ...measured(rate(flops, fast.median), "more"), spread: fast.spread },
          digits(rate(flops, fast.best)),
          percent(fast.spread),
          percent(rate(flops, fast.best) / rate(peak.flops, limit.best)),
          measured(rate(flops, plain.median), "more"),
          digits(plain.median / fast.median),
        );
      }
  table.print();
}
