import { availableParallelism, cpus, totalmem } from "node:os";
import {
  type Backend,
  compile,
  fusedObstacle,
  matmul,
  selectBackend,
  type Tensor,
} from "../../autodiff/index.ts";
import { Random } from "../../base/index.ts";
import { version } from "../terminal/version.ts";
import { command, noWords } from "./command.ts";
import { json } from "./shared-settings.ts";

/** Measures this many milliseconds of products. */
const MEASURE_MS = 400;

/** GFLOP/s of a float64 product of the given sizes on a backend. */
function productRate(backend: Backend, m: number, k: number, n: number): number {
  const product = compile(
    (a: Tensor, b: Tensor) => matmul(a, b),
    [
      [m, k],
      [k, n],
    ],
    { backend },
  );
  const random = new Random(0, "info");
  const inputs = [random.fillNormal(new Float64Array(m * k)), random.fillNormal(new Float64Array(k * n))];
  const outputs = [new Float64Array(m * n)];
  product.run(inputs, outputs);
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < MEASURE_MS) {
    product.run(inputs, outputs);
    calls++;
  }
  return (2 * m * n * k * calls) / (performance.now() - start) / 1e6;
}

/** What the machine is and what the engine makes of it. */
export const info = command({
  name: "info",
  usage: "[--json]",
  summary: "machine, backends, threads, speed",
  about: [
    "Prints the machine, the backends it can run, its threads and the measured rate of matrix products.",
  ],
  settings: { json: json("print them as JSON") },
  example: "info --json",
  words: (positionals) => noWords("info", positionals),
  run({ json }) {
    const { backend, notice } = selectBackend("auto");
    const rate = (m: number, k: number, n: number): number =>
      Number(productRate(backend, m, k, n).toFixed(2));
    const found = {
      version: version(),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
      backend: backend.name,
      ...(notice !== undefined && { notice }),
      simd: backend.name === "wasm",
      fma: fusedObstacle() ?? true,
      threads: Math.min(availableParallelism(), backend.mostThreads?.() ?? 1),
      gemmGflops: { "200x64x32": rate(200, 64, 32), "1000x256x256": rate(1000, 256, 256) },
    };
    if (json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    else {
      for (const [key, value] of Object.entries(found))
        process.stdout.write(
          `${key.padEnd(12)} ${
            typeof value === "object"
              ? Object.entries(value)
                  .map(([size, rate]) => `${size}: ${rate}`)
                  .join(", ")
              : value
          }\n`,
        );
    }
    return 0;
  },
});
