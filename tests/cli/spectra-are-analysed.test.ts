import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { analyse } from "../../src/cli/commands/analyse.ts";
import { writeNpz } from "../../src/data/index.ts";
import { readHdf5, readStoredRows } from "../../src/record/index.ts";
import { columnsOf } from "../../src/report/index.ts";
import { exportWeights } from "../../src/run/index.ts";
import { MOONS, rowsIn, runWords } from "../run/small-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "analyse-"));
const run = join(folder, "run");
/** Small enough for a test. */
const FEW = "--largest 2 --smallest 2 --probes 2 --lanczos-steps 8 --trace-products 9".split(" ");

beforeAll(async () => {
  await runWords(run, [...MOONS, "--steps", "6", "--checkpoint.steps", "2", "4"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the command prints for words. */
async function analysed(...words: string[]): Promise<string> {
  let text = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((words) => {
    text += words;
    return true;
  });
  const error = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    expect(await analyse.run(analyse.read!([...words, ...FEW]))).toBe(0);
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
  return text;
}

async function pointsOf(...words: string[]) {
  return JSON.parse(await analysed(...words, "--json")).points;
}

test("with the optimizer's P the ends are the effective sharpness that the run logged at that step", async () => {
  const rows = await rowsIn(run);
  for (const process of ["discrete", "stable", "central"]) {
    const [point] = await pointsOf(run, "--step", "4", "--process", process, "--preconditioned");
    expect(point.step).toBe(rows[4].step);
    const logged = columnsOf(rows, `${process}/effective_hessian_eigs`)[0][4];
    const [found] = point.spectra[0].largest;
    expect(Math.abs(found - logged)).toBeLessThanOrEqual(1e-8 * Math.abs(logged));
  }
});

test("along a run: a line for each checkpoint, which says its step; the HDF5 file holds what was printed, and vectors", async () => {
  const output = join(folder, "along.html");
  const text = await analysed(run, "--every", "2", "--output", output);
  const lines = text.split("\n").filter((line) => line.startsWith("step"));
  expect(lines.map((line) => line.split("  ")[0])).toEqual([
    "step 5 (checkpoint 2)",
    "step 7 (checkpoint 4)",
    "step 9 (checkpoint 6)",
  ]);
  expect(readFileSync(output, "utf8")).toContain("Along the run: all weights");
  const points = await pointsOf(run, "--every", "2", "--output", output);
  const { rowCount, rows } = await readStoredRows(join(folder, "along.hdf5"));
  expect(rowCount).toBe(3);
  for (const { index, step, quantities } of rows()) {
    const [{ largest, trace }] = points[index].spectra;
    expect(step).toBe(points[index].step);
    expect(quantities["hessian/all_weights/largest"]).toMatchObject({ data: Float64Array.from(largest) });
    expect(quantities["hessian/all_weights/trace"]).toBe(trace);
  }
  const vectors = (await readHdf5(join(folder, "along.hdf5"))).find(
    ({ path }) => path === "hessian/all_weights/smallest_vectors",
  );
  expect(vectors?.shape.slice(0, 2)).toEqual([3, 2]);
});

test("blocks by name; in the last layer, in which outputs are linear, H is G", async () => {
  const [{ spectra }] = await pointsOf(run, "--step", "2", "--blocks", "layers");
  expect([...new Set(spectra.map(({ block }: { block: string }) => block))]).toEqual([
    "all weights",
    "1",
    "3",
    "5",
  ]);
  // The last layer has as many weights as the trace has products: it is exact. Its outputs are linear in it.
  const last = spectra.slice(-3).map(({ trace, traceError }: { trace: number; traceError: number }) => {
    expect(traceError).toBe(0);
    return trace;
  });
  expect(last[0]).toBeGreaterThan(0);
  expect(Math.abs(last[0] - last[1])).toBeLessThanOrEqual(1e-14 * last[0]);
  expect(Math.abs(last[2])).toBeLessThanOrEqual(1e-14 * last[0]);
});

test("words of a run with --init give what its checkpoint gives; without, the first weights", async () => {
  const weights = join(folder, "weights.npz");
  exportWeights(run, weights, { process: "discrete", step: 4 });
  const output = join(folder, "words.html");
  const [there] = await pointsOf(run, "--step", "4", "--part", "hessian");
  const [here] = await pointsOf(...MOONS, "--init", weights, "--part", "hessian", "--output", output);
  expect(here.spectra).toEqual(there.spectra);
  const [first] = await pointsOf(...MOONS, "--part=hessian", "--output", output);
  expect(first.name).toBe("start");
  expect(first.spectra[0].largest).not.toEqual(there.spectra[0].largest);
});

test("misuse is a sentence", async () => {
  const wrong = join(folder, "wrong.npz");
  writeFileSync(wrong, writeNpz({ w: { shape: [3], data: new Float64Array(3) } }));
  const cases: readonly (readonly [words: readonly string[], message: RegExp])[] = [
    [[run, "--step", "5"], /^analyse --step: expected a step with a checkpoint \(2, 4, 6\), got 5/],
    [
      [run, "--every", "5"],
      /^analyse --every: expected a number that divides a step with a checkpoint \(2, 4, 6\)/,
    ],
    [[join(folder, "none")], /^analyse: expected the folder of a run/],
    [[run, "--process", "ablated"], /^--process: expected discrete, midpoint/],
    [[], /^analyse: expected the folder of a run, or the words of one, got none/],
    [[run, "--proces", "central"], /did you mean --process/],
    [[run, "--step", "2", "--every", "2"], /^analyse: expected either --step or --every/],
    [[...MOONS, "--step", "2"], /^analyse: expected the folder of a run with --step/],
    [[...MOONS, "--init", wrong], /105/],
    [["--frobnicate", "3"], /--frobnicate/],
  ];
  for (const [words, message] of cases) {
    const { length } = words;
    // No words at all would leave the test's own.
    const attempt = async () => analyse.run(analyse.read!(length === 0 ? [] : [...words, ...FEW]));
    await expect(attempt, words.join(" ")).rejects.toThrow(message);
  }
});
