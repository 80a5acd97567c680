import fc from "fast-check";
import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  CentralProcess,
  EigenTracker,
  gradientDescent,
  type PairUse,
  rmsProp,
  type TrackedPairs,
} from "../../../src/flows/index.ts";
import {
  type Cubic,
  cubicHessian,
  cubicObjective,
  denseHessian,
  EIGEN,
  edgeExample,
  effectiveSpectrum,
  quadratic,
  setupAt,
  takeSteps,
} from "../problems.ts";

function diagonal(values: readonly number[]) {
  const p = values.length;
  const H = new Float64Array(p * p);
  values.forEach((value, l) => {
    H[l * p + l] = value;
  });
  const objective = quadratic(H, new Float64Array(p));
  objective.setWeights(new Float64Array(p).fill(1));
  return objective;
}

const spectra = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 1, maxLength: 8 });
/** Solves where that is due, else follows. */
function next(tracker: EigenTracker, inverseRoot: Float64Array, use?: PairUse): TrackedPairs | undefined {
  if (!tracker.tracks) return undefined;
  if (tracker.due) return tracker.solve(inverseRoot);
  return use ? tracker.followForSubstep(inverseRoot, use) : tracker.follow(inverseRoot);
}

const ones = (p: number): Float64Array => new Float64Array(p).fill(1);

test("one pair more while the smallest is at least the threshold: those above it, and one below", () => {
  fc.assert(
    fc.property(spectra, fc.integer({ min: 1, max: 4 }), (values, initialCount) => {
      const p = values.length;
      const tracker = new EigenTracker(diagonal(values), { ...EIGEN, initialCount }, 1, "grow");
      const pairs = next(tracker, ones(p));
      const above = values.filter((value) => value >= EIGEN.trackThreshold!).length;
      if (values.some((value) => Math.abs(value - 1.5) < 1e-8)) return;
      expect(pairs?.count).toBe(Math.min(p, Math.max(initialCount, above + 1)));
      expect(tracker.tracked).toBe(pairs?.count);
      const sorted = [...values].sort((a, b) => b - a);
      for (let i = 0; i < above; i++)
        expect(Math.abs((pairs?.values[i] ?? 0) - sorted[i])).toBeLessThanOrEqual(1e-10 * 3);
      for (let i = 1; i < (pairs?.count ?? 0); i++)
        expect(pairs?.values[i - 1]).toBeGreaterThanOrEqual(pairs?.values[i] ?? 0);
    }),
    { numRuns: 60 },
  );
});

test("a solve adds at most as many pairs as it may, and the next ones go on; without a bound all at once", () => {
  const values = Array.from({ length: 30 }, (_, l) => 4 - l / 20);
  const above = values.filter((value) => value >= 1.5).length;
  expect(above).toBe(30);
  const objective = diagonal([...values, 1, 0.5, 0.2]);
  const counts = (mostGrown?: number): number[] => {
    const settings = { ...EIGEN, ...(mostGrown !== undefined && { mostGrown }) };
    const tracker = new EigenTracker(objective, settings, 1, "bounded");
    return Array.from({ length: 6 }, () => tracker.solve(ones(33)).count);
  };
  expect(counts(5)).toEqual([6, 11, 16, 21, 26, 31]);
  expect(counts()).toEqual([9, 17, 25, 31, 31, 31]);
  expect(counts(32)).toEqual([31, 31, 31, 31, 31, 31]);
});

test("pairs found by growing fast are the pairs: values and residuals as for any", () => {
  const values = Array.from({ length: 40 }, (_, l) => 3 * 0.97 ** l);
  const tracker = new EigenTracker(diagonal(values), { ...EIGEN, mostGrown: 32 }, 2, "fast");
  const pairs = tracker.solve(ones(40));
  const above = values.filter((value) => value >= 1.5).length;
  expect(pairs.count).toBe(above + 1);
  expect(pairs.solve?.status).toBe("converged");
  for (let i = 0; i < above; i++)
    expect(Math.abs(pairs.values[i] - values[i])).toBeLessThanOrEqual(1e-9 * values[i]);
});

