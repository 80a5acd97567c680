import fc from "fast-check";
import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  centralSubstep,
  compileRule,
  gradientDescent,
  scalarRmsProp,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import { symmetricEigen } from "../../../src/linalg/index.ts";
import { type Cubic, cubicGradient, cubicHessian, cubicObjective, cubicThird, norm } from "../problems.ts";

/** A cubic at a point with its sharpness S, eigenvector v, ∇L and ∇S = D³L[v, v, ·]. */
function drawn(seed: number) {
  const random = new Random(seed, "closed form");
  const p = 4;
  const normal = (length: number): Float64Array => random.fillNormal(new Float64Array(length));
  const G = normal(p * p);
  const H = G.map((entry, at) => (entry + G[(at % p) * p + Math.floor(at / p)]) / 2);
  for (let l = 0; l < p; l++) H[l * p + l] += l === 0 ? 12 : 4;
  const cubic: Cubic = { p, H, g: normal(p), a: normal(6), b: normal(6 * p) };
  const w = normal(p).map((entry) => 0.2 * entry);
  const { values, vectors } = symmetricEigen(cubicHessian(cubic, w), p);
  const top = values.indexOf(Math.max(...values));
  const v = vectors.slice(top * p, (top + 1) * p);
  const gradient = cubicGradient(cubic, w);
  const slope = cubicThird(cubic, v, v);
  const along = gradient.reduce((total, entry, l) => total - entry * slope[l], 0);
  return {
    cubic,
    w,
    S: values[top],
    v,
    gradient,
    slope,
    along,
    G2: norm(gradient) ** 2,
    D2: norm(slope) ** 2,
  };
}

/** The flow's σ² along v, with one critical eigenvalue that stands at the edge exactly. */
function flowVariance(
  rule: UpdateRule,
  { cubic, w, S, v, gradient }: ReturnType<typeof drawn>,
  state: Float64Array,
) {
  const objective = cubicObjective(cubic);
  objective.setWeights(w);
  const compiled = compileRule(rule, cubic.p);
  const preconditioner = new Float64Array(cubic.p);
  compiled.preconditioner(state, preconditioner);
  const P = preconditioner[0];
  const critical = {
    count: 1,
    values: Float64Array.of(S / P),
    vectors: v.map((entry) => entry / Math.sqrt(P)),
  };
  const point = { weights: w.slice(), state: state.slice(), gradient, preconditioner };
  const { X, status } = centralSubstep(objective, compiled, point, critical, 1e-2);
  expect(status).toBe("solved");
  return X[0] / P;
}

/** A relative comparison for sums of the given sizes; A₀/dt, zero but for rounding, is among them. */
function expectClose(found: number, exact: number, size: number): void {
  expect(Math.abs(found - Math.max(0, exact))).toBeLessThanOrEqual(1e5 * EPS * size);
}

test("gd: σ² = 2⟨−∇L, ∇S⟩/‖∇S‖²", () => {
  let positive = 0;
  fc.assert(
    fc.property(fc.nat(1e6), (seed) => {
      const at = drawn(seed);
      const found = flowVariance(gradientDescent({ lr: 2 / at.S }), at, Float64Array.of(1));
      const exact = (2 * at.along) / at.D2;
      expectClose(found, exact, (Math.sqrt(at.G2 * at.D2) + at.S ** 2) / at.D2);
      if (found > 0) positive++;
    }),
    { numRuns: 40 },
  );
  expect(positive).toBeGreaterThan(5);
});

/** docs/derivations.md, section 7. */
function closedForm({ S, along, G2, D2 }: ReturnType<typeof drawn>, lr: number, b: number): number {
  const above = (2 * along) / S ** 2 + (b / 2) * (1 - (4 * G2) / (lr * S) ** 2);
  return above / (D2 / S ** 2 + (2 * b) / lr ** 2);
}

test("scalar RMSProp: the closed form, for any β2", () => {
  let positive = 0;
  fc.assert(
    fc.property(
      fc.nat(1e6),
      fc.double({ min: 0.05, max: 0.999, noNaN: true }),
      fc.double({ min: 0.2, max: 5, noNaN: true }),
      (seed, beta2, ratio) => {
        const at = drawn(seed);
        const b = (1 - beta2) / beta2;
        // ν at rest is ‖∇L‖²; η is chosen around the value with which that gives the edge ηS = 2√ν.
        const lr = (ratio * 2 * Math.sqrt(at.G2)) / at.S;
        const nu = (lr * at.S) ** 2 / 4;
        const found = flowVariance(scalarRmsProp({ lr, beta2 }), at, Float64Array.of(1, nu));
        const exact = closedForm(at, lr, b);
        const bottom = at.D2 / at.S ** 2 + (2 * b) / lr ** 2;
        const size =
          ((2 * Math.sqrt(at.G2 * at.D2)) / at.S ** 2 + (b / 2) * (1 + 1 / ratio ** 2) + 1) / bottom;
        expectClose(found, exact, size * (1 + lr));
        if (found > 0) positive++;
      },
    ),
    { numRuns: 80 },
  );
  expect(positive).toBeGreaterThan(10);
});

test("its limits: gd for b → 0, η²/4 − ‖∇L‖²/S² for b → ∞", () => {
  fc.assert(
    fc.property(fc.nat(1e6), (seed) => {
      const at = drawn(seed);
      const lr = (4 * Math.sqrt(at.G2)) / at.S;
      const state = Float64Array.of(1, (lr * at.S) ** 2 / 4);
      const slow = flowVariance(scalarRmsProp({ lr, beta2: 1 - 1e-10 }), at, state);
      // b = 1e-10 moves numerator and denominator by b/2 and 2b/η².
      const gd = Math.max(0, (2 * at.along) / at.D2);
      expect(Math.abs(slow - gd)).toBeLessThanOrEqual(
        1e-9 * (1 + gd / lr ** 2) * (at.S ** 2 / at.D2) +
          1e5 * EPS * ((Math.sqrt(at.G2 * at.D2) + at.S ** 2) / at.D2),
      );
      const beta2 = 1e-9;
      const fast = flowVariance(scalarRmsProp({ lr, beta2 }), at, state);
      const limit = lr ** 2 / 4 - at.G2 / at.S ** 2;
      const correction = beta2 * lr ** 2 * ((Math.sqrt(at.G2 * at.D2) + limit * at.D2) / at.S ** 2);
      expect(Math.abs(fast - limit)).toBeLessThanOrEqual(2 * correction + 1e5 * EPS * lr ** 2);
    }),
    { numRuns: 40 },
  );
});
