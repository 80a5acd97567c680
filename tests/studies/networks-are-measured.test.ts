import { expect, test } from "vitest";
import { spectralNorm } from "../../src/analysis/index.ts";
import { Random } from "../../src/base/index.ts";
import {
  drawWeights,
  GELU,
  largestOf,
  largestSlope,
  localNorms,
  lossOf,
  productBound,
  squareNetwork,
  weightJacobianNorm,
} from "../../src/studies/problems/networks.ts";

const SIZES = { inputs: 5, width: 6, depth: 2, outputs: 3 };
const random = new Random(8, "networks");
const inputs = Array.from({ length: 7 }, () => random.fillNormal(new Float64Array(SIZES.inputs)));

/** σ_max of the Jacobian by differences of the network itself. */
function byDifferences(
  network: ReturnType<typeof squareNetwork>,
  weights: Float64Array,
  x: Float64Array,
): number {
  const h = 1e-5;
  const labels = new Float64Array(3);
  const at = (point: Float64Array): Float64Array => {
    const one = { inputs: point, n: 1, shape: [5], labels, labelShape: [3] };
    const objective = lossOf(network, one, "regression", () => false);
    objective.setWeights(weights);
    return objective.outputs().slice();
  };
  const J = new Float64Array(15);
  for (let j = 0; j < 5; j++) {
    const [up, down] = [h, -h].map((step) => at(x.map((entry, l) => entry + (l === j ? step : 0))));
    for (let i = 0; i < 3; i++) J[i * 5 + j] = (up[i] - down[i]) / (2 * h);
  }
  return spectralNorm(J, 3, 5);
}

test("local norms are those of the Jacobian by differences, for every wiring, and below the product bound", () => {
  for (const wiring of ["linear", "plain", "residual", "norm"] as const) {
    const network = squareNetwork(wiring, SIZES);
    const weights = drawWeights(network, 1, 3);
    const bound = productBound(network, weights);
    localNorms(network, weights, inputs.slice(0, 3)).forEach((norm, i) => {
      expect(Math.abs(norm / byDifferences(network, weights, inputs[i]) - 1), wiring).toBeLessThan(1e-6);
      expect(norm, wiring).toBeLessThanOrEqual(bound * (1 + 1e-9));
    });
  }
});

test("squared loss: λ_max(G) = σ_max(J)²/N, and H = G where residuals are zero", () => {
  const network = squareNetwork("plain", SIZES);
  const weights = drawWeights(network, 1, 4);
  const flat = Float64Array.from(inputs.flatMap((x) => [...x]));
  const examples = {
    inputs: flat,
    n: 7,
    shape: [5],
    labels: random.fillNormal(new Float64Array(21)),
    labelShape: [3],
  };
  const objective = lossOf(network, examples, "regression", () => false);
  objective.setWeights(weights);
  const G = largestOf(objective, "gauss-newton");
  expect(Math.abs((G * 7) / weightJacobianNorm(network, weights, flat) ** 2 - 1)).toBeLessThan(1e-8);
  expect(Math.abs(largestOf(objective, "hessian") / G - 1)).toBeGreaterThan(1e-3);
  const fitted = lossOf(
    network,
    { ...examples, labels: objective.outputs().slice() },
    "regression",
    () => false,
  );
  fitted.setWeights(weights);
  expect(Math.abs(largestOf(fitted, "hessian") / G - 1)).toBeLessThan(1e-8);
});

test("the largest slopes: gelu 1.128904145, ½(1 + erf 1) + e⁻¹/√π at √2, and silu 1.0998393", () => {
  expect(largestSlope("gelu")).toBeCloseTo(1.128904145, 9);
  expect(GELU).toBe(1.128904145);
  expect(largestSlope("silu")).toBeCloseTo(1.0998393, 7);
});
