import { fusedObstacle } from "../src/autodiff/index.ts";
import { onBackends } from "./kernels.ts";
import { peakLoops, peakRate } from "./peak.ts";
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

/** Matrix products on all backends against what the core's multipliers and adders can do. */
export function gemm(): void {
  console.log("\n### Matrix products\n");
  console.log(
    "m × n × k, with either operand transposed; GFLOP/s. A peak is the best of some loops of f64x2",
  );
  console.log(
    "multiplications and additions in registers, with 8 to 13 independent sums, at the table's beginning.\n",
  );
  const obstacle = fusedObstacle();
  if (obstacle !== undefined) console.log(`Without wasm-fma: ${obstacle}.\n`);
  const kinds = obstacle === undefined ? (["separate", "fused"] as const) : (["separate"] as const);
  const peaks = kinds.map((kind) => {
    progress(`peak, ${kind}`);
    const loops = peakLoops(kind);
    const times = compareTimes(
      loops.map(({ run }) => run),
      0.1,
    );
    return peakRate(
      loops,
      times.map(({ best }) => best),
    );
  });
  console.log(`Peak: ${kinds.map((kind, i) => `${digits(peaks[i])} ${kind}`).join(", ")}.\n`);
  const fma = obstacle === undefined ? ["wasm-fma", "best", "best over its peak"] : [];
  const table = new Table([
    "product",
    "wasm",
    "best",
    "spread",
    "best over peak",
    ...fma,
    "js",
    "wasm over js",
  ]);
  for (const [m, n, k] of SIZES)
    for (const transposeA of [false, true])
      for (const transposeB of [false, true]) {
        const name = `${m}×${n}×${k} ${transposeA ? "Aᵀ" : "A"}${transposeB ? "Bᵀ" : "B"}`;
        progress(`matrix product ${name}`);
        const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
        const backends =
          obstacle === undefined ? (["js", "wasm", "wasm-fma"] as const) : (["js", "wasm"] as const);
        const calls = onBackends(backends, "matmul", { transposeA, transposeB }, shapes, [m, n]);
        const [plain, ...fast] = compareTimes(calls, 0.25);
        const flops = 2 * m * n * k;
        const cells = fast.map(({ median, best, spread }, i) => [
          { ...measured(rate(flops, median), "more"), spread },
          digits(rate(flops, best)),
          percent(rate(flops, best) / peaks[i]),
        ]);
        const [[median, best, share], fusedCells = []] = cells;
        table.row(
          name,
          ...[median, best, percent(fast[0].spread), share],
          ...fusedCells,
          measured(rate(flops, plain.median), "more"),
          digits(plain.median / fast[0].median),
        );
      }
  table.print();
}
