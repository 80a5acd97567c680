import { expect, test } from "vitest";
import { EPS } from "../../../src/base/index.ts";
import {
  CentralProcess,
  compileRule,
  deltasAlong,
  gradientDescent,
  predict,
  rmsProp,
  scalarRmsProp,
} from "../../../src/flows/index.ts";
import { symmetricEigen } from "../../../src/linalg/index.ts";
import { setupAt, takeSteps, twoEigenvalues } from "../problems.ts";

const P = 5;
const C = 2;

const entriesAt =
  (indices: readonly number[]) =>
  (vector: Float64Array): Float64Array =>
    Float64Array.from(indices, (l) => vector[l]);

test.each([
  ["gd", gradientDescent({ lr: 0.3 }), [0.05, 0.02, 6.65, 6.6, 0.01]],
  ["scalar-rmsprop", scalarRmsProp({ lr: 0.3, beta2: 0.9 }), [0.02, 0.05, 1.2, 1.1, 0.1]],
  ["rmsprop", rmsProp({ lr: 0.1, beta2: 0.99, eps: 1e-2 }), [0.02, 0.05, 1.2, 1.1, 0.1]],
] as const)("%s: every prediction is what Σ = U X U' gives in dense arithmetic", (_, rule, start) => {
  const setup = setupAt(twoEigenvalues(0.01), rule, start, { rawEigenvalues: true });
  const process = new CentralProcess(setup, {
    substeps: 4,
    criticalThreshold: 1.95,
    frequencyInSubsteps: false,
  });
  let seenTwo = 0;
  takeSteps(process, 150, () => {
    expect(process.status.kind).toBe("running");
    const seen = process.observation;
    if (!seen?.substep || !seen.pairs) return;
    const { substep, pairs, preconditioner, gradient, critical: k } = seen;
    const { X } = substep;
    const u = (i: number, l: number): number => pairs.vectors[i * P + l];
    const sigma = Array.from({ length: P * P }, (_, at) => {
      let total = 0;
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) total += u(i, Math.floor(at / P)) * X[i * k + j] * u(j, at % P);
      return total;
    });
    const oscillation = seen.oscillation;
    const { variances, directions } = oscillation;
    if (k === 2 && variances[1] > 1e-6) seenTwo++;

    expect(variances.length).toBe(k);
    for (let i = 1; i < k; i++) expect(variances[i - 1]).toBeGreaterThanOrEqual(variances[i]);
    const eigenvalues = Array.from(symmetricEigen(X, k).values).sort((a, b) => b - a);
    variances.forEach((value, i) => {
      expect(Math.abs(value - eigenvalues[i])).toBeLessThanOrEqual(100 * EPS * eigenvalues[0]);
    });
    const sizeSigma = Math.max(...sigma.map(Math.abs));
    for (let a = 0; a < P; a++)
      for (let b = 0; b < P; b++) {
        let total = 0;
        for (let i = 0; i < k; i++) total += variances[i] * directions[i * P + a] * directions[i * P + b];
        expect(Math.abs(total - sigma[a * P + b])).toBeLessThanOrEqual(1000 * EPS * sizeSigma);
      }
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) {
        let total = 0;
        for (let l = 0; l < P; l++)
          total += directions[i * P + l] * preconditioner[l] * directions[j * P + l];
        expect(Math.abs(total - (i === j ? 1 : 0))).toBeLessThanOrEqual(1e4 * EPS);
      }

    const indices = [0, 1, 4];
    const predicted = predict(seen, oscillation, C, entriesAt(indices));
    // tr X = tr(PΣ), and HΣH = c²PΣP where Σ lives on the critical directions.
    let [tracePSigma, trace, hessianSquare, square] = [0, 0, 0, 0];
    for (let l = 0; l < P; l++) {
      tracePSigma += preconditioner[l] * sigma[l * P + l];
      trace += sigma[l * P + l];
      hessianSquare += (C * preconditioner[l]) ** 2 * sigma[l * P + l];
      square += gradient[l] ** 2;
    }
    const near = (found: number, exact: number): void =>
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(1e4 * EPS * Math.max(Math.abs(exact), sizeSigma));
    near(predicted.loss, seen.loss + (C / 2) * tracePSigma);
    near(predicted.sigmaTrace, trace);
    near(predicted.gradientNormSquared, square + hessianSquare);
    indices.forEach((l, at) => {
      near(predicted.gradientSquared[at], gradient[l] ** 2 + (C * preconditioner[l]) ** 2 * sigma[l * P + l]);
    });

    const displacement = Float64Array.from({ length: P }, (_, l) => Math.cos(l + 1));
    const deltas = deltasAlong(oscillation, preconditioner, displacement);
    for (let i = 0; i < k; i++) {
      let total = 0;
      for (let l = 0; l < P; l++) total += directions[i * P + l] * preconditioner[l] * displacement[l];
      expect(Math.abs(deltas[i] - total)).toBeLessThanOrEqual(1e4 * EPS * Math.max(...preconditioner));
    }
  });
  expect(seenTwo).toBeGreaterThanOrEqual(3);
});

test("with nothing critical the predictions are the flow's own values and nothing oscillates", () => {
  const rule = gradientDescent({ lr: 0.01 });
  const process = new CentralProcess(setupAt(twoEigenvalues(0.01), rule, [0.1, 0.2, 1, 1, 0]), {
    substeps: 4,
    criticalThreshold: 1.95,
    frequencyInSubsteps: false,
  });
  process.prepare();
  const seen = process.observation;
  if (!seen) throw new Error("the flow has run");
  const oscillation = seen.oscillation;
  expect(oscillation.variances.length).toBe(0);
  const predicted = predict(seen, oscillation, compileRule(rule, P).rule.criticalValue, entriesAt([2]));
  expect(predicted.loss).toBe(seen.loss);
  expect(predicted.sigmaTrace).toBe(0);
  expect(predicted.gradientSquared[0]).toBe(seen.gradient[2] ** 2);
  expect(deltasAlong(oscillation, seen.preconditioner, seen.weights).length).toBe(0);
});
