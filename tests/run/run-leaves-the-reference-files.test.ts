import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { dataSetsOfRows, NAMES, RowDigest, readHdf5 } from "../../src/record/index.ts";
import { quantityData, quantityShape, rowDifference, type StepRow } from "../../src/simulation/index.ts";
import { type LeftRun, MOONS, rowsDifference, runWords, temporaryFolder } from "./small-runs.ts";

const STEPS = 12;
const folder = join(temporaryFolder(), "run");
const told: StepRow[] = [];
let outcome: LeftRun;
beforeAll(async () => {
  outcome = await runWords(folder, [...MOONS, "--steps", String(STEPS), "--checkpoint.frequency", "6"], {
    row: (row) => told.push(row),
  });
});

/** What a run of the reference with these processes writes: path → shape of one step, with eigs, k and pairs open. */
const EVERY = {
  effective_hessian_eigs: "eigs",
  hessian_eigs: "eigs",
  grad_norm_sq: "",
  grad_sq_selected_idx: "25",
  "opt.ess_harmonic_mean": "",
  "opt.ess_mean": "",
  "opt.lr": "",
  "opt.nu_l1": "",
  "opt.nu_selected_idx": "25",
  "opt.t": "",
  test_acc: "",
  test_loss: "",
  test_outputs: "10,1",
  "times/eig": "",
  train_acc: "",
  train_loss: "",
  train_outputs: "10,1",
};
const EIG_LOGS = { "eig_logs/matvec_count": "", "eig_logs/n_iter": "" };
const OPTIMIZER = { ...EVERY, ...EIG_LOGS, "times/grad_and_value": "" };
const STABLE = { ...EVERY, ...EIG_LOGS, substeps: "", "times/substeps": "" };
const CENTRAL = {
  ...EVERY,
  "flow_aux/X": "k,k",
  "flow_aux/dH_dt_X": "pairs,pairs",
  "flow_aux/dH_dt_stable": "pairs",
  "flow_aux/dP_dt_X": "pairs,pairs",
  "flow_aux/dP_dt_stable": "pairs",
  "flow_aux/eig_logs/matvec_count": "",
  "flow_aux/eig_logs/n_iter": "",
  predicted_grad_norm_sq: "",
  predicted_grad_sq_selected_idx: "25",
  predicted_loss: "",
  predicted_variances: "k",
  sigma_trace: "",
  "times/dH": "",
  "times/flow": "",
  "times/grad_and_value": "",
};
const PAIRS = [
  "central-discrete",
  "central-midpoint",
  "central-stable",
  "discrete-midpoint",
  "discrete-stable",
];
const INTEGERS = /(^step|stable\/substeps|matvec_count|n_iter)$/;

function referencePaths(): Map<string, string> {
  const paths = new Map<string, string>([
    ["step", ""],
    ["deltas", "k"],
    ["midpoint_deltas", "k"],
    ...[...PAIRS, "midpoint-stable"].map((pair) => [`distances/${pair}`, ""] as const),
  ]);
  for (const [process, own] of Object.entries({
    discrete: OPTIMIZER,
    midpoint: OPTIMIZER,
    stable: STABLE,
    central: CENTRAL,
  }))
    for (const [key, shape] of Object.entries(own)) paths.set(`${process}/${key}`, shape);
  return paths;
}

test("the run finishes, with all processes alive and rows numbered from the warm start's end", () => {
  expect(outcome.ending).toBe("finished");
  expect(outcome.status).toBe(`finished ${STEPS} steps`);
  expect(Object.values(outcome.processes).map(({ kind }) => kind)).toEqual(Array(4).fill("running"));
  expect(outcome.rows.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => 3 + i));
  expect(quantityData(outcome.rows[0].quantities["discrete/opt.t"])[0]).toBe(4);
});

