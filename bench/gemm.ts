/** `npx tsx bench/gemm.ts`: matrix products on both backends against what the core's multipliers and adders can do. */
import { onBothBackends } from "./kernels.ts";
import { peakLoop } from "./peak.ts";
import { compareTimes, machine } from "./timing.ts";

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
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

console.log(machine());
console.log("GFLOP/s (median, best), share of the f64x2 peak of the same run, spread; m × n × k");
const peak = peakLoop();
for (const [m, n, k] of SIZES)
  for (const transposeA of [false, true])
    for (const transposeB of [false, true]) {
      const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
      const { js, wasm } = onBothBackends("matmul", { transposeA, transposeB }, shapes, [m, n]);
      const [limit, fast, plain] = compareTimes([peak.run, wasm, js]);
      const flops = 2 * m * n * k;
      const median = rate(flops, fast.median);
      const best = rate(flops, fast.best);
      const share = best / rate(peak.flops, limit.best);
      console.log(
        `${m} × ${n} × ${k} ${transposeA ? "Aᵀ" : "A "}${transposeB ? "Bᵀ" : "B "}`.padEnd(26),
        `wasm ${median.toFixed(1)}, ${best.toFixed(1)}`.padEnd(18),
        percent(share).padStart(6),
        `± ${percent(fast.spread)}`.padEnd(8),
        `js ${rate(flops, plain.median).toFixed(1)}`.padEnd(9),
        `${(plain.median / fast.median).toFixed(1)} times faster`,
      );
    }
