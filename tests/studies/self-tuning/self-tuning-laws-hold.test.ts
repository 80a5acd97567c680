import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import {
  applied,
  corrected,
  improvingStep,
  predicted,
  standardised,
} from "../../../src/studies/self-tuning/filter.ts";
import { trainNetwork } from "../../../src/studies/self-tuning/network.ts";
import {
  gradientCovariance,
  limitingExcess,
  runParabola,
} from "../../../src/studies/self-tuning/parabola.ts";

const PARABOLA = {
  hessian: Float64Array.of(3, 0.5, 0.2, 0.5, 1.5, -0.3, 0.2, -0.3, 0.6),
  variances: Float64Array.of(1, 0.5, 2),
  batch: 4,
};

describe("the filter on a noisy parabola", () => {
  test("has m_t = H(θ_t − mean ξ) and P_t = Σ/(t + 1), and T·E[f − f*] is ½tr(H Cov ξ)/batch within errors", () => {
    const runs = Array.from({ length: 80 }, (_, seed) => runParabola(PARABOLA, 60, new Random(seed, "run")));
    for (const { meanDifference, covarianceDifference } of runs) {
      expect(meanDifference).toBeLessThan(1e-12);
      expect(covarianceDifference).toBeLessThan(1e-12);
    }
    // ½(3·1 + 1.5·0.5 + 0.6·2)/4
    expect(limitingExcess(PARABOLA)).toBeCloseTo(0.61875, 14);
    const scaled = runs.map(({ excess }) => 60 * excess);
    const mean = scaled.reduce((sum, each) => sum + each, 0) / 80;
    const error = Math.sqrt(scaled.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (79 * 80));
    expect(Math.abs(mean - 0.61875)).toBeLessThan(3 * error);
  });

  test("an update weighs prediction and measurement by their certainties", () => {
    const belief = predicted(
      { mean: Float64Array.of(1), covariance: Float64Array.of(2) },
      Float64Array.of(0.5),
      Float64Array.of(1),
    );
    // P⁻ = 3, Σ = 1: K = ¾, m = 1.5/4 + ¾·3.5 = 3, P = ¾.
    const { mean, covariance } = corrected(belief, Float64Array.of(3.5), Float64Array.of(1))!;
    expect([mean[0], covariance[0]]).toEqual([3, 0.75]);
    expect(corrected(belief, Float64Array.of(3.5), Float64Array.of(-3))).toBeUndefined();
    expect([...applied(Float64Array.of(1, 2, 2, 5), Float64Array.of(1, -1))]).toEqual([-1, -3]);
    const covarianceOfGradient = gradientCovariance({
      hessian: Float64Array.of(2),
      variances: Float64Array.of(3),
      batch: 4,
    });
    expect(covarianceOfGradient[0]).toBe(3);
  });
});

describe("the step that makes an improvement most probable", () => {
  test("is the one positive root of the quartic, and nothing nearby is better", () => {
    const random = new Random(1, "steps");
    for (let i = 0; i < 50; i++) {
      const positive = () => 0.01 + Math.abs(random.normal());
      const outlook = {
        a: positive(),
        b: positive(),
        c0: positive(),
        c1: positive(),
        c2: i % 2 ? positive() : 0,
      };
      const { a, b, c0, c1, c2 } = outlook;
      const alpha = improvingStep(outlook, 1e6);
      const terms = [a * c2 * alpha ** 4, 0.5 * b * c1 * alpha ** 3, b * c0 * alpha, -a * c0];
      const scale = terms.reduce((sum, term) => sum + Math.abs(term), 0);
      expect(Math.abs(terms.reduce((sum, term) => sum + term, 0))).toBeLessThan(1e-13 * scale);
      for (const factor of [0.1, 0.9, 0.99, 1.01, 1.1, 10])
        expect(standardised(outlook, alpha * factor)).toBeGreaterThan(standardised(outlook, alpha));
    }
  });

  test("is Newton's, a/b, without doubt about the curvature, and the longest where it is negative", () => {
    expect(improvingStep({ a: 3, b: 2, c0: 1, c1: 0, c2: 0 }, 100)).toBeCloseTo(1.5, 14);
    expect(improvingStep({ a: 3, b: -2, c0: 1, c1: 0.5, c2: 0 }, 100)).toBe(100);
    const doubtful = improvingStep({ a: 3, b: -2, c0: 1, c1: 0.5, c2: 0.3 }, 100);
    expect(doubtful).toBeGreaterThan(0);
    expect(doubtful).toBeLessThan(100);
  });
});

test("networks train by both ways, the same each time", () => {
  const never = () => false;
  for (const rate of [undefined, 0.05]) {
    const run = trainNetwork(1, rate, 12, 4, never);
    expect(run.steps).toEqual([0, 4, 8, 12]);
    expect(run.loss.every((loss) => Number.isFinite(loss) && loss > 0)).toBe(true);
    expect(run.sharpness.every((value) => value > 0)).toBe(true);
    expect(trainNetwork(1, rate, 12, 4, never)).toEqual(run);
  }
});
