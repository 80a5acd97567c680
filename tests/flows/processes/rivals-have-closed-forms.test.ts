import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import {
  CentralProcess,
  gradientDescent,
  rmsProp,
  StationaryProcess,
  scalarRmsProp,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import {
  cubicObjective,
  denseHessian,
  distance,
  edgeExample,
  effectiveSpectrum,
  norm,
  setupAt,
  takeSteps,
  twoEigenvalues,
  weightsOf,
} from "../problems.ts";

const settings = (substeps: number) => ({ substeps, criticalThreshold: 1.95, frequencyInSubsteps: true });

/** The cubic's curvature is held up by a positive definite part, so that it stays usable for some steps. */
function cubic(seed: number) {
  const random = new Random(seed, "rivals");
  const p = 5;
  const normal = (length: number): Float64Array => random.fillNormal(new Float64Array(length));
  const G = normal(p * p);
  const H = G.map((entry, at) => 0.3 * (entry + G[(at % p) * p + Math.floor(at / p)]));
  for (let l = 0; l < p; l++) H[l * p + l] += l === 0 ? 8 : 3;
  return { p, H, g: normal(p), a: normal(6).map((entry) => 0.3 * entry), b: normal(6 * p) };
}

describe("ablated", () => {
  test("scalar RMSProp at the edge: dw/dt = −(2/S)∇L", () => {
    const objective = edgeExample(1, 0.02);
    const setup = setupAt(objective, scalarRmsProp({ lr: 0.1, beta2: 0.9 }), [0.2, 2]);
    const ablated = new CentralProcess(setup, settings(1), "ablated");
    let checked = 0;
    let before: { w: Float64Array; velocity: Float64Array } | undefined;
    takeSteps(ablated, 60, () => {
      const seen = ablated.observation;
      if (!seen) throw new Error(JSON.stringify(ablated.status));
      if (before) {
        const moved = seen.weights.map((entry, l) => entry - (before as { w: Float64Array }).w[l]);
        expect(distance(moved, before.velocity)).toBeLessThanOrEqual(0.01 * norm(moved));
        checked++;
      }
      const S = effectiveSpectrum(denseHessian(objective), new Float64Array(2).fill(1))[0];
      const edge = Math.abs(seen.pairs!.values[0] / 2 - 1) < 5e-3;
      before = edge
        ? { w: seen.weights, velocity: seen.gradient.map((entry) => (-2 / S) * entry) }
        : undefined;
    });
    expect(checked).toBeGreaterThan(20);
  });

  test("has no curvature penalty, and below the edge it is the central flow to the bit", () => {
    const setup = () => setupAt(edgeExample(1, 0.02), scalarRmsProp({ lr: 0.1, beta2: 0.9 }), [0.2, 2]);
    const ablated = new CentralProcess(setup(), settings(4), "ablated");
    const central = new CentralProcess(setup(), settings(4));
    let equal = 0;
    for (let step = 0; step < 60; step++) {
      for (const process of [ablated, central]) process.prepare();
      const nothing = (ablated.observation?.critical ?? 1) + (central.observation?.critical ?? 1) === 0;
      if (nothing && equal === step) {
        expect(ablated.observation?.weights).toEqual(central.observation?.weights);
        equal++;
      }
      for (const process of [ablated, central]) process.advance();
    }
    expect(equal).toBeGreaterThan(0);
    expect(equal).toBeLessThan(60);
    // y is the sharpness: without the penalty the weights go where it is larger.
    expect(weightsOf(ablated)[1]).toBeGreaterThan(weightsOf(central)[1]);
  });
});

describe("stationary", () => {
  const rules: Record<string, (options: { lr: number; beta2: number }) => UpdateRule> = {
    "scalar-rmsprop": scalarRmsProp,
    rmsprop: rmsProp,
  };

  test.each(Object.keys(rules))("%s: the limit of the central flow for fast ν", (name) => {
    for (const [problem, start] of [
      // At x² = 2ε the gradient in y is 0, and so would be the first ν.
      [() => edgeExample(1, 0.02), [0.3, 2]],
      [() => twoEigenvalues(0.01), [0.02, 0.05, 1.2, 1.1, 0.1]],
      [() => cubicObjective(cubic(3)), [0.3, -0.2, 0.4, 0.1, -0.3]],
    ] as const) {
      const lr = 0.05;
      const stationary = new StationaryProcess(
        setupAt(problem(), rules[name]({ lr, beta2: 0.5 }), start),
        settings(64),
      );
      takeSteps(stationary, 6);
      const rest = weightsOf(stationary);
      const misses = [0.1, 0.05].map((beta2) => {
        const central = new CentralProcess(
          setupAt(problem(), rules[name]({ lr, beta2 }), start),
          settings(64),
        );
        takeSteps(central, 6);
        expect(central.status).toEqual({ kind: "running" });
        return distance(weightsOf(central), rest) / distance(rest, start);
      });
      expect(stationary.status).toEqual({ kind: "running" });
      // ν lags by about β2 steps: the difference falls with β2.
      expect(misses[1], `${name}: ${misses}`).toBeLessThan(0.7 * misses[0]);
      expect(misses[1], `${name}: ${misses}`).toBeLessThan(0.06);
    }
  });

  test("below the edge it is sign descent: P̄ = |g|/η", () => {
    const objective = edgeExample(1, 0.02);
    const lr = 1e-3;
    const process = new StationaryProcess(
      setupAt(objective, rmsProp({ lr, beta2: 0.9 }), [1, 0.2]),
      settings(4),
    );
    process.prepare();
    const seen = process.observation;
    if (!seen) throw new Error(JSON.stringify(process.status));
    expect(seen.oscillation.variances.length).toBe(0);
    seen.preconditioner.forEach((entry, l) => {
      expect(Math.abs((entry * lr) / Math.abs(seen.gradient[l]) - 1)).toBeLessThanOrEqual(1e-12);
    });
    process.advance();
    weightsOf(process).forEach((entry, l) => {
      expect(Math.abs(Math.abs(entry - [1, 0.2][l]) / lr - 1)).toBeLessThanOrEqual(1e-12);
    });
  });

  test("scalar RMSProp: at the edge P̄ = S/2 and σ² = η²/4 − ‖∇L‖²/S²", () => {
    const objective = edgeExample(1, 0.02);
    const lr = 0.1;
    const process = new StationaryProcess(
      setupAt(objective, scalarRmsProp({ lr, beta2: 0.9 }), [0.2, 2]),
      settings(4),
    );
    let seenAtEdge = 0;
    takeSteps(process, 40, () => {
      const seen = process.observation;
      if (!seen) throw new Error(JSON.stringify(process.status));
      objective.setWeights(seen.weights);
      const S = effectiveSpectrum(denseHessian(objective), new Float64Array(2).fill(1))[0];
      const size = norm(seen.gradient);
      const P = Math.max(size / lr, S / 2);
      expect(Math.abs(seen.preconditioner[0] / P - 1)).toBeLessThanOrEqual(1e-9);
      expect(Math.abs(seen.state[1] / (lr * P) ** 2 - 1)).toBeLessThanOrEqual(1e-9);
      if (seen.oscillation.variances.length === 0) return;
      seenAtEdge++;
      // Variances are those in the metric of P.
      const variance = seen.oscillation.variances[0] / P;
      expect(Math.abs(variance - (lr ** 2 / 4 - size ** 2 / S ** 2))).toBeLessThanOrEqual(1e-9 * lr ** 2);
    });
    expect(seenAtEdge).toBeGreaterThan(10);
  });

  test("rmsprop: ν̄ = g⊙g + diag(HΣH), the root of dν/dt, and H ⪯ 2P̄", () => {
    const objective = cubicObjective(cubic(5));
    const lr = 0.1;
    const setup = setupAt(objective, rmsProp({ lr, beta2: 0.9 }), [0.3, -0.2, 0.4, 0.1, -0.3]);
    const process = new StationaryProcess(setup, settings(8));
    let critical = 0;
    takeSteps(process, 12, () => {
      const seen = process.observation;
      if (!seen) throw new Error(JSON.stringify(process.status));
      objective.setWeights(seen.weights);
      const H = denseHessian(objective);
      expect(effectiveSpectrum(H, seen.preconditioner)[0]).toBeLessThanOrEqual(2 * (1 + 1e-8));
      expect(seen.violation).toBeLessThanOrEqual(1e-8);
      const { variances, directions } = seen.oscillation;
      critical += variances.length;
      const p = 5;
      const expected = seen.gradient.map((entry) => entry ** 2);
      variances.forEach((variance, j) => {
        for (let l = 0; l < p; l++) {
          let h = 0;
          for (let m = 0; m < p; m++) h += H[l * p + m] * directions[j * p + m];
          expected[l] += variance * h ** 2;
        }
      });
      expected.forEach((entry, l) => {
        const nu = (lr * seen.preconditioner[l]) ** 2;
        expect(Math.abs(nu / entry - 1)).toBeLessThanOrEqual(1e-7);
        expect(Math.abs(seen.state[1 + l] / nu - 1)).toBeLessThanOrEqual(1e-12);
      });
    });
    expect(critical).toBeGreaterThan(3);
  });

  test.each(Object.keys(rules))("%s: halving dt halves the error", (name) => {
    const run = (substeps: number): Float64Array => {
      const process = new StationaryProcess(
        setupAt(cubicObjective(cubic(3)), rules[name]({ lr: 0.1, beta2: 0.9 }), [0.3, -0.2, 0.4, 0.1, -0.3]),
        settings(substeps),
      );
      takeSteps(process, 6);
      expect(process.status).toEqual({ kind: "running" });
      return weightsOf(process);
    };
    const fine = run(256);
    const errors = [8, 16, 32].map((substeps) => distance(run(substeps), fine));
    expect(errors[1] / errors[0], String(errors)).toBeLessThan(0.65);
    expect(errors[2] / errors[1], String(errors)).toBeLessThan(0.65);
  });

  test("ε is left out of P̄ and added where the weights move; bias correction is left out", () => {
    const at = (options: { eps?: number; biasCorrection?: boolean }) => {
      const process = new StationaryProcess(
        setupAt(edgeExample(1, 0.02), rmsProp({ lr: 0.1, beta2: 0.9, ...options }), [0.2, 2]),
        settings(4),
      );
      process.prepare();
      if (!process.observation) throw new Error(JSON.stringify(process.status));
      return process.observation;
    };
    const plain = at({});
    const shifted = at({ eps: 0.01, biasCorrection: true });
    expect(shifted.state.slice(1)).toEqual(plain.state.slice(1));
    shifted.preconditioner.forEach((entry, l) => {
      expect(Math.abs(entry - plain.preconditioner[l] - 0.1)).toBeLessThanOrEqual(1e-12 * entry);
    });
  });

  test("refuses a rule without a second moment and a run without eigenvalues", () => {
    const setup = setupAt(edgeExample(1, 0.02), gradientDescent({ lr: 0.1 }), [0.2, 2]);
    expect(() => new StationaryProcess(setup, settings(4))).toThrow(/stationary flow: .*gd/);
    const blind = setupAt(edgeExample(1, 0.02), rmsProp({ lr: 0.1, beta2: 0.9 }), [0.2, 2]);
    const eigen = { ...blind.eigen, frequency: -1 };
    expect(() => new StationaryProcess({ ...blind, eigen }, settings(4))).toThrow(
      /eigenpairs computed every/,
    );
  });
});
