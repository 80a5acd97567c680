import type { RunProfile } from "../../simulation/index.ts";

const HEAD = ["stage", "runs", "products", "GFLOP", "GB moved", "seconds", "GFLOP/s"];

const rounded = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "–";

/**
 * The derivatives of a run as a table, a stage a line: how often it ran (one run is one chunk of examples, and one
 * direction for the last two), matrix products, arithmetic, operands and results of all kernels, seconds of all threads
 * together, and the rate.
 */
export function profileText({ threads, preparation, stages }: RunProfile): string {
  const total = { stage: "all", runs: 0, products: 0, flops: 0, bytes: 0, seconds: 0 };
  for (const { runs, products, flops, bytes, seconds } of stages) {
    total.runs += runs;
    total.products += products;
    total.flops += flops;
    total.bytes += bytes;
    total.seconds += seconds;
  }
  const rows = [...stages, total].map(({ stage, runs, products, flops, bytes, seconds }) => [
    stage,
    String(runs),
    String(products),
    rounded(flops / 1e9, 3),
    rounded(bytes / 1e9, 3),
    rounded(seconds, 3),
    rounded(flops / seconds / 1e9, 1),
  ]);
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  "),
  );
  const { trace, plan, compile } = preparation;
  return [
    ...lines,
    `threads ${threads}; seconds to trace ${rounded(trace, 3)}, plan ${rounded(plan, 3)}, compile ${rounded(compile, 3)}`,
  ].join("\n");
}
