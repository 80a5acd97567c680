import { describe, expect, test } from "vitest";
import { CentralProcess, type CentralSettings, gradientDescent } from "../../../src/flows/index.ts";
import { EIGEN, edgeExample, norm, setupAt, takeSteps, twoEigenvalues, weightsOf } from "../problems.ts";

const LR = 0.3;
const SETTINGS: CentralSettings = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
/** Near machine precision, so that where the flow settles is not blurred by the eigensolver. */
const SHARP = { ...EIGEN, tolerance: 1e-14 };

function central(objective: Parameters<typeof setupAt>[0], start: readonly number[]): CentralProcess {
  return new CentralProcess(
    setupAt(objective, gradientDescent({ lr: LR }), start, { eigen: SHARP }),
    SETTINGS,
  );
}

describe.each([
  [0.7, 1e-3],
  [1, 1e-3],
  [2, 1e-3],
  [1, 1e-2],
  [0.7, 4e-4],
])("the minimal example with ζ = %f, ε = %f", (zeta, epsilon) => {
  const process = central(edgeExample(zeta, epsilon), [0.01, 6.62]);
  // ε⁻¹ steps to climb to the edge; then x and y settle along it at a rate of about 2/(1 + 9ζ²) per step.
  takeSteps(process, Math.round(0.6 / epsilon) + Math.round(20 * (1 + 9 * zeta ** 2)));
  process.prepare();
  const [x, y] = weightsOf(process);
  const seen = process.observation;
  if (!seen) throw new Error("the flow has run");
  const variance = LR * seen.oscillation.variances[0];

  test("settles where its own equations have a rest: S = 2/η, ∇L + ½σ²∇S = 0", () => {
    expect(process.status.kind).toBe("running");
    expect(seen.critical).toBe(1);
    // The larger eigenvalue of [[a, x], [x, 0]], a = y + 3ζx, and its gradient.
    const a = y + 3 * zeta * x;
    const root = Math.hypot(a, 2 * x);
    const sharpness = (a + root) / 2;
    expect(Math.abs(sharpness - 2 / LR)).toBeLessThanOrEqual(1e-9);
    const gradient = [x * y + 1.5 * zeta * x * x - epsilon, (x * x) / 2 - epsilon];
    const slope = [(3 * zeta + (3 * zeta * a + 4 * x) / root) / 2, (1 + a / root) / 2];
    const force = gradient.map((entry, l) => entry + 0.5 * variance * slope[l]);
    expect(norm(force)).toBeLessThanOrEqual(1e-8 * epsilon);
  });

  test("with the variance 2ε, up to terms of order ε²", () => {
    // At rest σ²(1 + a/r)/2 = 2ε − x², x = O(ε): the deviation is below x² + σ²·O(x²).
    expect(Math.abs(variance - 2 * epsilon)).toBeLessThanOrEqual(2 * x * x);
    expect(Math.abs(x)).toBeLessThanOrEqual(2 * zeta * epsilon);
  });

  test("and with the time averages of the discrete run, up to terms of relative order ε", () => {
    let [u, v] = [0.01, 6.62];
    let [meanX, meanSquare, meanSharpness, count] = [0, 0, 0, 0];
    const steps = Math.round(400 / epsilon);
    for (let t = 0; t < steps; t++) {
      const [gu, gv] = [u * v + 1.5 * zeta * u * u - epsilon, (u * u) / 2 - epsilon];
      u -= LR * gu;
      v -= LR * gv;
      if (t < steps / 2) continue;
      const a = v + 3 * zeta * u;
      meanX += u;
      meanSquare += u * u;
      meanSharpness += (a + Math.hypot(a, 2 * u)) / 2;
      count++;
    }
    meanX /= count;
    expect(Math.abs(meanSquare / count / (2 * epsilon) - 1)).toBeLessThanOrEqual(epsilon);
    expect(Math.abs((meanSquare / count - meanX ** 2) / variance - 1)).toBeLessThanOrEqual(epsilon);
    expect(Math.abs((meanSharpness / count / 2) * LR - 1)).toBeLessThanOrEqual(epsilon);
    expect(Math.abs(meanX - x)).toBeLessThanOrEqual(epsilon ** 1.5 * 10);
  });
});