test("of pairs that fell below the threshold those near to it stay, at most four, or one, and all come back when they rise", () => {
  const objective = diagonal(Array.from({ length: 12 }, (_, l) => 3 - l / 10));
  const tracker = new EigenTracker(objective, { ...EIGEN, mostGrown: 12 }, 1, "drop");
  const all = tracker.solve(ones(12));
  expect(all.count).toBe(12);
  const scaled = tracker.solve(ones(12).fill(Math.sqrt(0.62)));
  const kept = Array.from({ length: 12 }, (_, l) => 0.62 * (3 - l / 10)).filter(
    (value) => value >= 0.9 * 1.5,
  ).length;
  expect(scaled.count).toBe(kept);
  for (const part of [scaled.values, scaled.solve?.residuals]) expect(part?.length).toBe(kept);
  expect(scaled.vectors.length).toBe(kept * 12);
  expect(tracker.solve(ones(12).fill(Math.sqrt(0.499))).count).toBe(3);
  const low = tracker.solve(ones(12).fill(0.1));
  expect(low.count).toBe(1);
  const back = tracker.solve(ones(12));
  expect(back.count).toBe(12);
  back.values.forEach((value, i) => {
    expect(Math.abs(value - all.values[i])).toBeLessThanOrEqual(1e-10 * 3);
  });
  const close = diagonal(Array.from({ length: 12 }, (_, l) => 3 - l / 50));
  const crowded = new EigenTracker(close, { ...EIGEN, mostGrown: 12 }, 1, "crowd");
  expect(crowded.solve(ones(12)).count).toBe(12);
  expect(crowded.solve(ones(12).fill(Math.sqrt(0.499))).count).toBe(4);
});

test("every copy of a multiple eigenvalue is tracked, by either solver", () => {
  for (const solver of ["lobpcg", "lanczos"] as const) {
    const values = [2.5, 2.5, 2.5, 2.5, 2.5, 1.2, 1, 0.7, 0.3, 0.3, 0.1];
    const tracker = new EigenTracker(diagonal(values), { ...EIGEN, solver }, 3, "copies");
    const pairs = tracker.solve(ones(11));
    expect(pairs.solve?.status).toBe("converged");
    expect(pairs.count).toBe(6);
    for (let i = 0; i < 5; i++) expect(Math.abs(pairs.values[i] - 2.5)).toBeLessThanOrEqual(1e-9);
  }
});

test("the number tracked is at most p, and stays fixed without a threshold", () => {
  const objective = diagonal([3, 2.5, 2, 1.8, 0.5]);
  const tracker = new EigenTracker(objective, EIGEN, 1, "keep");
  expect(next(tracker, ones(5))?.count).toBe(5);
  const low = next(tracker, ones(5).fill(0.5));
  expect(low?.count).toBe(1);
  expect(low?.values[0]).toBeCloseTo(0.75, 9);
  const fixed = new EigenTracker(objective, { ...EIGEN, trackThreshold: null, initialCount: 2 }, 1, "fixed");
  expect(next(fixed, ones(5))?.count).toBe(2);
  fixed.track(4);
  expect(next(fixed, ones(5))?.count).toBe(4);
  const many = new EigenTracker(objective, { ...EIGEN, initialCount: 50 }, 1, "many");
  expect(next(many, ones(5))?.count).toBe(5);
});

test("a frequency of f solves in calls 0, f, 2f, …; none or less switches tracking off", () => {
  for (const frequency of [1, 2, 3, 7]) {
    const tracker = new EigenTracker(diagonal([2, 1, 0.5]), { ...EIGEN, frequency }, 1, "often");
    const solved = Array.from({ length: 15 }, () => next(tracker, ones(3))?.solve !== undefined);
    expect(solved).toEqual(solved.map((_, call) => call % frequency === 0));
  }
  for (const frequency of [0, -1])
    expect(next(new EigenTracker(diagonal([2]), { ...EIGEN, frequency }, 1, "off"), ones(1))).toBeUndefined();
});

