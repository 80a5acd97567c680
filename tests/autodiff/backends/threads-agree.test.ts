import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import {
  type LossDefinition,
  multiply,
  Objective,
  type ObjectiveOptions,
  sin,
  square,
  sum,
  tanh,
} from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { createModel, type ModelShape, supervisedLoss } from "../../../src/models/index.ts";
import { wasm } from "./bits.ts";

const SEED = 20;
const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));

/** Enough work per job for helpers to be called. */
function network(examples = 300): LossDefinition {
  const model = createModel("mlp", { inputShape: [20], outputDim: 3 }, { width: 24 });
  return supervisedLoss(model, "ce", {
    inputs: normals(examples * 20, "inputs"),
    shape: [20],
    labels: Float64Array.from({ length: examples }, (_, i) => i % 3),
    labelShape: [],
  });
}

/** All that an objective gives at one w, asked for in the given order. */
function everything(
  objective: Objective,
  k: number,
  order: readonly number[] = [0, 1, 2, 3],
): Float64Array[] {
  const p = objective.dimension;
  const vectors = normals(k * p, "vectors");
  const products = new Float64Array(k * p);
  const jointProducts = new Float64Array(k * p);
  const rows = new Float64Array((k * (k + 1) * p) / 2);
  const found: Float64Array[] = [];
  const asked = [
    () => found.push(Float64Array.of(objective.loss())),
    () => found.push(objective.gradient().slice()),
    () => {
      objective.hvp(vectors, products, k);
      found.push(products);
    },
    () => {
      objective.joint(vectors, k, jointProducts, rows);
      found.push(jointProducts, rows);
    },
    () => found.push(objective.outputs().slice()),
  ];
  objective.setWeights(normals(p, "weights").map((entry) => 0.3 * entry));
  for (const i of order) asked[i]();
  asked[4]();
  return found;
}

/** Evaluates until helpers have had a share: they start while the caller works. */
function untilHelped(objective: Objective, work: () => void): void {
  const end = performance.now() + 20_000;
  const helped = (): boolean =>
    objective
      .profile()
      .some(({ secondsByThread }) => secondsByThread.slice(1).some((seconds) => seconds > 0));
  while (!helped() && performance.now() < end) work();
  expect(helped(), "helpers took part").toBe(true);
}

const made: Objective[] = [];
function objectiveWith(definition: LossDefinition, options: ObjectiveOptions): Objective {
  const objective = new Objective(definition, { backend: wasm, ...options });
  made.push(objective);
  return objective;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  for (const objective of made.splice(0)) objective.dispose();
});

test.each([
  ["the default chunks of more examples", { examples: 1000 }, 3],
  ["chunks that do not divide the examples", { chunk: 37 }, 2],
  ["one chunk", { chunk: 300 }, 3],
  ["values recomputed", { chunk: 30, memory: 0 }, 2],
  ["more directions than are kept at a time", { chunk: 100 }, 19],
] as const)("1, 2 and 7 threads give the same bits: %s", (_, given, k) => {
  const { examples, ...options } = { examples: 300, ...given };
  const definition = network(examples);
  const alone = everything(objectiveWith(definition, options), k);
  for (const threads of [2, 7]) {
    const objective = objectiveWith(definition, { ...options, threads, timed: true });
    expect(objective.threads).toBe(threads);
    untilHelped(objective, () => expect(everything(objective, k)).toEqual(alone));
    for (const order of [
      [3, 2, 1, 0],
      [2, 0, 3, 1],
      [0, 1, 2, 3],
    ])
      everything(objective, k, order).forEach((values) => {
        expect(alone.some((other) => other.every((entry, i) => Object.is(entry, values[i])))).toBe(true);
      });
  }
});

const image: ModelShape = { inputShape: [3, 8, 8], outputDim: 3 };
const largerImage: ModelShape = { inputShape: [3, 13, 13], outputDim: 3 };
const tokens: ModelShape = { inputShape: [5], outputDim: 4, vocabulary: 4, lastOnly: true };

