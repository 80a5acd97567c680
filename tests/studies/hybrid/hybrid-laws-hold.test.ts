import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { symmetricEigen } from "../../../src/linalg/index.ts";
import {
  bisectedRate,
  criticalRate,
  powersFall,
  secondMomentMap,
  spread,
} from "../../../src/studies/hybrid/edge.ts";
import { logarithmicGrowth, simulatedRate } from "../../../src/studies/hybrid/growth.ts";
import { drawRegression, learn } from "../../../src/studies/hybrid/learning.ts";
import {
  averagedDisagreement,
  disagreement,
  estimateSquare,
  simulatedSquare,
  smoothedExcess,
  squareAlong,
} from "../../../src/studies/hybrid/lemmas.ts";

const never = () => false;
const EIGENVALUES = [3, 1, 0.5, 0.2];
/** κ and the critical rate, as independent small programs found it (to six digits). */
const TABLE = [
  [1, 0.204459],
  [0.25, 0.43479],
  [0.0625, 0.591159],
  [6.25e-4, 0.665834],
] as const;

const diagonal = (values: readonly number[]): Float64Array => {
  const d = values.length;
  return Float64Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? values[at / (d + 1)] : 0));
};

describe("the critical rate in mean square", () => {
  test.each(TABLE)(
    "at κ = %d is %d, by the formula and by bisection of the full map to 1e-12",
    (kappa, rate) => {
      const formula = criticalRate(EIGENVALUES, kappa);
      expect(Math.abs(formula - rate)).toBeLessThan(5.1e-7);
      expect(Math.abs(bisectedRate(diagonal(EIGENVALUES), 4, 3, kappa) / formula - 1)).toBeLessThan(1e-12);
    },
  );

  test("is 2/λ_max without agents that are blind, and does not depend on the basis", () => {
    expect(criticalRate(EIGENVALUES, 0)).toBe(2 / 3);
    const hessian = Float64Array.of(2, 0.3, 0.1, 0.3, 1, -0.4, 0.1, -0.4, 0.8);
    const { values } = symmetricEigen(hessian, 3);
    const kappa = 0.37;
    const formula = criticalRate([...values], kappa);
    expect(Math.abs(bisectedRate(hessian, 3, Math.max(...values), kappa) / formula - 1)).toBeLessThan(1e-10);
  });

  test("κ counts agents and directions", () => {
    expect([spread(1, 1, 1), spread(4, 4, 1), spread(2, 1, 1), spread(40, 1, 1), spread(4, 2, 5)]).toEqual([
      1, 0.25, 0.25, 6.25e-4, 0.025,
    ]);
  });

  test("is where the simulated mean square stops to fall, within three standard errors", () => {
    for (const [agents, blind] of [
      [1, 1],
      [4, 4],
      [2, 1],
    ]) {
      const population = { eigenvalues: EIGENVALUES, agents, blind, directions: 1 };
      const rate = criticalRate(EIGENVALUES, spread(agents, blind, 1));
      const random = new Random(1, `edge ${agents} ${blind}`);
      const found = simulatedRate(population, 40_000, random, never);
      expect(found.error).toBeLessThan(0.02 * rate);
      expect(Math.abs(found.mean - rate)).toBeLessThan(3 * found.error);
    }
  });

  test("comes before almost every run grows: for κ = 1 that is between 0.3 and 0.4", () => {
    const one = { eigenvalues: EIGENVALUES, agents: 1, blind: 1, directions: 1 };
    const at = (rate: number) => logarithmicGrowth(one, rate, 20000, new Random(1, "sure"), never);
    const [below, beyond] = [at(0.3), at(0.4)];
    expect(below.mean).toBeLessThan(-3 * below.error);
    expect(beyond.mean).toBeGreaterThan(3 * beyond.error);
  });
});

test("one step of the map is the mean over Gaussian directions", () => {
  const [d, rate] = [2, 0.3];
  const h = Float64Array.of(2, 0, 0, 0.7);
  // x = (1, 0.5) drawn: S = xxᵀ; the mean of x⁺x⁺ᵀ over directions by Gauss–Hermite with three nodes, exact to degree five.
  const x = [1, 0.5];
  const nodes = [-Math.sqrt(3), 0, Math.sqrt(3)];
  const weights = [1 / 6, 2 / 3, 1 / 6];
  const mean = new Float64Array(4);
  nodes.forEach((u, i) => {
    nodes.forEach((v, j) => {
      const slope = u * h[0] * x[0] + v * h[3] * x[1];
      const next = [x[0] - rate * slope * u, x[1] - rate * slope * v];
      for (let at = 0; at < 4; at++)
        mean[at] += weights[i] * weights[j] * next[Math.floor(at / d)] * next[at % d];
    });
  });
  const map = secondMomentMap(h, d, rate, 1);
  for (let to = 0; to < 4; to++) {
    let sum = 0;
    for (let at = 0; at < 4; at++) sum += map[to * 4 + at] * x[Math.floor(at / d)] * x[at % d];
    expect(sum).toBeCloseTo(mean[to], 13);
  }
});

