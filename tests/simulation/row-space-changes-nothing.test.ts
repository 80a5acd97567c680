import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNpz } from "../../src/data/index.ts";
import { exportWeights } from "../../src/run/index.ts";
import { buildRun, isWallClock, type Quantity, type StepRow } from "../../src/simulation/index.ts";
import { configOf, resumeRun, rowsDifference, runWords, temporaryFolder } from "../run/small-runs.ts";

/** Twelve points in 40 dimensions, and seven to test by, which are not in their span. */
const POINTS = (
  "data:classification --data.n=12 --data.n-test=7 --data.n-features=40 --data.classes=3 --data.criterion=mse arch:mlp --arch.width=5 --runs discrete central stable " +
  "--eig.frequency 1 --eig.tol=1e-10 --eig.initial-neigs 3 --discrete.precision float64"
).split(" ");
const RULES = [
  ["gd", "opt:gd --opt.lr=0.5"],
  ["scalar-rmsprop", "opt:scalar-rmsprop --opt.lr=0.3 --opt.beta2=0.9"],
] as const;

const base = temporaryFolder();
const words = (rule: string, rowSpace: string, ...more: string[]): string[] => [
  ...rule.split(" "),
  ...POINTS,
  `--row-space=${rowSpace}`,
  ...more,
];

/** Numbers that count work or are about vectors of a start that is drawn. */
const OF_THE_SOLVER = /matvec_count|n_iter|residuals|condition|gap/;

/** The largest difference of two rows' quantities, against what is allowed of their size where that is above 1e-3. */
function largestDifference(a: StepRow, b: StepRow): readonly [number, string] {
  let worst: readonly [number, string] = [0, ""];
  for (const [path, value] of Object.entries(a.quantities)) {
    if (isWallClock(path) || OF_THE_SOLVER.test(path)) continue;
    const [x, y] = [numbers(value), numbers(b.quantities[path])];
    expect(y.length, path).toBe(x.length);
    // Eigenvectors have no sign, nor has a coordinate along one; those below the edge are found to some 1e-4 only.
    const alongEigenvector = /^plane|delta/.test(path);
    for (let i = 0; i < x.length; i++) {
      if (Number.isNaN(x[i]) && Number.isNaN(y[i])) continue;
      const apart = alongEigenvector ? Math.abs(x[i]) - Math.abs(y[i]) : x[i] - y[i];
      const allowed = (alongEigenvector ? 1e-3 : 1e-5) * Math.max(Math.abs(x[i]), 1e-3);
      if (!(Math.abs(apart) / allowed <= worst[0]))
        worst = [Math.abs(apart) / allowed, `${path}[${i}] of row ${a.index}`];
    }
  }
  return worst;
}

const numbers = (value: Quantity): Float64Array =>
  typeof value === "number" ? Float64Array.of(value) : Float64Array.from(value.data);

test.each(RULES)(
  "%s: everything that is logged is what it is over the network's own weights, test examples included",
  async (name, rule) => {
    const runs = await Promise.all(
      ["on", "off"].map((each) => runWords(join(base, `${name}-${each}`), words(rule, each, "--steps=22"))),
    );
    const [on, off] = runs.map(({ rows }) => rows);
    expect(Object.keys(on[0].quantities)).toEqual(Object.keys(off[0].quantities));
    for (const [i, row] of on.entries()) {
      const [difference, where] = largestDifference(row, off[i]);
      expect(difference, where).toBeLessThan(1);
    }
    expect(numbers(on[20].quantities["central/effective_hessian_eigs"])[0]).toBeGreaterThan(1.9);
  },
);

const GD = RULES[0][1];

