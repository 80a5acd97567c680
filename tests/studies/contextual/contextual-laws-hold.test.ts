import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { convexQuadraticProgram } from "../../../src/linalg/index.ts";
import { bestCosts, firstOf, gridData } from "../../../src/studies/contextual/data.ts";
import { cheapestPath, costOf, EDGES, PATHS, pathProgram } from "../../../src/studies/contextual/grid.ts";
import { NumpyRandom } from "../../../src/studies/contextual/mersenne.ts";
import { meanRegret, plugIn, predict } from "../../../src/studies/contextual/plug-in.ts";
import { PUBLISHED, PUBLISHED_OPTIMUM } from "../../../src/studies/contextual/published.ts";
import { spoPlus, spoProblem } from "../../../src/studies/contextual/spo-plus.ts";
import {
  CHERNOFF_VARIANCE,
  ermLaw,
  exponent,
  plugInLaw,
  thresholdRegret,
  thresholdRegrets,
} from "../../../src/studies/contextual/threshold.ts";

const never = () => false;
const data = gridData(2, 100);

test("random numbers are those of NumPy's RandomState(10), as NumPy 2.4.6 prints them", () => {
  const random = new NumpyRandom(10);
  expect([random.uniform(), random.uniform(), random.uniform()]).toEqual([
    0.771320643266746, 0.0207519493594015, 0.6336482349262754,
  ]);
  const far = new NumpyRandom(10);
  let last = 0;
  for (let i = 0; i < 2000; i++) last = far.uniform();
  expect(last).toBe(0.03796207881311908);
  for (const expected of [-0.010025953139360796, 1.6708081865317794, -0.6643797082723693])
    expect(random.normal()).toBeCloseTo(expected, 14);
});

describe("paths of the grid", () => {
  test("are 70 over 40 edges, and the cheapest is found, for costs of either sign", () => {
    expect([EDGES.length, PATHS.length]).toEqual([40, 70]);
    const random = new Random(1, "paths");
    for (let i = 0; i < 50; i++) {
      const costs = random.fillNormal(new Float64Array(40));
      const { edges, cost } = cheapestPath(costs);
      expect(costOf(edges, costs)).toBeCloseTo(cost, 12);
      expect(cost).toBeCloseTo(Math.min(...PATHS.map((path) => costOf(path, costs))), 12);
    }
  });

  test("cost what the certified program with Q = 0 says, whose multipliers prove it", () => {
    const random = new Random(2, "paths");
    for (let i = 0; i < 3; i++) {
      const costs = random.fillNormal(new Float64Array(40));
      const { value, status, stats } = convexQuadraticProgram(pathProgram(costs));
      expect(status).toBe("solved");
      expect(Math.max(...Object.values(stats.violations))).toBeLessThan(1e-9);
      // The dual's value: the multiplier of the first node's equation, which alone has a right hand side.
      expect(Math.abs(value.equality[0] - cheapestPath(costs).cost)).toBeLessThan(1e-9);
    }
  });
});

test("plug-in regrets on the authors' data are those they published, replication by replication", () => {
  expect(Math.abs(data.optimum / PUBLISHED_OPTIMUM - 1)).toBeLessThan(1e-12);
  for (const { n, first } of PUBLISHED.slice(0, 2))
    data.replications.forEach(({ train, holdout }, index) => {
      for (const model of ["right", "wrong"] as const) {
        const { weights } = plugIn(model, firstOf(train, n), firstOf(holdout, n));
        const regret = meanRegret(model, weights, data.test, data.test.expected, data.optima);
        expect(Math.abs(regret / first[model][index] - 1)).toBeLessThan(1e-10);
      }
    });
});

