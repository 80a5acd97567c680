import { expect, test } from "vitest";
import {
  type ExampleLoss,
  matmul,
  Objective,
  reshape,
  square,
  subtract,
  tanh,
} from "../../../src/autodiff/index.ts";
import { EPS, InputValueError, Random } from "../../../src/base/index.ts";
import {
  batchSharpness,
  compileRule,
  DiscreteProcess,
  gradientNoise,
  MidpointProcess,
  MiniBatches,
  type ProcessSetup,
  rmsProp,
  warmStart,
} from "../../../src/flows/index.ts";
import { EIGEN } from "../problems.ts";

const SEED = Number(process.env.CENTRAL_FLOWS_SEED ?? 20);
const N = 7;
const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));
const loss: ExampleLoss = {
  parameters: { a: [2, 3], b: [3, 1] },
  examples: { x: { data: normals(2 * N, "x"), shape: [2] }, y: { data: normals(N, "y"), shape: [] } },
  outputs: ({ a, b }, { x }) => matmul(tanh(matmul(x, a)), b),
  criterion: (f, { y }) => square(subtract(reshape(f, y.shape), y)),
};
const P = 9;
const weights = normals(P, "w");
const whole = (): Objective => new Objective(loss);
const batchesOf = (size: number, replacement = false, seed = 3): MiniBatches =>
  new MiniBatches(new Objective(loss, { batch: size }), { examples: N, replacement, seed });

/** Every example's gradient, from losses of one example each. */
const gradients = Array.from({ length: N }, (_, e) => {
  const { x, y } = loss.examples;
  const alone = new Objective({
    ...loss,
    examples: {
      x: { ...x, data: x.data.slice(2 * e, 2 * e + 2) },
      y: { ...y, data: y.data.slice(e, e + 1) },
    },
  });
  alone.setWeights(weights);
  return alone.gradient().slice();
});
const meanOf = (indices: readonly number[]): Float64Array =>
  weights.map((_, l) => indices.reduce((total, e) => total + gradients[e][l], 0) / indices.length);
const close = (found: ArrayLike<number>, expected: ArrayLike<number>): void => {
  const size = Math.max(...Array.from(expected, Math.abs));
  expect(found.length).toBe(expected.length);
  for (let l = 0; l < expected.length; l++)
    expect(Math.abs(found[l] - expected[l])).toBeLessThan(200 * EPS * size);
};

test("the gradient of a batch is the mean of its examples' gradients", () => {
  for (const batches of [batchesOf(3), batchesOf(3, true), batchesOf(1), batchesOf(N)])
    for (const step of [0, 1, 5, 2]) {
      const batch = batches.at(step, weights);
      close(batch.gradient(), meanOf(batches.indices(step)));
    }
});

test("a batch is a function of the seed and the step alone", () => {
  for (const replacement of [false, true]) {
    const forwards = batchesOf(2, replacement);
    const seen = Array.from({ length: 20 }, (_, step) => forwards.indices(step).join());
    const backwards = batchesOf(2, replacement);
    for (let step = 19; step >= 0; step--) expect(backwards.indices(step).join()).toBe(seen[step]);
    const other = batchesOf(2, replacement, 4);
    expect(seen.some((indices, step) => other.indices(step).join() !== indices)).toBe(true);
  }
});

test("an epoch has every example at most once, and all of them where batches go into them evenly", () => {
  const inThrees = batchesOf(3);
  for (let epoch = 0; epoch < 5; epoch++)
    expect(new Set([0, 1].flatMap((step) => inThrees.indices(2 * epoch + step))).size).toBe(6);
  const inOnes = batchesOf(1);
  const epoch = Array.from({ length: N }, (_, step) => inOnes.indices(N + step)[0]);
  expect(epoch.sort()).toEqual(Array.from({ length: N }, (_, e) => e));
});

