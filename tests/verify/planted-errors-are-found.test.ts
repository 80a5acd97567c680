import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readNpz, type WritableArray, writeNpz } from "../../src/data/index.ts";
import { type Check, verifyAll } from "../../src/verify/index.ts";
import { temporaryFolder } from "../run/small-runs.ts";

const FOLDER = fileURLToPath(new URL("./fixtures", import.meta.url));
const base = temporaryFolder();

type Arrays = Map<string, WritableArray>;

/** A copy of a small case with its arrays changed. */
function changed(name: string, as: string, change: (arrays: Arrays) => void): string {
  const path = join(base, as, `${basename(name)}.json`);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(join(FOLDER, `${name}.json`), path);
  const arrays: Arrays = new Map(readNpz(readFileSync(join(FOLDER, `${name}.npz`))));
  change(arrays);
  writeFileSync(path.replace(/json$/, "npz"), writeNpz(Object.fromEntries(arrays)));
  return path;
}

const checks = (path: string): readonly Check[] =>
  verifyAll([path]).map((verdict) => {
    if ("skipped" in verdict) throw new Error(verdict.skipped);
    return verdict;
  });
const failing = (path: string): string[] =>
  checks(path)
    .filter(({ pass }) => pass !== true)
    .map(({ quantity }) => quantity.replace("opt.", "opt_"))
    .sort();

const sizes = (values: ArrayLike<number>): number[] =>
  Array.from(values, (x) => (Number.isNaN(x) ? 0 : Math.abs(x)));
const largest = (values: ArrayLike<number>): number => Math.max(...sizes(values));

/**
 * What the tolerances of tests/verify/fixtures/README.md are of a trajectory's quantity, in the absolute size of an
 * error in the entry `at` of row `row`: as a fraction of the row, of the run's largest, or as it is.
 */
function allowed(key: string, { data }: WritableArray, width: number, row: number): number {
  const entries = Array.from(data as ArrayLike<number>).slice(row * width, (row + 1) * width);
  const early = key.startsWith("discrete") || key.startsWith("midpoint/");
  if (key.endsWith("train_loss")) return (early ? 1e-8 : 1e-7) * largest(entries);
  if (key.endsWith("eigs")) {
    const above = entries.filter((value) => value >= 1.75).map((value) => value * value);
    return (early ? 1e-8 : 1e-6) * Math.sqrt(above.reduce((a, b) => a + b, 0));
  }
  if (key.endsWith("deltas")) return 1e-3;
  return 1e-4 * largest(data as ArrayLike<number>);
}

/** Trajectory quantities, all but accuracies (exact) off by so many times what is allowed, in their last row's first entry. */
function plant(arrays: Arrays, times: number): string[] {
  const planted: string[] = [];
  for (const [key, array] of arrays) {
    const [steps, width = 1] = array.shape;
    if (steps !== 12 || key.endsWith("train_acc")) continue;
    const row = 11;
    const copy = Float64Array.from(array.data as ArrayLike<number>);
    // A stable flow below the threshold has no eigenvalue that is judged.
    if (Number.isNaN(copy[row * width]) || (key === "stable/effective_hessian_eigs" && copy[row] < 1.75))
      continue;
    copy[row * width] += times * allowed(key, array, width, row) * Math.sign(copy[row * width] || 1);
    arrays.set(key, { shape: array.shape, data: copy });
    planted.push(key);
  }
  return planted.sort();
}

test("an error of three times its tolerance is found in every quantity of a trajectory, of a third in none", () => {
  let planted: string[] = [];
  const far = changed("trajectories/rmsprop_mlp", "far", (arrays) => {
    planted = plant(arrays, 3);
  });
  expect(planted.length).toBeGreaterThan(40);
  for (const key of ["deltas", "midpoint_deltas", "central/predicted_variances", "stable/grad_norm_sq"])
    expect(planted).toContain(key);
  expect(failing(far)).toEqual(planted);
  const near = changed("trajectories/rmsprop_mlp", "near", (arrays) => plant(arrays, 1 / 3));
  expect(failing(near)).toEqual([]);
});

test("deltas have free signs, and none is judged where two variances of the step are within 1 %", () => {
  const path = changed("trajectories/gd_mlp_ce", "signs", (arrays) => {
    // The last row is the one with two variances; the second is put beside the first.
    const variances = arrays.get("central/predicted_variances")!;
    const close = Float64Array.from(variances.data as ArrayLike<number>);
    expect(close.length).toBe(64);
    close[63] = 0.995 * close[62];
    arrays.set("central/predicted_variances", { shape: [32, 2], data: close });
    for (const key of ["deltas", "midpoint_deltas"]) {
      const free = Float64Array.from(arrays.get(key)!.data as ArrayLike<number>, (x) => -x);
      free[63] += 0.1;
      arrays.set(key, { shape: [32, 2], data: free });
    }
  });
  expect(failing(path)).toEqual(["central/predicted_variances"]);
});

test.each([
  ["loss", 1e-10],
  ["outputs", 1e-10],
  ["accuracy", 0],
  ["gradient", 1e-10],
  ["Hu", 1e-10],
  ["Hv", 1e-10],
  ["uHv", 1e-10],
  ["d3_uu", 1e-9],
  ["d3_uv", 1e-9],
])("derivatives: three times the tolerance in %s is found, a third is not", (key, tolerance) => {
  const off = (times: number) => (arrays: Arrays) => {
    const { shape, data } = arrays.get(key)!;
    const copy = Float64Array.from(data as ArrayLike<number>);
    const norm = Math.sqrt(copy.reduce((total, x) => total + x * x, 0));
    copy[0] += times * (tolerance || 1e-15) * norm;
    arrays.set(key, { shape, data: copy });
  };
  expect(failing(changed("derivatives/mlp_binary_ce", "far", off(3)))).toEqual([key]);
  if (tolerance > 0) expect(failing(changed("derivatives/mlp_binary_ce", "near", off(1 / 3)))).toEqual([]);
});

test("optimizers: an error at one recorded point is found though it is small beside the others", () => {
  const path = changed("optimizers/optimizers", "late", (arrays) => {
    for (const [key, { shape, data }] of arrays) {
      if (!/\/(loss|w_every_10)$/.test(key)) continue;
      const copy = Float64Array.from(data as ArrayLike<number>);
      const width = shape[1] ?? 1;
      const last = copy.subarray(copy.length - width);
      const norm = Math.sqrt(last.reduce((total, x) => total + x * x, 0));
      last[0] += 3e-9 * norm;
      arrays.set(key, { shape, data: copy });
    }
  });
  expect(failing(path)).toEqual([...Array(4).fill("loss"), ...Array(4).fill("w_every_10")]);
});

test("every check names the rule that its tolerance comes from, with the number in it", () => {
  const small = ["derivatives/mlp_binary_ce", "optimizers/optimizers"].map((name) =>
    join(FOLDER, `${name}.json`),
  );
  for (const path of small)
    for (const { rule, tolerance } of checks(path))
      expect(rule).toContain(tolerance === 0 ? "exact" : tolerance.toExponential());
});