describe("spoPlus", () => {
  const train = firstOf(data.replications[0].train, 50);
  const loss = (weights: Float64Array, penalty: number): number => {
    const predicted = new Float64Array(40);
    let sum = 0;
    for (let i = 0; i < train.count; i++) {
      predict(weights, train.regressors.wrong, i * 6, 6, predicted);
      const costs = train.observed.subarray(i * 40, (i + 1) * 40);
      const bent = costs.map((cost, edge) => cost - 2 * predicted[edge]);
      const best = cheapestPath(costs).edges;
      sum += Math.max(...PATHS.map((path) => costOf(path, bent))) - costOf(best, bent);
    }
    return (
      sum / train.count + 0.5 * penalty * weights.reduce((square, weight) => square + weight * weight, 0)
    );
  };

  test("the loss is as defined, nothing near falls below it by more than the gap, and it bounds the regret", () => {
    const { weights, loss: found, gap } = spoPlus(spoProblem("wrong", train), 0.22, 1e-6, 2000, never);
    expect(Math.abs(loss(weights, 0.22) - found)).toBeLessThan(1e-10 * found);
    expect(gap).toBeLessThan(1e-6 * found);
    expect(gap).toBeGreaterThan(-1e-12 * found);
    const random = new Random(3, "near");
    for (let i = 0; i < 20; i++) {
      const near = weights.map((weight) => weight + 0.01 * 2 ** -i * random.normal());
      expect(loss(near, 0.22)).toBeGreaterThan(found - gap);
    }
    const regret = meanRegret("wrong", weights, train, train.observed, bestCosts(train.observed));
    expect(regret).toBeLessThan(loss(weights, 0));
  });

  test("far penalties leave the fit where the dual starts: B = (2/λn)Σ(z − w)xᵀ at the paths dearest at c", () => {
    const { weights, gap } = spoPlus(spoProblem("wrong", train), 1e6, 1e-6, 100, never);
    const expected = new Float64Array(240);
    for (let i = 0; i < train.count; i++) {
      const costs = train.observed.subarray(i * 40, (i + 1) * 40);
      const dearest = cheapestPath(costs.map((cost) => -cost)).edges;
      for (let r = 0; r < 6; r++) {
        const factor = (2 / (1e6 * train.count)) * train.regressors.wrong[i * 6 + r];
        for (const edge of dearest) expected[edge * 6 + r] += factor;
        for (const edge of cheapestPath(costs).edges) expected[edge * 6 + r] -= factor;
      }
    }
    expect(gap).toBeLessThan(1e-5);
    weights.forEach((weight, at) => {
      expect(Math.abs(weight - expected[at])).toBeLessThan(1e-12);
    });
  });
});

describe("thresholds", () => {
  test("what one costs is the integral of |x| between 0 and it", () => {
    for (const alpha of [1, 3])
      for (const t of [0.3, -0.7]) {
        let sum = 0;
        const steps = 10000;
        for (let i = 0; i < steps; i++) {
          const x = ((i + 0.5) * Math.abs(t)) / steps;
          sum += ((x * alpha) / 2) * x ** (alpha - 1) * (Math.abs(t) / steps);
        }
        expect(thresholdRegret(t, alpha)).toBeCloseTo(sum, 8);
      }
    expect(CHERNOFF_VARIANCE).toBe(0.26355964);
    expect(plugInLaw(100, 1, 2)).toBeCloseTo(0.01, 15);
    expect(plugInLaw(100, 3, 1)).toBeCloseTo(1.125e-4, 15);
  });

  test("regrets are σ²/(4n) and 0.26355964·σ^(4/3)n^(−2/3) within three standard errors", () => {
    for (const sigma of [1, 2]) {
      const { plugIn, erm } = thresholdRegrets(2000, 1, sigma, 400, new Random(5, `σ ${sigma}`), never);
      expect(Math.abs(plugIn.mean - (sigma * sigma) / 8000)).toBeLessThan(3 * plugIn.error);
      expect(Math.abs(erm.mean - ermLaw(2000, sigma))).toBeLessThan(3 * erm.error);
    }
  });

  test("the exponent of an exact power is found, and its error is that of two points", () => {
    const points = [10, 1000].map((n) => ({ n, mean: 5 * n ** -0.8, error: 0.05 * n ** -0.8 }));
    const { mean, error } = exponent(points);
    expect(mean).toBeCloseTo(-0.8, 12);
    expect(error).toBeCloseTo((0.01 * Math.SQRT2) / Math.log(100), 12);
  });
});