test("a run that is stopped goes on to the same bits, and its files hold the network's weights", async () => {
  const plain = words(GD, "on");
  const whole = await runWords(join(base, "whole"), [...plain, "--steps=12"]);
  await runWords(join(base, "parts"), [...plain, "--steps=7", "--checkpoint.steps=4"]);
  const resumed = await resumeRun(join(base, "parts"), 12);
  expect(rowsDifference(resumed.rows, whole.rows)).toBeUndefined();
  await runWords(join(base, "other"), [...words(GD, "off"), "--steps=12"]);
  const [on, off] = ["parts", "other"].map((name) => {
    const file = join(base, `${name}.npz`);
    exportWeights(join(base, name), file, { process: "central", step: null });
    return readNpz(readFileSync(file));
  });
  expect([...on.keys()]).toEqual([...off.keys()]);
  for (const [name, { shape, data }] of on) {
    expect(shape).toEqual(off.get(name)!.shape);
    const difference = data.reduce((most, w, i) => Math.max(most, Math.abs(w - off.get(name)!.data[i])), 0);
    expect(difference, name).toBeLessThan(1e-9);
  }
  // Another run may start from such a checkpoint, over the network's own weights.
  const from = join(base, "parts", "checkpoints", "checkpoint_4.npz");
  const next = await runWords(join(base, "next"), [...words(GD, "auto"), "--steps=3", "--load.path", from]);
  const loss = (rows: readonly StepRow[], row: number) =>
    numbers(rows[row].quantities["discrete/train_loss"])[0];
  for (const row of [0, 1, 2]) expect(loss(next.rows, row)).toBeCloseTo(loss(whole.rows, 4 + row), 12);
});

test("same bits on every backend and for any number of threads", async () => {
  const runs = await Promise.all(
    ["--backend=js", "--backend=wasm --threads=1", "--backend=wasm --threads=2"].map((each, i) =>
      runWords(join(base, `bits-${i}`), [...words(GD, "on"), "--steps=6", "--chunk=5", ...each.split(" ")]),
    ),
  );
  for (const { rows } of runs) expect(rowsDifference(rows, runs[0].rows)).toBeUndefined();
});

test("the start is the network's, split into what moves and what rests", () => {
  const built = ["on", "off"].map((each) => buildRun(configOf(...words(GD, each), "--steps=1"), {}));
  const { coordinates, start } = built[0];
  const network = built[1].start;
  expect(coordinates).toMatchObject({ dimension: network.length, inputs: 40, rank: 12 });
  expect(start.length).toBe(network.length - 5 * (40 - 12));
  const back = coordinates!.toNetwork(start);
  for (let l = 0; l < network.length; l++) expect(Math.abs(back[l] - network[l])).toBeLessThan(1e-14);
});

test.each([
  ["opt:rmsprop --opt.lr=0.01 --opt.beta2=0.99", /keeps numbers for each weight/],
  ["opt:heavy-ball --opt.lr=0.1", /keeps numbers for each weight/],
  ["opt:gd --opt.lr=0.1 --opt.weight-decay=0.1", /weight decay/],
  ["opt:gd --opt.lr=0.1 --opt.centralize=gradient", /centralize/],
  ["opt:gd --opt.lr=0.1 --load.path=elsewhere.npz", /--load\.path/],
])("%s leaves the row space, and is told so where it is asked for", (rule, reason) => {
  const config = (rowSpace: string) => configOf(...words(rule, rowSpace), "--steps=1");
  expect(() => buildRun(config("on"), {})).toThrow(reason);
  expect(() => buildRun(config("on"), {})).toThrow("--row-space on: expected");
  const { coordinates, dispose } = buildRun(config("auto"), {});
  expect(coordinates).toBeUndefined();
  dispose();
});

test("it is chosen where the first layer is large and the examples are few, and only there", () => {
  const chosen = (n: number, features: number, width: number): boolean => {
    const { coordinates, dispose } = buildRun(
      configOf(
        ..."opt:gd --opt.lr=0.1 data:classification arch:mlp --steps=1 --runs=central".split(" "),
        `--data.n=${n}`,
        `--data.n-features=${features}`,
        `--arch.width=${width}`,
      ),
      {},
    );
    dispose();
    return coordinates !== undefined;
  };
  expect(chosen(100, 1000, 200)).toBe(true);
  expect(chosen(100, 1000, 20)).toBe(false);
  expect(chosen(300, 350, 200)).toBe(false);
});
