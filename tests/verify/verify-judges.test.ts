import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Random } from "../../src/base/index.ts";
import { readNpz, type WritableArray, writeNpz } from "../../src/data/index.ts";
import { fixtureFiles, type Verdict, verifyAll } from "../../src/verify/index.ts";
import { relativeError } from "../../src/verify/verdict.ts";
import { temporaryFolder } from "../run/small-runs.ts";

/**
 * A multilayer perceptron with SiLU and the mean squared error against one-hot labels, in plain loops of its own:
 * value and gradient by hand, products with the Hessian and third derivatives by differences of the gradient.
 */
const [N, IN, WIDTH, OUT] = [5, 3, 4, 2];
const P = WIDTH * IN + WIDTH + WIDTH * WIDTH + WIDTH + OUT * WIDTH + OUT;
const random = new Random(5, "verify");
const normal = (length: number, scale = 1): Float64Array =>
  random.fillNormal(new Float64Array(length)).map((entry) => scale * entry);
const inputs = normal(N * IN);
const labels = [0, 1, 1, 0, 1];
const w = normal(P, 0.4);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const silu = (x: number): number => x * sigmoid(x);
const siluSlope = (x: number): number => sigmoid(x) * (1 + x * (1 - sigmoid(x)));

function plainLoss(at: Float64Array): { loss: number; gradient: Float64Array; outputs: Float64Array } {
  const sizes = [WIDTH * IN, WIDTH, WIDTH * WIDTH, WIDTH, OUT * WIDTH, OUT];
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const affine = (x: number[], layer: number, rows: number): number[] =>
    Array.from({ length: rows }, (_, r) =>
      x.reduce(
        (total, entry, c) => total + at[starts[2 * layer] + r * x.length + c] * entry,
        at[starts[2 * layer + 1] + r],
      ),
    );
  const gradient = new Float64Array(P);
  const outputs = new Float64Array(N * OUT);
  let loss = 0;
  for (let n = 0; n < N; n++) {
    const x = Array.from(inputs.subarray(n * IN, (n + 1) * IN));
    const z1 = affine(x, 0, WIDTH);
    const a1 = z1.map(silu);
    const z2 = affine(a1, 1, WIDTH);
    const a2 = z2.map(silu);
    const f = affine(a2, 2, OUT);
    outputs.set(f, n * OUT);
    const error = f.map((entry, c) => entry - (labels[n] === c ? 1 : 0));
    loss += error.reduce((total, e) => total + e * e, 0) / (2 * N);
    const back = (delta: number[], layer: number, x: number[]): number[] => {
      const out = x.map(() => 0);
      delta.forEach((d, r) => {
        gradient[starts[2 * layer + 1] + r] += d;
        x.forEach((entry, c) => {
          gradient[starts[2 * layer] + r * x.length + c] += d * entry;
          out[c] += d * at[starts[2 * layer] + r * x.length + c];
        });
      });
      return out;
    };
    const d3 = error.map((e) => e / N);
    const d2 = back(d3, 2, a2).map((d, i) => d * siluSlope(z2[i]));
    const d1 = back(d2, 1, a1).map((d, i) => d * siluSlope(z1[i]));
    back(d1, 0, x);
  }
  return { loss, gradient, outputs };
}

/** The derivative of a vector function at 0 to the eighth order in the step. */
function derivative(f: (t: number) => Float64Array, step: number): Float64Array {
  const weights = [4 / 5, -1 / 5, 4 / 105, -1 / 280];
  const out = new Float64Array(P);
  weights.forEach((weight, i) => {
    const [plus, minus] = [f((i + 1) * step), f(-(i + 1) * step)];
    for (let l = 0; l < P; l++) out[l] += (weight * (plus[l] - minus[l])) / step;
  });
  return out;
}

const moved = (base: Float64Array, direction: Float64Array, t: number): Float64Array =>
  base.map((entry, l) => entry + t * direction[l]);
const hvp = (base: Float64Array, v: Float64Array): Float64Array =>
  derivative((t) => plainLoss(moved(base, v, t)).gradient, 0.02);
