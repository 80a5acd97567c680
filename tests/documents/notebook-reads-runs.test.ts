import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { quantityData, type StepRow } from "../../src/simulation/index.ts";
import { MOONS, runWords, temporaryFolder } from "../run/small-runs.ts";
import { ROOT } from "../support/build.ts";
import { findPython } from "../support/python.ts";

interface Cell {
  readonly cell_type: "markdown" | "code";
  readonly id: string;
  readonly source: readonly string[];
  readonly outputs?: readonly unknown[];
  readonly execution_count?: number | null;
}

const notebook = JSON.parse(readFileSync(join(ROOT, "examples", "notebook", "read-a-run.ipynb"), "utf8")) as {
  readonly cells: readonly Cell[];
  readonly nbformat: number;
};
const code = notebook.cells
  .filter(({ cell_type }) => cell_type === "code")
  .map(({ source }) => source.join(""))
  .join("\n\n");

const folder = temporaryFolder();

/** Printed after the cells: what they read and computed, NaN as null. */
const QUESTIONS = `
def plain(values):
    values = np.asarray(values, dtype=float)
    return np.where(np.isfinite(values), values, None).tolist()

print("\\n" + json.dumps({
    "step": plain(step),
    "loss": {process: plain(values) for process, values in loss.items()},
    "sharpness": {process: plain(values) for process, values in sharpness.items()},
    "predictedLoss": plain(predicted_loss),
    "predicted": plain(predicted),
    "squares": plain(squares),
    "distances": {pair: plain(values) for pair, values in distances.items()},
    "logged": np.flatnonzero(logged).tolist(),
    "difference": plain(difference),
    "warm": plain(warm_step),
    "edge": edge,
    "lr": config["opt"]["lr"],
    "row": row,
    "between": between,
    "paths": [path for path, *_ in contents],
}))`;

const first = (path: string) => (row: StepRow) => quantityData(row.quantities[path])[0];

test("the notebook is nbformat 4 without outputs; every code cell follows its explanation", () => {
  expect(notebook.nbformat).toBe(4);
  expect(new Set(notebook.cells.map(({ id }) => id)).size).toBe(notebook.cells.length);
  expect(notebook.cells.length).toBeGreaterThan(20);
  notebook.cells.forEach(({ cell_type, outputs, execution_count }, i) => {
    expect(cell_type).toBe(i % 2 === 0 ? "markdown" : "code");
    if (cell_type === "code") expect([outputs, execution_count]).toEqual([[], null]);
  });
});

test("its cells, run as one script, read what the run logged, and draw it", async (ctx) => {
  const python = findPython("h5py", "numpy", "matplotlib");
  if (!python) return ctx.skip();
  const run = join(folder, "run");
  // As the run hands them out, before any file.
  const rows: StepRow[] = [];
  const { summary } = await runWords(run, [...MOONS, "--steps", "24", "--checkpoint.frequency", "8"], {
    row: (row) => rows.push(row),
  });
  const printed = execFileSync(python, ["-W", "error", "-c", code + QUESTIONS], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, MPLBACKEND: "Agg", MPLCONFIGDIR: folder, CENTRAL_FLOWS_RUN: run },
  });
  const seen = JSON.parse(printed.slice(printed.lastIndexOf("\n{")));

  expect(rows).toHaveLength(24);
  expect(seen.step).toEqual(rows.map(({ step }) => step));
  for (const process of ["discrete", "midpoint", "central", "stable"]) {
    expect(seen.loss[process]).toEqual(rows.map(first(`${process}/train_loss`)));
    expect(seen.loss[process].at(-1)).toBe(summary[`${process}/train_loss`]);
    expect(seen.sharpness[process]).toEqual(rows.map(first(`${process}/effective_hessian_eigs`)));
  }
  expect(seen.predictedLoss).toEqual(rows.map(first("central/predicted_loss")));
  expect(Object.keys(seen.distances)).toHaveLength(6);
  for (const pair of Object.keys(seen.distances))
    expect(seen.distances[pair]).toEqual(rows.map(first(`distances/${pair}`)));

  // Sums over the directions at the edge, which there are in some rows.
  const sums = (path: string, of: (x: number) => number): number[] =>
    rows.map(({ quantities }) => {
      const vector = quantities[path];
      return vector === undefined ? 0 : Array.from(quantityData(vector)).reduce((sum, x) => sum + of(x), 0);
    });
  const variances = sums("central/predicted_variances", (x) => x);
  expect(Math.max(...variances)).toBeGreaterThan(0);
  const agree = (found: number[], wanted: number[]): void => {
    expect(found).toHaveLength(wanted.length);
    wanted.forEach((x, i) => {
      expect(Math.abs(found[i] - x)).toBeLessThanOrEqual(8 * Number.EPSILON * Math.abs(x));
    });
  };
  agree(seen.predicted, variances);
  agree(
    seen.squares,
    sums("midpoint_deltas", (x) => x * x),
  );

  const withOutputs = rows.filter(({ quantities }) => "discrete/test_outputs" in quantities);
  expect(seen.logged).toEqual(withOutputs.map(({ index }) => index));
  agree(
    seen.difference,
    withOutputs.map(({ quantities }) => {
      const theirs = quantityData(quantities["central/test_outputs"]);
      const squares = Array.from(quantityData(quantities["discrete/test_outputs"])).map(
        (x, i) => (x - theirs[i]) ** 2,
      );
      return Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / squares.length);
    }),
  );
  const warm = rows.filter(({ quantities }) => "warm_start/step" in quantities);
  expect(warm.length).toBeGreaterThan(0);
  expect(seen.warm).toEqual(warm.map(first("warm_start/step")));
  expect([seen.edge, seen.lr, seen.row]).toEqual([2, 0.02, 16]);
  agree([seen.between], [first("distances/central-discrete")(rows[16]) as number]);
  expect(new Set(seen.paths)).toEqual(
    new Set(["step", ...rows.flatMap(({ quantities }) => Object.keys(quantities))]),
  );

  const figures = readdirSync(join(run, "figures"));
  expect(figures.sort()).toEqual(
    ["distances", "loss", "outputs", "plane", "sharpness", "variances", "warm-start"].map(
      (name) => `${name}.png`,
    ),
  );
  for (const name of figures) {
    const png = readFileSync(join(run, "figures", name));
    expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect(png.length).toBeGreaterThan(5000);
  }
});
