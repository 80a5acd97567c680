import { describe, expect, test } from "vitest";
import { type LossDefinition, Objective } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { createModel, supervisedLoss } from "../../../src/models/index.ts";

const N = 7;
const K = 2;
const TOLERANCE = 1e-12;

/** Weights and the loss of a small network on random examples. */
interface Problem {
  readonly loss: LossDefinition;
  readonly weights: Float64Array;
}

function cnn(): Problem {
  const shape = [2, 6, 5];
  const model = createModel("cnn", { inputShape: shape, outputDim: 3 }, { width: 2 });
  const inputs = new Random(1, "images").fillNormal(new Float64Array(N * 60));
  const labels = Float64Array.from({ length: N }, (_, i) => i % 3);
  return {
    loss: supervisedLoss(model, "ce", { inputs, shape, labels, labelShape: [] }),
    weights: model.initialWeights(new Random(2)),
  };
}

/** Sequences of which a different number of rows is masked in each. */
function transformer(): Problem {
  const length = 5;
  const model = createModel(
    "transformer",
    { inputShape: [length], outputDim: 4, vocabulary: 4 },
    { layers: 1, dModel: 4, nhead: 2, weightMultiplier: 1 },
  );
  const inputs = Float64Array.from({ length: N * length }, (_, i) => (i * i) % 4);
  const labels = Float64Array.from({ length: N * length }, (_, i) =>
    i % length <= (i / length) % 4 ? -1 : (i * 3) % 4,
  );
  return {
    loss: supervisedLoss(model, "mse", { inputs, shape: [length], labels, labelShape: [length] }),
    weights: model.initialWeights(new Random(2)),
  };
}

/** Loss, gradient, Hessian-vector products and third derivatives. */
function results({ loss, weights }: Problem, chunk?: number): Record<string, Float64Array> {
  const objective = new Objective(loss, { chunk });
  const p = objective.dimension;
  const directions = new Random(3, "directions").fillNormal(new Float64Array(K * p));
  const products = new Float64Array(K * p);
  const third = new Float64Array((K * (K + 1) * p) / 2);
  objective.setWeights(weights);
  const value = Float64Array.of(objective.loss());
  const gradient = objective.gradient().slice();
  objective.hvp(directions, products, K);
  objective.thirdDerivatives(directions, K, third);
  return { value, gradient, products, third };
}

const norm = (vector: Float64Array): number => Math.hypot(...vector);

describe.each([
  ["cnn", cnn],
  ["transformer", transformer],
])("%s", (_, problemOf) => {
  const problem = problemOf();
  const whole = results(problem, N);

  test.each(Array.from({ length: N + 1 }, (_, i) => i + 1))(
    "in chunks of %i gives the same to 1e-12, and the same bits each time",
    (chunk) => {
      const found = results(problem, chunk);
      for (const [quantity, values] of Object.entries(found)) {
        const gap = norm(values.map((value, i) => value - whole[quantity][i]));
        expect(gap / norm(whole[quantity]), quantity).toBeLessThan(TOLERANCE);
        expect(norm(values), quantity).toBeGreaterThan(0);
      }
      expect(results(problem, chunk)).toEqual(found);
    },
  );
});