/** D³L[u, v, ·] = d/dt H(w + t·u) v. */
const third = (u: Float64Array, v: Float64Array): Float64Array =>
  derivative((t) => hvp(moved(w, u, t), v), 0.02);

function unit(): Float64Array {
  const u = normal(P);
  const length = Math.hypot(...u);
  return u.map((entry) => entry / length);
}

const list = (data: ArrayLike<number>, ...shape: number[]): WritableArray => ({
  shape: shape.length > 0 ? shape : [data.length],
  data: Float64Array.from(data),
});
const scalar = (value: number): WritableArray => ({ shape: [], data: Float64Array.of(value) });

const META = {
  architecture: "mlp",
  options: { activation: "silu", width: WIDTH },
  criterion: "mse",
  input_shape: [IN],
  output_dim: OUT,
  parameters: [
    ["1.weight", [WIDTH, IN]],
    ["1.bias", [WIDTH]],
    ["3.weight", [WIDTH, WIDTH]],
    ["3.bias", [WIDTH]],
    ["5.weight", [OUT, WIDTH]],
    ["5.bias", [OUT]],
  ],
  n_parameters: P,
  third_derivative_vs_finite_difference: 0,
};

function derivativesCase(): Record<string, WritableArray> {
  const [u, v] = [unit(), unit()];
  const { loss, gradient, outputs } = plainLoss(w);
  const [Hu, Hv] = [hvp(w, u), hvp(w, v)];
  const right = labels.filter(
    (label, n) => (outputs[n * OUT + 1] > outputs[n * OUT] ? 1 : 0) === label,
  ).length;
  return {
    w: list(w),
    inputs: list(inputs, N, IN),
    labels: { dtype: "<i8", shape: [N], data: labels },
    u: list(u),
    v: list(v),
    outputs: list(outputs, N, OUT),
    loss: scalar(loss),
    accuracy: scalar(right / N),
    gradient: list(gradient),
    Hu: list(Hu),
    Hv: list(Hv),
    uHv: scalar(u.reduce((total, entry, l) => total + entry * Hv[l], 0)),
    d3_uv: list(third(u, v)),
    d3_uu: list(third(u, u)),
  };
}

/** Stable flow and gradient descent from w, in plain loops: four Euler substeps, as 2·S_eff stays below four. */
const [LR, STEPS] = [0.05, 6];
function trajectoryCase(): Record<string, WritableArray> {
  const logs: Record<string, number[]> = {};
  const log = (key: string, value: number): void => {
    logs[key] ??= [];
    logs[key].push(value);
  };
  const step = (at: Float64Array, lr: number): Float64Array => moved(at, plainLoss(at).gradient, -lr);
  let [discrete, stable] = [w, w];
  for (let t = 0; t < STEPS; t++) {
    for (const [name, at] of [
      ["discrete", discrete],
      ["stable", stable],
    ] as const) {
      const { loss, gradient } = plainLoss(at);
      log(`${name}/train_loss`, loss);
      log(
        `${name}/grad_norm_sq`,
        gradient.reduce((total, g) => total + g * g, 0),
      );
      log(`${name}/opt_t`, t + 1);
      log(`${name}/opt_lr`, LR);
    }
    log("distances/discrete-stable", Math.hypot(...discrete.map((entry, l) => entry - stable[l])));
    discrete = step(discrete, LR);
    for (let i = 0; i < 4; i++) stable = step(stable, LR / 4);
  }
  return {
    w0: list(w),
    inputs: list(inputs, N, IN),
    labels: { dtype: "<i8", shape: [N], data: labels },
    ...Object.fromEntries(Object.entries(logs).map(([key, values]) => [key, list(values)])),
    "final_w/discrete": list(discrete),
    "final_w/stable": list(stable),
  };
}

