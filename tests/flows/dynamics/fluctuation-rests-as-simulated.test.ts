import { expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { ofFluctuation, restingKurtosis, type SlowSystem } from "../../../src/flows/index.ts";
import { svec, svecLength } from "../../../src/linalg/index.ts";

/** K of the slow system of one direction, and the mean of d, by steps of h, symmetric in time. */
function simulated(a: number, b: number, kappa: number, steps: number): { K: number; mean: number } {
  const random = new Random(3, `slow ${a} ${b} ${kappa}`);
  const h = 0.05;
  let [z, d] = [1, (a + b) / 2];
  let [second, fourth, mean] = [0, 0, 0];
  for (let t = -steps / 10; t < steps; t++) {
    d += 0.5 * h * (z * z - 1);
    const D = d + kappa * z * z;
    const decay = Math.exp(-D * h);
    const variance = Math.abs(D * h) > 1e-6 ? (a * (1 - decay * decay)) / (2 * D) : a * h;
    z = decay * z + Math.sqrt(variance) * random.normal();
    d += 0.5 * h * (z * z - 1) + (b > 0 ? Math.sqrt(b * h) * random.normal() : 0);
    if (t < 0) continue;
    second += z * z;
    fourth += z ** 4;
    mean += d / steps;
  }
  return { K: (fourth * steps) / second ** 2, mean };
}

test("with noise along the oscillation alone it is Gaussian: K = 3 and Y rests at N/(2X), exactly", () => {
  for (const a of [1.5, 4]) {
    const { K, mean } = simulated(a, 0, 0, 400_000);
    expect(restingKurtosis(a, 0, 0)).toBe(3);
    expect(Math.abs(K / 3 - 1)).toBeLessThan(0.03);
    expect(Math.abs(mean / (a / 2) - 1)).toBeLessThan(0.03);
  }
});

test("the kurtosis is that of the slow system, with noise of the sharpness and with damping", () => {
  for (const [a, b, kappa] of [
    [13, 2.6, 0.016],
    [4.2, 8.4, 0.05],
    [1.5, 0, 0.11],
    [0.5, 0.25, 0],
    [4, 0, 1],
    [1, 1, 0],
  ])
    expect(
      Math.abs(restingKurtosis(a, b, kappa) / simulated(a, b, kappa, 300_000).K - 1),
      `${a} ${b} ${kappa}`,
    ).toBeLessThan(0.2);
});

test("without noise a damped oscillation does not fluctuate", () => {
  expect(restingKurtosis(0, 0, 0.1)).toBe(1);
  expect(restingKurtosis(1e-6, 0, 0.1)).toBeLessThan(1.01);
});

/** For k = 1 by the formulas of docs/derivations.md, section 17; x rests where they say. */
test("of one direction N gains (3B/2 − 2F)X²(K − 1) and loses YM/(2B)", () => {
  const [N, M, B, F, X, Y] = [3e-3, 2e-6, 0.013, 0.06, 0.07, 0.02];
  const slow: SlowSystem = {
    held: 1,
    driving: Float64Array.of(N),
    shaken: Float64Array.of(M),
    response: Float64Array.of(B),
    damping: Float64Array.of(F),
  };
  const rate = Math.sqrt(B * X);
  const K = restingKurtosis(N / (X * rate), M / rate ** 3, ((F - 0.75 * B) * X) / rate);
  const expected = (1.5 * B - 2 * F) * X * X * (K - 1) - (Y * M) / (2 * B);
  expect(ofFluctuation(slow, Float64Array.of(X), Float64Array.of(Y))[0] / expected).toBeCloseTo(1, 12);
});

test("two directions that answer one another rest where N with their fluctuation says", () => {
  const random = new Random(8, "two");
  const k = 2;
  const m = svecLength(k);
  const beta = 4e-3;
  const eye = (scale: number) =>
    Float64Array.from({ length: m * m }, (_, at) => (at % (m + 1) === 0 ? scale : 0));
  const driving = Float64Array.of(3e-3, 8e-4, 8e-4, 2e-3);
  const target = Float64Array.of(0.1, 0.02, 0.02, 0.06);
  const response = eye(beta);
  const damping = eye(0.05);
  // The square root of N: a symmetric 2×2 matrix.
  const s = Math.sqrt(driving[0] * driving[3] - driving[1] ** 2);
  const t = Math.sqrt(driving[0] + driving[3] + 2 * s);
  const root = driving.map((entry, at) => (entry + (at % 3 === 0 ? s : 0)) / t);
  const steps = 800_000;
  const z = [0.1, 0.1];
  // Y by its mean: what it rests at is not known.
  const y = [0.02, 0, 0, 0.02];
  const [meanX, meanY] = [new Float64Array(4), new Float64Array(4)];
  for (let step = -50_000; step < steps; step++) {
    const zz = [z[0] * z[0], z[0] * z[1], z[1] * z[0], z[1] * z[1]];
    if (step >= 0)
      for (let at = 0; at < 4; at++) {
        meanX[at] += zz[at] / steps;
        meanY[at] += y[at] / steps;
      }
    const f = (at: number): number => 0.05 * (zz[at] - target[at]);
    const noise = [random.normal(), random.normal()];
    const next = [0, 1].map(
      (i) =>
        z[i] -
        [0, 1].reduce((total, j) => total + (y[2 * i + j] + f(2 * i + j)) * z[j], 0) +
        root[2 * i] * noise[0] +
        root[2 * i + 1] * noise[1],
    );
    for (let at = 0; at < 4; at++) y[at] += beta * (zz[at] - target[at]);
    [z[0], z[1]] = next;
  }
  const slow: SlowSystem = { held: k, driving, shaken: new Float64Array(m * m), response, damping };
  const predicted = ofFluctuation(slow, meanX, meanY);
  const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Float64Array.of(
      a[0] * b[0] + a[1] * b[2],
      a[0] * b[1] + a[1] * b[3],
      a[2] * b[0] + a[3] * b[2],
      a[2] * b[1] + a[3] * b[3],
    );
  const xy = product(meanX, meanY);
  const yx = product(meanY, meanX);
  const yxy = product(meanY, xy);
  const found = driving.map((entry, at) => xy[at] + yx[at] - yxy[at] - entry);
  expect(svec(meanX, k).every((entry, at) => Math.abs(entry - svec(target, k)[at]) < 2e-3)).toBe(true);
  const size = Math.hypot(...predicted);
  expect(Math.hypot(...found.map((entry, at) => entry - predicted[at])) / size).toBeLessThan(0.2);
});
