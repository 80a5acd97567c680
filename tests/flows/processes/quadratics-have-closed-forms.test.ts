import fc from "fast-check";
import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  compileRule,
  DiscreteProcess,
  EigenTracker,
  effectiveHessian,
  gradientDescent,
  StableProcess,
} from "../../../src/flows/index.ts";
import { symmetricEigen } from "../../../src/linalg/index.ts";
import {
  distance,
  EIGEN,
  effectiveSpectrum,
  norm,
  quadratic,
  setupAt,
  takeSteps,
  weightsOf,
} from "../problems.ts";

/** A random quadratic of dimension p with eigenvalues in (−scale, scale). */
function randomQuadratic(seed: number, p: number, scale: number) {
  const random = new Random(seed, "quadratic");
  const G = random.fillNormal(new Float64Array(p * p));
  const H = G.map((entry, at) => (entry + G[(at % p) * p + Math.floor(at / p)]) / 2);
  const { values } = symmetricEigen(H, p);
  const largest = Math.max(...Array.from(values, Math.abs));
  const scaled = H.map((entry) => (entry * scale) / largest);
  const center = random.fillNormal(new Float64Array(p));
  const start = random.fillNormal(new Float64Array(p));
  return { H: scaled, center, start, random, objective: quadratic(scaled, center) };
}

/** f(H)(w₀ − w*) for a function of the eigenvalues. */
function spectralMap(H: Float64Array, x: Float64Array, f: (value: number) => number): Float64Array {
  const p = x.length;
  const { values, vectors } = symmetricEigen(H, p);
  const out = new Float64Array(p);
  for (let i = 0; i < p; i++) {
    let along = 0;
    for (let l = 0; l < p; l++) along += vectors[i * p + l] * x[l];
    for (let l = 0; l < p; l++) out[l] += f(values[i]) * along * vectors[i * p + l];
  }
  return out;
}

const sizes = fc.record({ seed: fc.nat(1e6), p: fc.integer({ min: 1, max: 9 }) });