test("between solves: Rayleigh quotients of the last symmetric vectors at the new weights, sorted again", () => {
  const random = new Random(3, "rayleigh");
  const p = 5;
  const H = new Float64Array(p * p);
  [3, 2.9, 2, 1, 0].forEach((value, l) => {
    H[l * p + l] = value;
  });
  const normal = (length: number): Float64Array => random.fillNormal(new Float64Array(length));
  const cubic: Cubic = { p, H, g: normal(p), a: normal(8), b: normal(8 * p) };
  const objective = cubicObjective(cubic);
  const tracker = new EigenTracker(
    objective,
    { ...EIGEN, frequency: 50, trackThreshold: null, initialCount: 3 },
    1,
    "r",
  );
  const w = new Float64Array(p);
  objective.setWeights(w);
  next(tracker, ones(p));
  const fixed = tracker.snapshot().vectors;
  let crossings = 0;
  for (let call = 0; call < 20; call++) {
    w.set(normal(p).map((entry) => 0.2 * entry));
    const P = Float64Array.from({ length: p }, () => 0.5 + random.uniform());
    objective.setWeights(w);
    const pairs = next(
      tracker,
      P.map((entry) => 1 / Math.sqrt(entry)),
    );
    const dense = cubicHessian(cubic, w);
    const quotients = [0, 1, 2].map((i) => {
      let total = 0;
      for (let a = 0; a < p; a++)
        for (let b = 0; b < p; b++)
          total += (fixed[i * p + a] * dense[a * p + b] * fixed[i * p + b]) / Math.sqrt(P[a] * P[b]);
      return total;
    });
    const order = [0, 1, 2].sort((i, j) => quotients[j] - quotients[i]);
    if (order.join() !== "0,1,2") crossings++;
    expect(pairs?.solve).toBeUndefined();
    order.forEach((i, rank) => {
      expect(Math.abs((pairs?.values[rank] ?? 0) - quotients[i])).toBeLessThanOrEqual(1e4 * EPS);
      // u = P^{-1/2}x with the P of this call.
      for (let l = 0; l < p; l++)
        expect(pairs?.vectors[rank * p + l]).toBeCloseTo(fixed[i * p + l] / Math.sqrt(P[l]), 13);
    });
  }
  expect(crossings).toBeGreaterThan(2);
});

test("inside a step: critical pairs come with their third derivatives, those far from critical keep their values", () => {
  const random = new Random(7, "use");
  const p = 6;
  const H = new Float64Array(p * p);
  [2.5, 2.4, 2.2, 1.7, 1, 0].forEach((value, l) => {
    H[l * p + l] = value;
  });
  const normal = (length: number): Float64Array => random.fillNormal(new Float64Array(length));
  const a = normal(8).map((entry) => 0.1 * entry);
  const objective = cubicObjective({ p, H, g: normal(p), a, b: normal(8 * p) });
  const settings = { ...EIGEN, frequency: 50, trackThreshold: 1.5, initialCount: 5 };
  const [plain, inside] = ["plain", "inside"].map((label) => new EigenTracker(objective, settings, 1, label));
  const w = new Float64Array(p);
  objective.setWeights(w);
  for (const tracker of [plain, inside]) expect(next(tracker, ones(p))?.count).toBe(5);
  let together = 0;
  for (let call = 0; call < 20; call++) {
    w.set(normal(p).map((entry) => 0.01 * entry));
    objective.setWeights(w);
    inside.restore(plain.snapshot());
    // The restored tracker looks at all pairs once, which tells it what was above the threshold.
    next(inside, ones(p));
    let joint = 0;
    const use = {
      criticalAbove: 1.95,
      joint: (...block: Parameters<typeof objective.joint>) => {
        joint += block[1];
        objective.joint(...block);
      },
    };
    const found = next(inside, ones(p), use)!;
    const expected = next(plain, ones(p))!;
    expect(found.values.subarray(0, 4)).toEqual(expected.values.subarray(0, 4));
    expect(found.vectors).toEqual(expected.vectors);
    const critical = expected.values.filter((value) => value > 1.95).length;
    expect(joint).toBe(critical);
    const third = new Float64Array(((critical * (critical + 1)) / 2) * p);
    objective.thirdDerivatives(expected.vectors, critical, third);
    expect(found.third).toEqual(third);
    together += critical;
    const before = found.values[4];
    w.set(normal(p).map((entry) => 0.01 * entry));
    objective.setWeights(w);
    // What is further from critical than pairs have moved lately is not looked at; the rest is.
    expect(next(inside, ones(p), use)?.values[4]).toBe(before);
    objective.setWeights(w.fill(0));
  }
  expect(together).toBeGreaterThan(20);
});