describe.each([1e-2, 2.5e-3])("the example with two eigenvalues and ε = %f", (epsilon) => {
  const process = central(twoEigenvalues(epsilon), [0.05, 0.02, 6.6, 6.55, 0]);
  takeSteps(process, Math.round(12 / epsilon));
  process.prepare();
  const seen = process.observation;
  if (!seen) throw new Error("the flow has run");
  const { variances, directions } = seen.oscillation;
  const covariance = (i: number, j: number): number =>
    variances.reduce((total, value, r) => total + value * directions[r * 5 + i] * directions[r * 5 + j], 0);

  test("settles with two eigenvalues at the edge and no third force", () => {
    expect(process.status.kind).toBe("running");
    expect(seen.critical).toBe(2);
    expect(Math.abs((seen.pairs?.values[0] ?? 0) - 2)).toBeLessThanOrEqual(1e-9);
    expect(Math.abs((seen.pairs?.values[1] ?? 0) - 2)).toBeLessThanOrEqual(1e-9);
    // At rest ∂/∂y of L + ½⟨H, Σ⟩ vanishes: E[x₁²] = 4ε, E[x₂²] = 2ε, E[x₁x₂] = √2·ε, with E[xxᵀ] = x̄x̄ᵀ + Σ.
    const [x1, x2] = weightsOf(process);
    expect(Math.abs(covariance(0, 0) + x1 * x1 - 4 * epsilon)).toBeLessThanOrEqual(10 * epsilon ** 2);
    expect(Math.abs(covariance(1, 1) + x2 * x2 - 2 * epsilon)).toBeLessThanOrEqual(10 * epsilon ** 2);
    expect(Math.abs(covariance(0, 1) + x1 * x2 - Math.SQRT2 * epsilon)).toBeLessThanOrEqual(
      10 * epsilon ** 2,
    );
  });

  test("and Σ is the covariance of the discrete run", () => {
    const w = [0.05, 0.02, 6.6, 6.55, 0];
    let [m1, m2, m11, m12, m22, count] = [0, 0, 0, 0, 0, 0];
    const steps = 400_000;
    for (let t = 0; t < steps; t++) {
      const [x1, x2, y1, y2, y3] = w;
      const gradient = [
        y1 * x1 + (y3 * x2) / Math.SQRT2 + 1.5 * x1 * x1 - epsilon,
        y2 * x2 + (y3 * x1) / Math.SQRT2 + 1.5 * x2 * x2,
        (x1 * x1) / 2 - 2 * epsilon,
        (x2 * x2) / 2 - epsilon,
        (x1 * x2) / Math.SQRT2 - epsilon,
      ];
      for (let l = 0; l < 5; l++) w[l] -= LR * gradient[l];
      if (t < steps / 2) continue;
      m1 += x1;
      m2 += x2;
      m11 += x1 * x1;
      m12 += x1 * x2;
      m22 += x2 * x2;
      count++;
    }
    const measured = [
      m11 / count - (m1 / count) ** 2,
      m12 / count - (m1 * m2) / count ** 2,
      m22 / count - (m2 / count) ** 2,
    ];
    // The flow leaves out the fourth order of the oscillation, of relative order ε; the average of a bounded
    // y over T steps leaves |y(T) − y(0)|/(ηT), here below 1e-5, in the mean of each of the moments.
    const predicted = [covariance(0, 0), covariance(0, 1), covariance(1, 1)];
    predicted.forEach((value, i) => {
      expect(Math.abs(measured[i] / value - 1)).toBeLessThanOrEqual(epsilon / 5 + 1e-5 / epsilon);
    });
  });
});
