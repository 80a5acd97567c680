import { afterEach, describe, expect, test } from "vitest";
import { type Backend, jsBackend, Objective } from "../../../src/autodiff/index.ts";
import { isMisuse, Random, Stopped } from "../../../src/base/index.ts";
import { createModel, supervisedLoss } from "../../../src/models/index.ts";
import { wasm } from "../backends/bits.ts";
import { SEED } from "../registry.ts";

const K = 3;
const CHUNK = 40;
const EXAMPLES = 390;
const CHUNKS = Math.ceil(EXAMPLES / CHUNK);

const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));

const made: Objective[] = [];
afterEach(() => {
  for (const objective of made.splice(0)) objective.dispose();
});

/** Enough work per job for helpers to be called. */
function objectiveOn(backend: Backend, threads: number, memory?: number): Objective {
  const model = createModel("mlp", { inputShape: [20], outputDim: 3 }, { width: 16 });
  const definition = supervisedLoss(model, "ce", {
    inputs: normals(EXAMPLES * 20, "inputs"),
    shape: [20],
    labels: Float64Array.from({ length: EXAMPLES }, (_, i) => i % 3),
    labelShape: [],
  });
  const objective = new Objective(definition, { backend, threads, memory, chunk: CHUNK });
  made.push(objective);
  return objective;
}

type Evaluation = (objective: Objective) => Float64Array;

/** Each of them alone at weights where nothing is known yet. */
const EVALUATIONS: Readonly<Record<string, Evaluation>> = {
  loss: (objective) => Float64Array.of(objective.loss()),
  gradient: (objective) => objective.gradient().slice(),
  outputs: (objective) => objective.outputs().slice(),
  hvp: (objective) => {
    const products = new Float64Array(K * objective.dimension);
    objective.hvp(normals(products.length, "vectors"), products, K);
    return products;
  },
  joint: (objective) => {
    const p = objective.dimension;
    const rows = new Float64Array((K * (K + 1) * p) / 2);
    objective.joint(normals(K * p, "vectors"), K, new Float64Array(K * p), rows);
    return rows;
  },
};

const weightsOf = (objective: Objective, stream: string): Float64Array =>
  normals(objective.dimension, stream).map((entry) => 0.3 * entry);

/** Evaluates with a `shouldStop` that answers true from its n-th call on; returns how often it was called. */
function stopAt(objective: Objective, call: number, evaluate: Evaluation): { calls: number; error: unknown } {
  let calls = 0;
  objective.shouldStop = () => ++calls >= call;
  let error: unknown;
  try {
    evaluate(objective);
  } catch (thrown) {
    error = thrown;
  }
  objective.shouldStop = undefined;
  return { calls, error };
}

describe.each([
  ["js", jsBackend, 1, undefined],
  ["wasm", wasm, 1, undefined],
  ["wasm, values recomputed", wasm, 1, 0],
  ["wasm, three threads", wasm, 3, undefined],
  ["wasm, three threads, values recomputed", wasm, 3, 0],
] as const)("%s", (_, backend, threads, memory) => {
  test.each(Object.entries(EVALUATIONS))(
    "%s: stopped anywhere it throws Stopped, and afterwards gives the bits it would have given",
    (_name, evaluate) => {
      const objective = objectiveOn(backend, threads, memory);
      const fresh = objectiveOn(backend, 1, memory);
      const expected = ["weights", "other weights"].map((stream) => {
        fresh.setWeights(weightsOf(fresh, stream));
        return evaluate(fresh);
      });
      objective.setWeights(weightsOf(objective, "weights"));
      const { calls } = stopAt(objective, Number.POSITIVE_INFINITY, evaluate);
      for (const call of new Set([1, 2, 3, Math.ceil(calls / 2), calls])) {
        objective.setWeights(weightsOf(objective, "weights"));
        const { calls: looked, error } = stopAt(objective, call, evaluate);
        // Helpers may have left this thread less to do than before.
        if (looked < call) continue;
        expect(looked).toBe(call);
        expect(error).toBeInstanceOf(Stopped);
        expect(isMisuse(error)).toBe(false);
        expect(evaluate(objective)).toEqual(expected[0]);
        objective.setWeights(weightsOf(objective, "weights"));
        stopAt(objective, call, evaluate);
        objective.setWeights(weightsOf(objective, "other weights"));
        expect(evaluate(objective)).toEqual(expected[1]);
      }
    },
  );
});

test.each(Object.entries(EVALUATIONS))("%s looks at least once per chunk", (_, evaluate) => {
  const objective = objectiveOn(wasm, 1);
  objective.setWeights(weightsOf(objective, "weights"));
  expect(stopAt(objective, Number.POSITIVE_INFINITY, evaluate).calls).toBeGreaterThanOrEqual(CHUNKS);
});

test("this thread looks while others work, however many they are", () => {
  const objective = objectiveOn(wasm, 7);
  for (let turn = 0; turn < 50; turn++) {
    objective.setWeights(weightsOf(objective, `weights ${turn}`));
    const { error } = stopAt(objective, 1, EVALUATIONS.joint);
    expect(error).toBeInstanceOf(Stopped);
  }
});

test("an evaluation that was stopped does not count as run", () => {
  const objective = objectiveOn(wasm, 1);
  objective.setWeights(weightsOf(objective, "weights"));
  stopAt(objective, CHUNKS, EVALUATIONS.loss);
  expect(objective.profile().every(({ runs }) => runs === 0)).toBe(true);
});

test("a shouldStop may be given at construction; one that throws passes its own error on", () => {
  const objective = new Objective({ parameters: { a: [] }, loss: ({ a }) => a }, { shouldStop: () => true });
  expect(() => objective.loss()).toThrow(Stopped);
  objective.shouldStop = () => {
    throw new Error("from outside");
  };
  expect(() => objective.loss()).toThrow("from outside");
});