test("data.hdf5 has every data set of the reference, with its shape and type", async () => {
  const sets = new Map((await readHdf5(join(folder, "data.hdf5"))).map((set) => [set.path, set]));
  const k = sets.get("central/predicted_variances")?.shape[1] ?? 0;
  expect(k).toBeGreaterThan(0);
  const open: Record<string, number> = { k, pairs: (k * (k + 1)) / 2 };
  for (const [path, shape] of referencePaths()) {
    const set = sets.get(path);
    expect(set, path).toBeDefined();
    if (!set) continue;
    expect(set.data instanceof BigInt64Array, path).toBe(INTEGERS.test(path));
    if (shape === "eigs") {
      expect(set.shape.length).toBe(2);
      expect(set.shape[1]).toBeGreaterThanOrEqual(1);
    } else {
      const sizes = shape === "" ? [] : shape.split(",").map((size) => open[size] ?? Number(size));
      expect(set.shape, path).toEqual([STEPS, ...sizes]);
    }
  }
});

test("data.hdf5 holds the rows that the run told of, after which the journal is gone", async () => {
  expect(told.length).toBe(STEPS);
  told.forEach((row, i) => {
    expect(rowDifference(row, outcome.rows[i])).toBeUndefined();
  });
  const stored = await readHdf5(join(folder, NAMES.data));
  const meant = new Map(dataSetsOfRows(told).map((set) => [set.path, set]));
  expect(new Map(stored.map((set) => [set.path, set]))).toEqual(meant);
  expect(existsSync(join(folder, NAMES.journal))).toBe(false);
});

test("outcome.json tells how the run ended, with a digest that the same rows have again", async () => {
  const { head, ...file } = JSON.parse(readFileSync(join(folder, NAMES.outcome), "utf8"));
  const digest = new RowDigest();
  for (const row of told) digest.add(row);
  expect(file).toMatchObject({
    ending: "finished",
    sentence: `finished ${STEPS} steps`,
    exitCode: 0,
    rows: STEPS,
    digest: digest.value,
    backend: outcome.backend,
  });
  expect(file.summary["central/train_loss"]).toBe(told[STEPS - 1].quantities["central/train_loss"]);
  expect(head.engine).toContain(process.versions.node);
});

test("network outputs are in every tenth row, or in those that are asked for", async () => {
  const logged = (rows: readonly StepRow[]) =>
    rows.flatMap(({ index, quantities }) => (quantities["central/train_outputs"] ? [index] : []));
  expect(logged(told)).toEqual([0, 10]);
  const often = await runWords(join(temporaryFolder(), "often"), [
    ...MOONS,
    "--steps",
    "5",
    "--log.outputs-every",
    "2",
  ]);
  expect(logged(often.rows)).toEqual([0, 2, 4]);
});

test("config.json has the reference's groups and keys", () => {
  const json = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
  const eig = [
    "frequency",
    "track_threshold",
    "initial_neigs",
    "solver",
    "tol",
    "chunk_size",
    "raw_eigenvalues",
  ];
  expect(Object.keys(json)).toEqual(
    expect.arrayContaining(
      "opt data arch runs eig_config discrete_config midpoint_config stable_config central_config checkpointer load warm_start steps device seed expid git_hash cmd".split(
        " ",
      ),
    ),
  );
  expect(json.opt).toMatchObject({
    lr: 0.02,
    beta2: 0.95,
    eps: 1e-7,
    bias_correction: true,
    class: "RMSProp",
  });
  expect(json.data).toMatchObject({ n: 20, n_test: 12, noise: 0.2, seed: 10, class: "Moons" });
  expect(json.arch).toMatchObject({ activation: "gelu", width: 8, class: "MLP" });
  expect(json.runs).toEqual(expect.arrayContaining(["central", "discrete", "midpoint", "stable"]));
  expect(Object.keys(json.eig_config)).toEqual([...eig, "class"]);
  for (const process of ["discrete", "midpoint", "stable", "central"])
    expect(Object.keys(json[`${process}_config`].eig)).toEqual(eig);
  expect(json.central_config).toMatchObject({
    nsubsteps: 4,
    sdcp_threshold: 1.95,
    frequency_in_substeps: false,
  });
  expect(json.stable_config).toMatchObject({ min_nsubsteps: 4, max_Seff: 100 });
  expect(json.checkpointer).toMatchObject({ frequency: 6, steps: [] });
  expect(json.load).toMatchObject({ path: null, from_process: null });
});