const TRAJECTORY_META = {
  architecture: "mlp",
  architecture_options: META.options,
  criterion: "mse",
  input_shape: [IN],
  output_dim: OUT,
  parameters: META.parameters,
  optimizer: "GradientDescent",
  optimizer_options: { lr: LR },
  runs: ["discrete", "stable"],
  steps: STEPS,
  warm_start: 0,
  eig: { frequency: 1, track_threshold: 1.5, initial_neigs: 1, tol: 1e-12 },
  central: { nsubsteps: 4, sdcp_threshold: 1.95 },
  stable: { min_nsubsteps: 4, max_Seff: 100 },
};

const base = temporaryFolder();
function write(name: string, meta: object, arrays: Record<string, WritableArray>): string {
  const folder = join(base, name.split("/")[0]);
  mkdirSync(folder, { recursive: true });
  const path = join(base, `${name}.json`);
  writeFileSync(path, JSON.stringify(meta));
  writeFileSync(join(base, `${name}.npz`), writeNpz(arrays));
  return path;
}

const derivatives = derivativesCase();
const derivativesPath = write("derivatives/small", META, derivatives);
const trajectory = trajectoryCase();
write("trajectories/small", TRAJECTORY_META, trajectory);

const failing = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap((verdict) => ("pass" in verdict && verdict.pass === false ? [verdict.quantity] : []));

/** A copy of an array with one entry, of the largest size, off by a relative amount. */
function harmed({ shape, data, ...rest }: WritableArray, by: number): WritableArray {
  const copy = Float64Array.from(data as ArrayLike<number>);
  const sizes = Array.from(copy, Math.abs);
  const at = sizes.indexOf(Math.max(...sizes));
  copy[at] *= 1 + by;
  return { ...rest, shape, data: copy } as WritableArray;
}

test("a case written by independent loops passes in every quantity", () => {
  const verdicts = verifyAll(fixtureFiles(base));
  expect(failing(verdicts)).toEqual([]);
  const quantities = verdicts.map((verdict) =>
    "quantity" in verdict ? `${verdict.case} ${verdict.quantity}` : "",
  );
  for (const key of ["outputs", "loss", "accuracy", "gradient", "Hu", "Hv", "uHv", "d3_uv", "d3_uu"])
    expect(quantities).toContain(`derivatives/small ${key}`);
  for (const key of Object.keys(trajectory).filter((name) => name.includes("/")))
    expect(quantities).toContain(`trajectories/small ${key.replace("opt_", "opt.")}`);
});

test.each([
  ["outputs", 1e-8],
  ["loss", 1e-8],
  ["accuracy", 1e-3],
  ["gradient", 1e-8],
  ["Hu", 1e-8],
  ["Hv", 1e-8],
  ["uHv", 1e-2],
  ["d3_uv", 1e-7],
  ["d3_uu", 1e-7],
])("one wrong number in %s is seen, and only there", (key, by) => {
  const path = write("harmed/derivatives", META, { ...derivatives, [key]: harmed(derivatives[key], by) });
  expect(failing(verifyAll([path]))).toEqual([key]);
});

test.each([
  "stable/train_loss",
  "stable/grad_norm_sq",
  "discrete/train_loss",
  "distances/discrete-stable",
  "final_w/stable",
])("one wrong number in %s of a trajectory is seen, and only there", (key) => {
  const path = write("harmed/trajectory", TRAJECTORY_META, {
    ...trajectory,
    [key]: harmed(trajectory[key], 1e-3),
  });
  expect(failing(verifyAll([path]))).toEqual([key]);
});

