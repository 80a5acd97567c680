import { describe, expect, test } from "vitest";
import {
  adaGradFlow,
  adaGradIterates,
  adamRate,
  conservedOf,
  marginAngle,
  metricOf,
  ONE_POINT,
  onePointRoot,
  TWO_POINTS,
} from "../../src/studies/problems/separable.ts";

const DEGREES = 180 / Math.PI;

describe("AdaGrad's flow on one point", () => {
  const [end] = adaGradFlow(ONE_POINT, [200]);
  const S = end.s[0] / 0.9 ** 2;

  test("gathers S = ∫ L² dt = 0.96340926, the root of what it conserves", () => {
    expect(onePointRoot(ONE_POINT)).toBeCloseTo(0.96340926, 8);
    expect(S).toBeCloseTo(0.96340926, 8);
    expect(Math.abs(conservedOf(ONE_POINT, end) - 1)).toBeLessThan(1e-10);
  });

  test("ends in the direction (0.72394, 0.68987), that of its own metric's margin", () => {
    const h = metricOf(ONE_POINT, end);
    const angle = marginAngle(ONE_POINT, h);
    expect(Math.cos(angle / DEGREES)).toBeCloseTo(0.72394, 5);
    expect(Math.sin(angle / DEGREES)).toBeCloseTo(0.68987, 5);
    // The velocity of the weights in ∫ L dt has that direction already.
    const velocity = Math.atan2(h[1] * 0.3, h[0] * 0.9) * DEGREES;
    expect(velocity).toBeCloseTo(angle, 6);
  });
});

describe("two points at π/8 and π/20", () => {
  test("the L2 margin lies at 15.75°", () => {
    expect(marginAngle(TWO_POINTS)).toBeCloseTo(15.75, 10);
  });

  test("the flow's metric has its margin at 30.42°, and the flow is on its way there as 1/∫ L dt", () => {
    const flow = adaGradFlow(TWO_POINTS, [5000, 10_000]);
    const h = metricOf(TWO_POINTS, flow[1]);
    expect(h[1] / h[0]).toBeCloseTo(3.707, 3);
    const limit = marginAngle(TWO_POINTS, h);
    expect(limit).toBeCloseTo(30.42, 2);
    const [before, after] = flow.map(({ w }) => Math.atan2(w[1], w[0]) * DEGREES - limit);
    expect(after).toBeGreaterThan(0);
    expect(before / after).toBeGreaterThan(1.95);
    expect(before / after).toBeLessThan(2.05);
  });

  test("the iteration's h₂/h₁ goes to 3.637, whose margin lies at 29.94°; after 4·10⁵ steps it is at 40.96°", () => {
    const seen = adaGradIterates(TWO_POINTS, 400_000);
    const end = seen[seen.length - 1];
    expect(end.ratio).toBeCloseTo(3.637, 3);
    expect(marginAngle(TWO_POINTS, Float64Array.of(1, end.ratio))).toBeCloseTo(29.94, 2);
    expect(end.angle).toBeCloseTo(40.96, 2);
  });
});

test("Adam's rate before ε matters is the fixed point, for γη = 0.012 and β1 = 0.9: 4.4038e-3 and 4.9939e-4", () => {
  expect(adamRate(0.012, 0.9, 0.99)).toBeCloseTo(4.4038e-3, 7);
  expect(adamRate(0.012, 0.9, 0.999)).toBeCloseTo(4.9939e-4, 8);
  // Without momentum γη = 0.0125 gives the first of them again.
  expect(adamRate(0.0125, 0, 0.99)).toBeCloseTo(4.404e-3, 6);
  const [step, beta1, beta2] = [0.03, 0.5, 0.95];
  const r = adamRate(step, beta1, beta2);
  const right =
    ((step * (1 - beta1)) / (1 - beta1 * Math.exp(r))) *
    Math.sqrt((1 - beta2 * Math.exp(2 * r)) / (1 - beta2));
  expect(Math.abs(right / r - 1)).toBeLessThan(1e-12);
});