test("powers fall where the spectral radius is below 1, for matrices that are not symmetric too", () => {
  for (const radius of [0.5, 1 - 1e-9, 1 + 1e-9, 3]) {
    expect(powersFall(Float64Array.of(radius, 1e6, 0, 0.1), 2)).toBe(radius < 1);
    expect(powersFall(Float64Array.of(0, radius, -radius, 0), 2)).toBe(radius < 1);
  }
  expect(powersFall(new Float64Array(4), 2)).toBe(true);
});

test("without blind agents the simulated rate is 2/λ_max and has no error", () => {
  const population = { eigenvalues: [1, 0.5], agents: 3, blind: 0, directions: 1 };
  const { mean, error } = simulatedRate(population, 20, new Random(1), never);
  expect(mean).toBeCloseTo(2, 10);
  expect(error).toBeLessThan(1e-10);
});

describe("the paper's lemmas", () => {
  test("smoothing raises by at most ν²Ld/2, and by nearly that where the curvature is L", () => {
    expect(smoothedExcess([0, 0, 0], 0.01) / (1e-4 * 1.5)).toBeCloseTo(1, 3);
    for (const nu of [0.1, 1]) expect(smoothedExcess([0.4, -2], nu)).toBeLessThan(nu * nu);
  });

  test("the mean square of the estimate is the formula's, exactly by quadrature and within errors by simulation", () => {
    // Gauss–Hermite with four nodes is exact to degree seven; ‖G‖² has degree six.
    const [inner, outer] = [Math.sqrt(3 - Math.sqrt(6)), Math.sqrt(3 + Math.sqrt(6))];
    const nodes = [-outer, -inner, inner, outer];
    const weights = [3 - Math.sqrt(6), 3 + Math.sqrt(6), 3 + Math.sqrt(6), 3 - Math.sqrt(6)].map(
      (w) => w / 12,
    );
    const g = Float64Array.of(0.3, -1, 0.8);
    const a = Float64Array.of(2, 0.3, 0.1, 0.3, -1, -0.4, 0.1, -0.4, 0.8);
    let sum = 0;
    for (let i = 0; i < 64; i++) {
      const places = [i % 4, Math.floor(i / 4) % 4, Math.floor(i / 16)];
      const u = Float64Array.from(places, (place) => nodes[place]);
      sum += places.reduce((product, place) => product * weights[place], 1) * squareAlong(u, g, a, 0.7);
    }
    const formula = estimateSquare(g, a, 0.7);
    expect(Math.abs(sum / formula - 1)).toBeLessThan(1e-13);
    const { mean, error } = simulatedSquare(g, a, 0.7, 20000, new Random(1, "square"));
    expect(Math.abs(mean - formula)).toBeLessThan(3 * error);
  });

  test("a random pair that averages leaves 1 − 1/(n − 1) of the disagreement, exactly", () => {
    const random = new Random(2, "pairs");
    for (const n of [2, 3, 9]) {
      const x = random.fillNormal(new Float64Array(n * 2));
      const before = disagreement(x, n, 2);
      expect(Math.abs(averagedDisagreement(x, n, 2) / before - (1 - 1 / (n - 1)))).toBeLessThan(1e-13);
    }
  });
});

test("populations learn: the loss above the least is positive and falls", () => {
  const problem = drawRegression(4, 64, new Random(1, "regression"));
  for (const team of [
    { first: 8, zeroth: 0 },
    { first: 0, zeroth: 8 },
    { first: 4, zeroth: 4 },
  ]) {
    const excess = learn(problem, team, 0.1, 100, 10, new Random(1, "team"), never);
    expect(excess.length).toBe(10);
    for (const each of excess) expect(each).toBeGreaterThan(0);
    expect(excess[9]).toBeLessThan(0.5 * excess[0]);
  }
});