test("quantities a process no longer has, or the fixture has besides, do not pass in silence", () => {
  // With max_Seff tiny the stable flow freezes at once; with a diverging learning rate discrete ends early.
  const diverging = { ...TRAJECTORY_META, optimizer_options: { lr: 1e9 }, steps: 60 };
  const long = Object.fromEntries(
    Object.entries(trajectory).map(([key, array]) => {
      const data = Array.from(array.data as ArrayLike<number>);
      if (!/^(discrete|stable|distances)\//.test(key)) return [key, array];
      return [key, list(Array.from({ length: 60 }, (_, i) => data[Math.min(i, data.length - 1)]))];
    }),
  );
  const verdicts = verifyAll([write("odd/diverging", diverging, long)]);
  expect(failing(verdicts)).toEqual(expect.arrayContaining(["discrete/train_loss"]));
  const loss = verdicts.find(
    (verdict) => "quantity" in verdict && verdict.quantity === "discrete/train_loss",
  );
  expect(loss && "error" in loss && loss.error).toBe(Number.POSITIVE_INFINITY);
  const more = verifyAll([
    write("odd/more", TRAJECTORY_META, { ...trajectory, "stable/colour": list([1, 2, 3, 4, 5, 6]) }),
  ]);
  expect(more.filter((verdict) => "skipped" in verdict)).toEqual([
    { case: "odd/more", skipped: 'no quantity "stable/colour" in this build' },
  ]);
});

test("a stable flow that has stopped is judged in all but its gradient, which the reference logs of before", () => {
  const stopping = { ...TRAJECTORY_META, stable: { min_nsubsteps: 4, max_Seff: -1e9 } };
  const still = (key: string): WritableArray =>
    list(new Array(STEPS).fill((trajectory[key].data as Float64Array)[0]));
  const { discrete, ...rest } = Object.fromEntries(
    Object.entries(trajectory).map(([key, array]) => [key, /^stable\//.test(key) ? still(key) : array]),
  );
  const stopped: Record<string, WritableArray> = {
    ...rest,
    "stable/grad_norm_sq": list([7, 7, 7, 7, 7, 7]),
    "stable/opt_t": trajectory["stable/opt_t"],
    "final_w/stable": list(w),
  };
  delete stopped["distances/discrete-stable"];
  expect(discrete).toBeUndefined();
  const failed = (name: string, arrays: Record<string, WritableArray>): string[] =>
    failing(verifyAll([write(name, stopping, arrays)]));
  const opt = failed("stopped/right", stopped);
  expect(opt.filter((key) => !key.includes("opt."))).toEqual([]);
  const loss = harmed(stopped["stable/train_loss"], 1e-6);
  expect(failed("stopped/wrong", { ...stopped, "stable/train_loss": loss })).toContain("stable/train_loss");
});

test("what every build logs fails where it is missing, also before the first row that has it", () => {
  const [theirs, none] = [list([1, 1, 1, 1, 1, 1]), list(new Array(6).fill(Number.NaN))];
  const failed = (array: WritableArray): string[] =>
    failing(
      verifyAll([write("odd/missing", TRAJECTORY_META, { ...trajectory, "stable/predicted_loss": array })]),
    );
  expect(failed(theirs)).toEqual(["stable/predicted_loss"]);
  expect(failed(none)).toEqual([]);
});

test.each([
  ["derivatives", META, derivatives, "w"],
  ["derivatives", META, derivatives, "u"],
  ["derivatives", META, derivatives, "Hu"],
  ["derivatives", META, derivatives, "labels"],
  ["derivatives", META, derivatives, "inputs"],
  ["trajectory", TRAJECTORY_META, trajectory, "w0"],
  ["trajectory", TRAJECTORY_META, trajectory, "labels"],
  ["trajectory", TRAJECTORY_META, trajectory, "stable/train_loss"],
  ["trajectory", TRAJECTORY_META, trajectory, "final_w/stable"],
])("%s: an array of a wrong shape is answered with a sentence (%#)", (name, meta, arrays, key) => {
  const short = { ...arrays[key], shape: [3], data: Float64Array.of(1, 0, 1) } as WritableArray;
  const [verdict] = verifyAll([write(`shape/${name}`, meta, { ...arrays, [key]: short })]).slice(0, 1);
  expect(verdict).toMatchObject({ pass: false });
  expect("quantity" in verdict && verdict.quantity).toMatch(/^(verify \S+|examples): expected .*, got /);
});

test("what this build has no code for is skipped, with the reason", () => {
  const skipped = (name: string, meta: object, arrays = trajectory): unknown =>
    verifyAll([write(name, meta, arrays)])[0];
  expect(skipped("skip/a", { ...META, architecture: "perceiver" })).toEqual({
    case: "skip/a",
    skipped: 'no architecture "perceiver" in this build',
  });
  expect(skipped("skip/b", { ...TRAJECTORY_META, optimizer: "Shampoo" })).toEqual({
    case: "skip/b",
    skipped: 'no optimizer "Shampoo" in this build',
  });
  expect(skipped("skip/c", { hello: 1 })).toMatchObject({ skipped: expect.stringMatching(/not a fixture/) });
  const verdicts = verifyAll([
    write("skip/d", { ...TRAJECTORY_META, runs: ["discrete", "stable", "teleport"] }, trajectory),
  ]);
  expect(verdicts).toContainEqual({ case: "skip/d", skipped: 'no process "teleport" in this build' });
  expect(failing(verdicts)).toEqual([]);
});

test("a case whose files are broken fails with the reason, and the others are still checked", () => {
  const folder = join(base, "broken");
  const broken = (name: string, change: (json: string, npz: string) => void): string => {
    const at = join(folder, name);
    mkdirSync(at, { recursive: true });
    const [json, npz] = [join(at, "small.json"), join(at, "small.npz")];
    cpSync(derivativesPath, json);
    cpSync(derivativesPath.replace(/json$/, "npz"), npz);
    change(json, npz);
    return json;
  };
  const cases: readonly (readonly [string, RegExp])[] = [
    [broken("json", (json) => writeFileSync(json, '{"architecture": ')), /JSON that parses/],
    [broken("list", (json) => writeFileSync(json, "[1]")), /a JSON object/],
    [broken("gone", (_, npz) => rmSync(npz)), /small\.npz/],
    [
      broken("bytes", (_, npz) => {
        const bytes = readFileSync(npz);
        bytes[300] ^= 8;
        writeFileSync(npz, bytes);
      }),
      /broken|checksum|CRC|verify bytes\/small/,
    ],
    [
      broken("short", (_, npz) => writeFileSync(npz, readFileSync(npz).subarray(0, 100))),
      /zip|verify short\/small/,
    ],
    [
      broken("fields", (json) => writeFileSync(json, JSON.stringify({ ...META, parameters: undefined }))),
      /"parameters"/,
    ],
    [
      broken("names", (json) =>
        writeFileSync(json, JSON.stringify({ ...META, options: { width: 5, activation: "silu" } })),
      ),
      /parameters 1\.weight/,
    ],
    [
      broken("criterion", (json) => writeFileSync(json, JSON.stringify({ ...META, criterion: "hinge" }))),
      /criterion/,
    ],
    [
      broken("array", (_, npz) => {
        const { Hu, ...rest } = derivatives;
        writeFileSync(npz, writeNpz({ ...rest, Huu: Hu }));
      }),
      /array "Hu"/,
    ],
    [write("broken/steps", { ...TRAJECTORY_META, steps: "many" }, trajectory), /"steps"/],
  ];
  for (const [path, reason] of cases) {
    const verdicts = verifyAll([path, derivativesPath]);
    expect(verdicts[0], path).toMatchObject({ pass: false });
    expect("quantity" in verdicts[0] && verdicts[0].quantity, path).toMatch(reason);
    expect(verdicts.length).toBe(10);
  }
});

test("a relative error counts every mismatch: lengths, NaN on one side, zero against something", () => {
  expect(relativeError([3, 4], [3, 4])).toBe(0);
  expect(relativeError([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
  expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([1, Number.NaN], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([1, 2], [1, Number.NaN])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([1, Number.NaN], [1, Number.NaN])).toBe(0);
  expect(relativeError([0], [0])).toBe(0);
  expect(relativeError([1e-9], [0])).toBe(Number.POSITIVE_INFINITY);
});

test("fixtures are found below a folder, or by either of their files", () => {
  const path = derivativesPath;
  expect(fixtureFiles(path)).toEqual([path]);
  expect(fixtureFiles(path.replace(/json$/, "npz"))).toEqual([path]);
  expect(fixtureFiles(join(base, "derivatives"))).toEqual([path]);
  expect(readNpz(readFileSync(path.replace(/json$/, "npz"))).get("w")?.data).toEqual(w);
});
