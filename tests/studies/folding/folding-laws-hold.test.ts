import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import {
  convexQuadraticProgram,
  differentiateQuadraticProgram,
  differentiateSdcp,
  sdcp,
} from "../../../src/linalg/index.ts";
import {
  contraction,
  descend,
  descentStep,
  drawSineProgram,
  folded,
  foldedDerivative,
  gradientOf,
  sequentialDerivative,
} from "../../../src/studies/folding/descent.ts";
import { limitOf, unrolledDerivatives, unrolledError } from "../../../src/studies/folding/unrolled.ts";

describe("unrolled gradient descent on a parabola", () => {
  const descent = { curvature: 2, curvatureSlope: 1, force: 1, forceSlope: 0.3, rate: 0.05, start: 6 };

  test("has the derivative of differences, and the closed form's error −ρᵗJ* + tρᵗ⁻¹(−γh′)(x₀ − x*)", () => {
    const iterate = (by: number): number => {
      let x = descent.start;
      for (let t = 0; t < 20; t++)
        x -=
          descent.rate *
          ((descent.curvature + by * descent.curvatureSlope) * x - (descent.force + by * descent.forceSlope));
      return x;
    };
    const derivatives = unrolledDerivatives(descent, 20);
    expect(derivatives[20]).toBeCloseTo((iterate(1e-5) - iterate(-1e-5)) / 2e-5, 7);
    const { derivative } = limitOf(descent);
    derivatives.forEach((each, t) => {
      expect(Math.abs(each - derivative - unrolledError(descent, t))).toBeLessThan(1e-13);
    });
  });

  test("first goes away from the limit by tρᵗ, unless it starts there", () => {
    const { x, derivative } = limitOf(descent);
    const errors = unrolledDerivatives(descent, 60).map((each) => Math.abs(each - derivative));
    // tρᵗ is largest at t = −1/ln ρ = 9.49.
    expect(errors.indexOf(Math.max(...errors))).toBeGreaterThan(5);
    expect(Math.max(...errors)).toBeGreaterThan(5 * errors[0]);
    const settled = unrolledDerivatives({ ...descent, start: x }, 60).map((each) =>
      Math.abs(each - derivative),
    );
    for (let t = 1; t < settled.length; t++) expect(settled[t]).toBeLessThan(settled[t - 1]);
  });
});

describe("projected descent on ½yᵀQy + pᵀsin y", () => {
  const n = 8;
  const program = drawSineProgram(n, 6, 2, new Random(3, "descent"));
  const { y, converged } = descend(program, new Float64Array(n), 0.3, 3000);
  const system = folded(program, y, 0.3);

  test("reaches a point whose gradient the certified multipliers hold", () => {
    expect(converged).toBe(true);
    const { inequality, equality } = descentStep(program, y, 1);
    const gradient = gradientOf(program, y);
    for (let j = 0; j < n; j++) {
      let force = 0;
      for (let i = 0; i < 6; i++) force += program.A[i * n + j] * inequality[i];
      for (let i = 0; i < 2; i++) force += program.E[i * n + j] * equality[i];
      expect(Math.abs(gradient[j] - force)).toBeLessThan(1e-12);
    }
  });

  test("its folded derivative is that of differences, of any step size and of a sequential program", () => {
    const J = foldedDerivative(system!, n);
    const sequential = sequentialDerivative(program, y)!;
    const other = foldedDerivative(folded(program, y, 0.1)!, n);
    const size = Math.max(...J.map(Math.abs));
    J.forEach((entry, at) => {
      expect(Math.abs(entry - sequential[at])).toBeLessThan(1e-12 * size);
      expect(Math.abs(entry - other[at])).toBeLessThan(1e-12 * size);
    });
    const [plus, minus] = [1e-5, -1e-5].map((by) => {
      const p = program.p.slice();
      p[2] += by;
      return descend({ ...program, p }, y, 0.3, 3000).y;
    });
    plus.forEach((entry, i) => {
      expect(Math.abs((entry - minus[i]) / 2e-5 - J[i * n + 2])).toBeLessThan(1e-7 * size);
    });
  });

  test("the backward pass of unrolling contracts by the spectral radius of Φ", () => {
    const g = new Random(4, "g").fillNormal(new Float64Array(n));
    expect(Math.abs(contraction(system!, n, g, 3000) - system!.radius)).toBeLessThan(1e-10);
    expect(system!.radius).toBeLessThan(1);
  });
});

test("the projection on the simplex has the derivative diag(s) − ssᵀ/Σs, and none at a kink", () => {
  const Q = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const at = (c: Float64Array) => {
    const program = {
      Q,
      c,
      A: Q,
      b: new Float64Array(3),
      E: Float64Array.of(1, 1, 1),
      f: Float64Array.of(1),
    };
    return differentiateQuadraticProgram(program, convexQuadraticProgram(program).value);
  };
  // The point (0.9, 0.5, −1): the projection is (0.7, 0.3, 0), s = (1, 1, 0).
  const { value, stats } = at(Float64Array.of(-0.9, -0.5, 1));
  const expected = [0.5, -0.5, 0, -0.5, 0.5, 0, 0, 0, 0];
  for (let j = 0; j < 3; j++) {
    const c = new Float64Array(3);
    c[j] = -1;
    value!.apply({ c }).x.forEach((entry, i) => {
      expect(Math.abs(entry - expected[i * 3 + j])).toBeLessThan(1e-15);
    });
  }
  expect(stats.margin).toBeGreaterThan(0.1);
  // From (1, 0, −2) the second entry arrives at 0 exactly, without a force.
  expect(at(Float64Array.of(-1, 0, 2)).status).toBe("degenerate");
});

test("complementarity of order one: X = max(0, −a/b), dX = −(da + X db)/b", () => {
  for (const [a, b] of [
    [-0.6, 2],
    [0.6, 2],
    [-3, 0.25],
  ]) {
    const { value } = sdcp(1, Float64Array.of(a), Float64Array.of(b));
    const X = Math.max(0, -a / b);
    expect(Math.abs(value.X[0] - X)).toBeLessThan(1e-12 * (1 + X));
    const { value: derivative } = differentiateSdcp(1, Float64Array.of(a), Float64Array.of(b), value.X);
    const along = derivative!.apply(Float64Array.of(0.7), Float64Array.of(-0.3))[0];
    expect(Math.abs(along - (X > 0 ? -(0.7 - 0.3 * X) / b : 0))).toBeLessThan(1e-10);
  }
});
