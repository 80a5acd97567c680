import { describe, expect, test } from "vitest";
import {
  type Cost,
  type LossDefinition,
  matmul,
  Objective,
  STAGES,
  square,
  sum,
  tanh,
} from "../../../src/autodiff/index.ts";
import { bytesOf } from "../../../src/autodiff/plan/plan.ts";
import { contiguous } from "../../../src/autodiff/primitives/rule.ts";
import { Random } from "../../../src/base/index.ts";
import { SEED } from "../registry.ts";

const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));

const definition: LossDefinition = {
  parameters: { a: [3, 4], b: [4, 2] },
  examples: { x: { data: normals(9 * 3, "x"), shape: [3] } },
  outputs: ({ a, b }, { x }) => matmul(tanh(matmul(x, a)), b),
  criterion: (outputs) => sum(square(outputs), { axes: [1] }),
};

function profiled(timed: boolean): Objective {
  const objective = new Objective(definition, { chunk: 4, timed });
  const p = objective.dimension;
  objective.setWeights(normals(p, "weights"));
  const vectors = normals(2 * p, "vectors");
  objective.joint(vectors, 2, new Float64Array(2 * p), new Float64Array(3 * p));
  return objective;
}

describe("what each stage did", () => {
  test("runs are those of chunks and directions; products and flops those of the plan, so often", () => {
    const objective = profiled(false);
    const profile = objective.profile();
    expect(profile.map(({ stage }) => stage)).toEqual(Object.keys(STAGES));
    // Three chunks; two directions, and the second orders of them and of their sum.
    const runs = [3, 3, 3, 3, 3 * 2, 3 * 3];
    expect(profile.map((stage) => stage.runs)).toEqual(
      objective.plan.segments.map(({ length }, stage) => (length > 0 ? runs[stage] : 0)),
    );
    profile.forEach(({ flops, products }, stage) => {
      const costs = objective.plan.segments[stage].map(({ cost }) => cost);
      const total = (of: (cost: Cost) => number): number =>
        runs[stage] * costs.reduce((sum, cost) => sum + of(cost), 0);
      expect(flops).toBe(total((cost) => cost.flops));
      expect(products).toBe(total((cost) => cost.products));
    });
    for (const { runs, bytes } of profile) expect(bytes > 0).toBe(runs > 0);
  });

  test("bytes grow with runs alone", () => {
    const objective = profiled(false);
    const before = objective.profile();
    const p = objective.dimension;
    objective.hvp(normals(p, "v"), new Float64Array(p), 1);
    const after = objective.profile();
    const { direction } = STAGES;
    expect(after[direction].bytes / after[direction].runs).toBe(
      before[direction].bytes / before[direction].runs,
    );
    expect(after[STAGES.value]).toEqual(before[STAGES.value]);
  });

  test("seconds are measured where they are asked for, and nowhere else", () => {
    for (const { seconds } of profiled(false).profile()) expect(seconds).toBe(0);
    for (const { seconds, runs } of profiled(true).profile()) expect(seconds > 0).toBe(runs > 0);
  });
});

test("a product moves its two operands and its result, a repeated operand once", () => {
  const place = { region: 0, offset: 0 };
  const kernel = { node: 0, owners: [], result: place, cost: { flops: 0, products: 0 } };
  const product = {
    ...kernel,
    op: "matmul" as const,
    params: { transposeA: false, transposeB: false },
    operands: [
      { ...place, layout: contiguous([3, 5]) },
      { ...place, layout: contiguous([5, 7]) },
    ],
    shape: [3, 7],
  };
  expect(bytesOf(product)).toBe(8 * (15 + 35 + 21));
  const repeated = { ...place, layout: { shape: [3, 7], strides: [0, 1] } };
  const sums = { ...kernel, op: "add" as const, params: {}, operands: [repeated, repeated], shape: [3, 7] };
  expect(bytesOf(sums)).toBe(8 * (7 + 7 + 21));
});