describe("the authors' tools", () => {
  const python = (script: string, ...argv: string[]): unknown =>
    JSON.parse(execFileSync("python3", ["-c", script, ...argv], { encoding: "utf8" }));
  const has = (module: string): boolean => spawnSync("python3", ["-c", `import ${module}`]).status === 0;

  test("h5py reads the losses of data.hdf5", (ctx) => {
    if (!has("h5py")) {
      console.warn("skipped: no python3 with h5py");
      return ctx.skip();
    }
    const script =
      "import h5py,json,sys\nprint(json.dumps(list(h5py.File(sys.argv[1])['central/train_loss'])))";
    const losses = outcome.rows.map(({ quantities }) => quantityData(quantities["central/train_loss"])[0]);
    expect(python(script, join(folder, "data.hdf5"))).toEqual(losses);
  });

  test("numpy reads the checkpoint, with the reference's arrays", (ctx) => {
    const path = join(folder, "checkpoints", "checkpoint_6.npz");
    expect(existsSync(path)).toBe(true);
    if (!has("numpy")) {
      console.warn("skipped: no python3 with numpy");
      return ctx.skip();
    }
    const script =
      "import numpy,json,sys\nz=numpy.load(sys.argv[1])\n" +
      "print(json.dumps({k:[list(z[k].shape),str(z[k].dtype),float(z[k].ravel()[0])] for k in z if 'eig' not in k and 'plane' not in k and k != 'binding'}))";
    const p = 8 * 2 + 8 + 64 + 8 + 8 + 1;
    const arrays = python(script, path) as Record<string, [number[], string, number]>;
    const sizes = Object.fromEntries(
      Object.entries(arrays).map(([key, [shape, type]]) => [key, [shape, type]]),
    );
    const processes = ["discrete", "midpoint", "central", "stable"];
    expect(sizes).toEqual({
      ...Object.fromEntries(processes.map((process) => [`${process}.w`, [[p], "float64"]])),
      ...Object.fromEntries(processes.map((process) => [`${process}.state`, [[1 + p], "float64"]])),
      "midpoint.w_prev": [[p], "float64"],
      step: [[], "int64"],
    });
    expect(arrays.step[2]).toBe(6);
    // Six steps after a warm start of three: the optimizers' state is as the last step left it, the flows' one ahead.
    expect(arrays["discrete.state"][2]).toBe(9);
    expect(arrays["central.state"][2]).toBeCloseTo(4 + 6 / 0.95, 12);
  });
});

test("checkpoints stand where they were asked for, and a finished run leaves nothing half-made", async () => {
  expect(readdirSync(folder).sort()).toEqual(["checkpoints", "config.json", "data.hdf5", "outcome.json"]);
  const other = join(temporaryFolder(), "run");
  await runWords(other, [...MOONS, "--steps", "5", "--checkpoint.steps", "2", "3"]);
  expect(readdirSync(join(other, "checkpoints")).sort()).toEqual([
    "checkpoint_2.npz",
    "checkpoint_3.npz",
    "latest.npz",
    "resume.npz",
  ]);
});

test("same seed, same bits; another seed, another run", async () => {
  const base = temporaryFolder();
  const words = [...MOONS, "--steps", "4"];
  const [a, b, c] = [
    await runWords(join(base, "a"), words),
    await runWords(join(base, "b"), words),
    await runWords(join(base, "c"), [...words, "--seed", "1"]),
  ];
  expect(rowsDifference(a.rows, b.rows)).toBeUndefined();
  expect(rowsDifference(a.rows, c.rows)).toMatch(/^row 0: /);
});

test("quantities that a step does not have are left out, not zero", () => {
  const first = told[0].quantities;
  expect(first["central/flow_aux/X"]).toBeUndefined();
  expect(quantityShape(first["central/predicted_variances"])).toEqual([0]);
  expect(quantityShape(first.deltas)).toEqual([0]);
});