test("Hessian-vector products are H v and third derivatives are zero to the bit", () => {
  fc.assert(
    fc.property(sizes, ({ seed, p }) => {
      const { H, objective, random, start } = randomQuadratic(seed, p, 3);
      objective.setWeights(start);
      const vectors = random.fillNormal(new Float64Array(2 * p));
      const products = new Float64Array(2 * p);
      objective.hvp(vectors, products, 2);
      for (let i = 0; i < 2; i++)
        for (let l = 0; l < p; l++) {
          let exact = 0;
          let size = 0;
          for (let m = 0; m < p; m++) {
            exact += H[l * p + m] * vectors[i * p + m];
            size += Math.abs(H[l * p + m] * vectors[i * p + m]);
          }
          expect(Math.abs(products[i * p + l] - exact)).toBeLessThanOrEqual(4 * p * EPS * size);
        }
      const third = new Float64Array(3 * p).fill(1);
      objective.thirdDerivatives(vectors, 2, third);
      expect(third.every((entry) => entry === 0)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("gradient descent multiplies w − w* by I − ηH in every step", () => {
  fc.assert(
    fc.property(sizes, ({ seed, p }) => {
      const { H, objective, center, start } = randomQuadratic(seed, p, 3);
      const lr = 0.3;
      const steps = 25;
      const process = new DiscreteProcess(setupAt(objective, gradientDescent({ lr }), start));
      takeSteps(process, steps);
      const offset = start.map((entry, l) => entry - center[l]);
      const exact = spectralMap(H, offset, (value) => (1 - lr * value) ** steps).map(
        (entry, l) => entry + center[l],
      );
      // Growth of a rounding error by at most |1 − ηλ|^steps, committed once per step on numbers of this size.
      const growth = Math.max(
        1,
        ...Array.from(symmetricEigen(H, p).values, (v) => Math.abs(1 - lr * v) ** steps),
      );
      const bound = 100 * steps * p * EPS * growth * (norm(offset) + norm(center));
      expect(distance(weightsOf(process), exact)).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 30 },
  );
});

test("the stable flow tends to e^{−ηHt}, its error halving with the substep", () => {
  for (const seed of [1, 2, 3]) {
    const { H, objective, center, start } = randomQuadratic(seed, 4, 2);
    const lr = 0.5;
    const offset = start.map((entry, l) => entry - center[l]);
    const steps = 3;
    const exact = spectralMap(H, offset, (value) => Math.exp(-lr * value * steps)).map(
      (e, l) => e + center[l],
    );
    const errors = [64, 128, 256].map((minSubsteps) => {
      const setup = setupAt(objective, gradientDescent({ lr }), start);
      const process = new StableProcess(setup, { minSubsteps, maxSharpness: null });
      takeSteps(process, steps);
      return distance(weightsOf(process), exact);
    });
    // Euler's error is Cδ + O(δ²); at δ = 1/64 the second term is a few percent of the first.
    expect(errors[0] / errors[1]).toBeCloseTo(2, 1);
    expect(errors[1] / errors[2]).toBeCloseTo(2, 1);
  }
});

test("the tracker finds the top of the spectrum of P^{-1/2} H P^{-1/2}, whatever the solver", () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom("lobpcg" as const, "lanczos" as const), ({ seed, p }, solver) => {
      const { H, objective, random, start } = randomQuadratic(seed, p, 3);
      const P = Float64Array.from({ length: p }, () => 10 ** (2 * random.uniform() - 1));
      const count = 1 + random.integer(p);
      const inverseRoot = P.map((entry) => 1 / Math.sqrt(entry));
      objective.setWeights(start);
      const tracker = new EigenTracker(
        objective,
        { ...EIGEN, solver, initialCount: count, trackThreshold: null },
        seed,
        "test",
      );
      const pairs = tracker.solve(inverseRoot);
      if (!pairs) throw new Error("tracking is on");
      expect(pairs.count).toBe(count);
      expect(pairs.solve?.status).toBe("converged");
      const spectrum = effectiveSpectrum(H, P);
      const size = Math.max(...spectrum.map(Math.abs));
      // An eigenvalue is off by no more than its residual, which is at most tolerance·10·p·(‖Ax‖ + |θ|).
      const bound = (2 * EIGEN.tolerance * 10 * p + 100 * p * EPS) * size;
      pairs.values.forEach((value, i) => {
        expect(Math.abs(value - spectrum[i])).toBeLessThanOrEqual(bound);
      });
      for (let i = 0; i < count; i++)
        for (let j = 0; j < count; j++) {
          let entry = 0;
          for (let l = 0; l < p; l++) entry += pairs.vectors[i * p + l] * P[l] * pairs.vectors[j * p + l];
          expect(Math.abs(entry - (i === j ? 1 : 0))).toBeLessThanOrEqual(1000 * p * EPS);
        }
    }),
    { numRuns: 40 },
  );
});

test("the effective Hessian applies P^{-1/2} H P^{-1/2}", () => {
  fc.assert(
    fc.property(sizes, ({ seed, p }) => {
      const { H, objective, random, start } = randomQuadratic(seed, p, 3);
      const { rule } = compileRule(gradientDescent({ lr: 0.1 }), p);
      expect(rule.criticalValue).toBe(2);
      const inverseRoot = Float64Array.from({ length: p }, () => 0.1 + random.uniform());
      objective.setWeights(start);
      const x = random.fillNormal(new Float64Array(p));
      const out = new Float64Array(p);
      effectiveHessian(objective, inverseRoot)(x, out, 1);
      for (let i = 0; i < p; i++) {
        let exact = 0;
        let size = 0;
        for (let j = 0; j < p; j++) {
          const term = inverseRoot[i] * H[i * p + j] * inverseRoot[j] * x[j];
          exact += term;
          size += Math.abs(term);
        }
        expect(Math.abs(out[i] - exact)).toBeLessThanOrEqual(8 * p * EPS * size);
      }
    }),
    { numRuns: 20 },
  );
});