test("a solve starts where the last ones point to: along a smooth path that takes a third off", () => {
  const p = 60;
  const H = new Float64Array(p * p);
  for (let l = 0; l < p; l++) H[l * p + l] = l < 3 ? 2 - 0.1 * l : 1.2 / (1 + l / 8);
  const random = new Random(8, "path");
  const cubic: Cubic = {
    p,
    H,
    g: new Float64Array(p),
    a: random.fillNormal(new Float64Array(8)),
    b: random.fillNormal(new Float64Array(8 * p)).map((entry) => 0.3 * entry),
  };
  const objective = cubicObjective(cubic);
  const direction = random.fillNormal(new Float64Array(p));
  const tracker = new EigenTracker(objective, { ...EIGEN, trackThreshold: 1.5 }, 1, "path");
  const spent: number[] = [];
  for (let step = 0; step < 24; step++) {
    objective.setWeights(direction.map((entry) => 2e-3 * step * entry));
    const pairs = next(tracker, ones(p))!;
    expect(pairs.solve?.status).toBe("converged");
    spent.push(pairs.solve!.applications);
  }
  const late = spent.slice(12);
  const mean = (list: number[]): number => list.reduce((total, count) => total + count, 0) / list.length;
  // The second and third solve have nothing to start from but the last vectors.
  expect(mean(late), `${spent}`).toBeLessThan((2 / 3) * mean(spent.slice(1, 3)));
});

test("in the central flow a frequency of f means every f steps, or every f substeps if it is said so", () => {
  for (const frequencyInSubsteps of [false, true])
    for (const frequency of [1, 2, 3]) {
      const eigen = { ...EIGEN, frequency, trackThreshold: 100 };
      const setup = setupAt(edgeExample(1, 0.01), gradientDescent({ lr: 0.3 }), [0.1, 5], { eigen });
      const substeps = 4;
      const process = new CentralProcess(setup, { substeps, criticalThreshold: 1.95, frequencyInSubsteps });
      const steps = 12;
      takeSteps(process, steps);
      const solves = process.snapshot()["eig.counters"][2];
      const every = frequencyInSubsteps ? frequency : frequency * substeps;
      expect(solves).toBe(Math.ceil((steps * substeps) / every));
    }
});

test("eigenvalues of the Hessian itself: λ·P where P is one number, else tracked beside the others", () => {
  for (const rule of [gradientDescent({ lr: 0.3 }), rmsProp({ lr: 0.1, beta2: 0.9, eps: 1e-2 })]) {
    const objective = edgeExample(1, 0.02);
    const setup = setupAt(objective, rule, [0.2, 2], { rawEigenvalues: true });
    const process = new CentralProcess(setup, {
      substeps: 4,
      criticalThreshold: 1.95,
      frequencyInSubsteps: false,
    });
    takeSteps(process, 12, () => {
      const { weights, hessianValues, pairs } = process.observation!;
      objective.setWeights(weights);
      const exact = effectiveSpectrum(denseHessian(objective), ones(2));
      expect(hessianValues?.length).toBe(pairs?.count);
      expect(Math.abs((hessianValues?.[0] ?? 0) - exact[0])).toBeLessThanOrEqual(1e-8 * exact[0]);
    });
  }
});