test.each([
  ["cnn", image, { width: 5 }],
  ["resnet", largerImage, { width: 8 }],
  ["vit", image, { patchSize: 4, dim: 12, depth: 1, mlpDim: 10, numHeads: 1 }],
  ["lstm", tokens, { layers: 1, embdDim: 6, hiddenDim: 7 }],
  ["transformer", tokens, { layers: 1, dModel: 8, nhead: 2 }],
  ["mamba", tokens, { layers: 1, dModel: 6 }],
] as const)("helpers run the kernels of every architecture: %s", (name, shape, options) => {
  const model = createModel(name, shape, options);
  const random = new Random(SEED, name);
  const count = 24;
  const width = shape.inputShape.reduce((size, length) => size * length, 1);
  const inputs = Float64Array.from({ length: count * width }, () =>
    shape.vocabulary ? random.integer(shape.vocabulary) : random.normal(),
  );
  const labels = Float64Array.from({ length: count }, () => random.integer(shape.outputDim));
  const examples = { inputs, shape: shape.inputShape, labels, labelShape: [] };
  const definition = supervisedLoss(model, "ce", examples);
  const alone = everything(objectiveWith(definition, { chunk: 4 }), 2);
  const objective = objectiveWith(definition, { chunk: 4, threads: 3, timed: true });
  untilHelped(objective, () => expect(everything(objective, 2)).toEqual(alone));
});

test("several objectives are evaluated one after another, and one may be disposed of", () => {
  const definitions = [network(200), network(300), network(123)];
  const alone = definitions.map((definition) => everything(objectiveWith(definition, { chunk: 31 }), 2));
  const together = definitions.map((definition, i) =>
    objectiveWith(definition, { chunk: 31, threads: 2 + i, timed: true }),
  );
  for (let round = 0; round < 20; round++)
    together.forEach((objective, i) => {
      expect(everything(objective, 2)).toEqual(alone[i]);
    });
  untilHelped(together[1], () => everything(together[1], 2));
  together[1].dispose();
  expect(together.map((objective) => objective.threads)).toEqual([2, 1, 4]);
  together.forEach((objective, i) => {
    expect(everything(objective, 2)).toEqual(alone[i]);
  });
});

test("what is not finite comes out the same", () => {
  const definition = network(100);
  const results = [1, 2].map((threads) => {
    const objective = objectiveWith(definition, { chunk: 10, threads });
    const w = normals(objective.dimension, "weights");
    w[3] = Number.NaN;
    objective.setWeights(w);
    return [objective.loss(), objective.gradient().slice()];
  });
  expect(results[1]).toEqual(results[0]);
});

test("where there are no workers or no memory to share, one thread does it all", () => {
  const definition = network(100);
  const alone = everything(objectiveWith(definition, { chunk: 10 }), 2);
  vi.stubGlobal("SharedArrayBuffer", undefined);
  const unshared = objectiveWith(definition, { chunk: 10, threads: 2 });
  vi.unstubAllGlobals();
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  const workerless = objectiveWith(definition, { chunk: 10, threads: 2 });
  vi.unstubAllGlobals();
  const js = new Objective(definition, { chunk: 10, threads: 2 });
  for (const objective of [unshared, workerless, js]) {
    expect(objective.threads).toBe(1);
    expect(everything(objective, 2)).toEqual(alone);
  }
});

test("a loss whose kernels call back into JavaScript stays on one thread", () => {
  const definition: LossDefinition = {
    parameters: { a: [4] },
    loss: ({ a }) => sum(square(sin(a))),
  };
  expect(objectiveWith(definition, { threads: 2 }).threads).toBe(1);
});

test("a number of threads that is none is misuse", () => {
  for (const threads of [0, 1.5, Number.NaN])
    expect(() => objectiveWith(network(10), { threads })).toThrow(/^threads: expected a whole number ≥ 1/);
});

test("helpers do not keep a process alive", async () => {
  const script = fileURLToPath(new URL("evaluate-and-end.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script], {
    timeout: 60_000,
  });
  expect(stdout.trim()).toBe("helped");
}, 70_000);

test("sums taken side by side while a chain is computed do not meet those of another thread", () => {
  const width = 1000;
  const examples = 400;
  const definition: LossDefinition = {
    parameters: { w: [width] },
    examples: {
      x: { data: normals(examples * width, "wide inputs"), shape: [width] },
    },
    outputs: ({ w }, { x }) => sum(tanh(multiply(x, w)), { axes: [1] }),
    criterion: (outputs) => outputs,
  };
  const [alone, shared] = [1, 2].map((threads) =>
    objectiveWith(definition, { threads, chunk: 20, timed: true }),
  );
  const expected = everything(alone, 2);
  untilHelped(shared, () => everything(shared, 2));
  for (let round = 0; round < 20; round++) expect(everything(shared, 2), `round ${round}`).toEqual(expected);
});
