import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import {
  chainScore,
  implicitDerivative,
  pathDerivative,
  quadrature,
} from "../../../src/studies/bilevel/double-well.ts";
import {
  drawRidge,
  expectedOuter,
  langevinRun,
  outerDerivative,
  ridgeScore,
  solutionOf,
  stationaryVariance,
} from "../../../src/studies/bilevel/ridge.ts";

const never = () => false;

describe("a ridge inner problem", () => {
  const ridge = drawRidge(4, -0.5, new Random(1, "ridge"));
  const { a, weight, theta, gradient } = solutionOf(ridge);
  const sharpest = Math.max(...a);

  test("has dV/dλ = −e^λ[∇L_VᵀA⁻¹θ* + (τ/2)tr(H A⁻²)], and differences agree, also at a finite step", () => {
    let formula = 0;
    for (let i = 0; i < 4; i++)
      formula -= weight * ((gradient[i] * theta[i]) / a[i] + (0.5 * 0.7 * ridge.outer[i * 5]) / a[i] ** 2);
    expect(outerDerivative(ridge, 0.7)).toBeCloseTo(formula, 12);
    for (const h of [0, 0.4 / sharpest, 1.2 / sharpest]) {
      const at = (by: number) => expectedOuter({ ...ridge, lambda: ridge.lambda + by }, 0.7, h);
      expect(outerDerivative(ridge, 0.7, h)).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 6);
    }
    expect(outerDerivative(ridge, 1e-12)).toBeCloseTo(outerDerivative(ridge, 0), 10);
  });

  test("the chain's variance is the fixed point of c = (1 − (h/τ)a)²c + 2h", () => {
    for (const share of [0.1, 1, 1.9]) {
      const [tau, h] = [0.3, (0.3 * share) / sharpest];
      const c = stationaryVariance(sharpest, tau, h);
      expect((1 - (h / tau) * sharpest) ** 2 * c + 2 * h).toBeCloseTo(c, 12);
    }
  });

  test("score and path agree with the closed forms within three standard errors", () => {
    const score = ridgeScore(ridge, 1, 20_000, new Random(2, "score"));
    expect(score.error).toBeLessThan(0.2);
    expect(Math.abs(score.mean - outerDerivative(ridge, 1))).toBeLessThan(3 * score.error);
    const h = 1 / sharpest;
    const { path, variances } = langevinRun(ridge, 1, h, 40_000, new Random(2, "path"), never);
    expect(path.error).toBeLessThan(0.2);
    expect(Math.abs(path.mean - outerDerivative(ridge, 1, h))).toBeLessThan(3 * path.error);
    variances.forEach(({ mean, error }, i) => {
      expect(Math.abs(mean - stationaryVariance(a[i], 1, h))).toBeLessThan(4 * error);
    });
  });

  test("the chain is unstable beyond (h/τ)λ_max = 2", () => {
    const largest = (share: number): number => {
      const run = langevinRun(ridge, 1, share / sharpest, 2000, new Random(3), never);
      return Math.max(...run.variances.map(({ mean }) => mean));
    };
    expect(largest(1.95)).toBeLessThan(50);
    expect(largest(2.05)).toBeGreaterThan(1e10);
  });
});

describe("a double well", () => {
  test("quadrature's derivative is that of differences of its mean", () => {
    for (const tau of [0.05, 0.2, 1]) {
      const slope = (quadrature(0.1 + 1e-5, tau).mean - quadrature(0.1 - 1e-5, tau).mean) / 2e-5;
      expect(Math.abs(quadrature(0.1, tau).derivative / slope - 1)).toBeLessThan(1e-7);
    }
  });

  test("the implicit derivative depends on the start, the expectation's does not", () => {
    const [right, left] = [1, -1].map((start) => implicitDerivative(0.1, start));
    expect(right.theta).toBeGreaterThan(0.9);
    expect(left.theta).toBeLessThan(-0.9);
    expect(left.derivative - right.derivative).toBeGreaterThan(0.5);
    const exact = quadrature(0.1, 0.2).derivative;
    for (const start of [1, -1]) {
      const { mean, error } = chainScore(0.1, 0.2, 0.1, start, 40_000, new Random(4, `from ${start}`), never);
      expect(error).toBeLessThan(0.2);
      expect(Math.abs(mean - exact)).toBeLessThan(3 * error);
    }
  });

  test("the path's derivative explodes on its way between the wells", () => {
    const { largest } = pathDerivative(0.1, 0.2, 0.02, 1, 40_000, new Random(5), never);
    expect(largest).toBeGreaterThan(100);
  });
});