test("the noise is the covariance over all batches that there are", () => {
  const objective = whole();
  objective.setWeights(weights);
  const vectors = normals(2 * P, "v");
  const along = (g: Float64Array, i: number): number =>
    g.reduce((total, entry, l) => total + entry * vectors[i * P + l], 0);
  for (const replacement of [false, true]) {
    const pairs = Array.from({ length: N * N }, (_, at) => [Math.floor(at / N), at % N]).filter(
      ([a, b]) => replacement || a !== b,
    );
    const full = meanOf(Array.from({ length: N }, (_, e) => e));
    const away = pairs.map((pair) => meanOf(pair).map((entry, l) => entry - full[l]));
    const found = gradientNoise(objective, { size: 2, examples: N, replacement }, vectors);
    const mean = (term: (g: Float64Array) => number): number =>
      away.reduce((total, g) => total + term(g), 0) / away.length;
    close(
      found.along,
      [0, 1, 2, 3].map((at) => mean((g) => along(g, at >> 1) * along(g, at & 1))),
    );
    close(
      found.diagonal,
      weights.map((_, l) => mean((g) => g[l] ** 2)),
    );
  }
  const none = gradientNoise(objective, { size: N, examples: N, replacement: false }, vectors);
  expect(none.along.every((entry) => entry === 0)).toBe(true);
});

test("for a uniform P the effective batch sharpness is the other over P", () => {
  const batch = batchesOf(3).at(0, weights);
  const { raw, effective } = batchSharpness(batch, new Float64Array(P).fill(4));
  close([effective], [raw / 4]);
  const gradient = batch.gradient().slice();
  const product = new Float64Array(P);
  batch.hvp(gradient, product, 1);
  const inner = (x: Float64Array): number => x.reduce((total, entry, l) => total + entry * gradient[l], 0);
  close([raw], [inner(product) / inner(gradient)]);
});

const setup = (batches?: MiniBatches): ProcessSetup => {
  const rule = compileRule(rmsProp({ lr: 0.05, beta2: 0.9, eps: 1e-3 }), P);
  return {
    objective: whole(),
    rule,
    weights,
    state: rule.rule.initialState(P),
    seed: 0,
    rawEigenvalues: true,
    eigen: EIGEN,
    ...(batches && { batches }),
  };
};

test("optimizer and midpoints follow one path, that of the batches, and a warm start the same", () => {
  const processes = [new DiscreteProcess(setup(batchesOf(2))), new MidpointProcess(setup(batchesOf(2)))];
  for (let step = 0; step < 9; step++)
    for (const process of processes) {
      process.prepare();
      process.advance();
    }
  const [path, midpoints] = processes.map((process) => process.snapshot());
  expect(midpoints.w).toEqual(path.w);
  const warm = weights.slice();
  const { objective, rule, state } = setup();
  expect(warmStart(objective, rule, warm, state, 9, { batches: batchesOf(2) })).toBe(9);
  expect(warm).toEqual(path.w);
  const later = new DiscreteProcess({ ...setup(batchesOf(2)), weights: warm, state, firstStep: 9 });
  for (const process of [processes[0], later]) {
    process.prepare();
    process.advance();
  }
  expect(later.snapshot().w).toEqual(processes[0].snapshot().w);
});

test("what is observed is the loss of all examples, and the batch beside it", () => {
  const process = new DiscreteProcess(setup(batchesOf(2)));
  process.prepare();
  const { observation } = process;
  const objective = whole();
  objective.setWeights(weights);
  expect(observation?.loss).toBe(objective.loss());
  expect(observation?.gradient).toEqual(objective.gradient().slice());
  const batch = batchesOf(2).at(0, weights);
  expect(observation?.batch?.loss).toBe(batch.loss());
  expect(observation?.batch?.gradient).toEqual(batch.gradient().slice());
  expect(new DiscreteProcess(setup()).snapshot().step).toBeUndefined();
});

test("batches restored at any step go on to the same bits", () => {
  const process = new DiscreteProcess(setup(batchesOf(2)));
  const snapshots: Record<string, Float64Array>[] = [];
  for (let step = 0; step < 8; step++) {
    snapshots.push(structuredClone(process.snapshot()));
    process.prepare();
    process.advance();
  }
  for (const [step, saved] of snapshots.entries()) {
    const resumed = new DiscreteProcess(setup(batchesOf(2)));
    resumed.restore(saved);
    for (let left = step; left < 8; left++) {
      resumed.prepare();
      resumed.advance();
    }
    expect(resumed.snapshot()).toEqual(process.snapshot());
  }
});

test("batches that there cannot be are refused", () => {
  expect(() => batchesOf(N + 1)).toThrow(InputValueError);
  const batch = new Objective(loss, { batch: 2 });
  expect(() => batch.choose([0])).toThrow(InputValueError);
  expect(() => batch.choose([0, N])).toThrow(InputValueError);
});
