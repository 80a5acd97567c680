import { EVD, Matrix } from "ml-matrix";
import { describe, expect, test } from "vitest";
import {
  compileRule,
  gradientDescent,
  heavyBall,
  nesterov,
  pinningThreshold,
  rmsProp,
  scalarAdam,
  steppedWeights,
} from "../../../src/flows/index.ts";
import { quadratic } from "../problems.ts";

const LR = 0.3;

/** Momentum on the minimal example: z = (x, y, m_x, m_y) ↦ z⁺ and the derivative of that map, rows after rows. */
function step(
  z: readonly number[],
  { zeta, epsilon, beta, ahead }: { zeta: number; epsilon: number; beta: number; ahead: boolean },
): { next: number[]; jacobian: number[][] } {
  const [x, y, ...m] = z;
  const gradient = [y * x + 1.5 * zeta * x * x - epsilon, 0.5 * x * x - epsilon];
  const hessian = [
    [y + 3 * zeta * x, x],
    [x, 0],
  ];
  // m⁺ = βm + (1 − β)g and q = a·m + b·g.
  const [a, b] = ahead ? [beta * beta, (1 - beta) * (1 + beta)] : [beta, 1 - beta];
  const next = [
    ...[x, y].map((w, i) => w - LR * (a * m[i] + b * gradient[i])),
    ...m.map((entry, i) => beta * entry + (1 - beta) * gradient[i]),
  ];
  const unit = (i: number, j: number): number => (i === j ? 1 : 0);
  const jacobian = [0, 1].map((i) => [
    ...[0, 1].map((j) => unit(i, j) - LR * b * hessian[i][j]),
    ...[0, 1].map((j) => -LR * a * unit(i, j)),
  ]);
  jacobian.push(
    ...[0, 1].map((i) => [
      ...[0, 1].map((j) => (1 - beta) * hessian[i][j]),
      ...[0, 1].map((j) => beta * unit(i, j)),
    ]),
  );
  return { next, jacobian };
}

type Problem = Parameters<typeof step>[1];

/** The largest modulus of the Floquet multipliers of the exact cycle of period two, found by Newton's method. */
function multiplier(problem: Problem, edge: number): number {
  const { epsilon, zeta } = problem;
  const size = Math.sqrt(2 * epsilon);
  const y = edge / LR;
  let z = [size + (epsilon - 3 * zeta * epsilon) / y, y, 0, 0];
  // m alternates as (1 − β)/(1 + β) times the gradient before it.
  z[2] = (-(1 - problem.beta) / (1 + problem.beta)) * y * size;
  let twice = Matrix.eye(4);
  for (let iteration = 0; iteration < 30; iteration++) {
    const one = step(z, problem);
    const two = step(one.next, problem);
    twice = new Matrix(two.jacobian).mmul(new Matrix(one.jacobian));
    const residual = Matrix.columnVector(two.next.map((entry, i) => entry - z[i]));
    const move = Matrix.sub(twice, Matrix.eye(4));
    const change = solve(move, residual);
    z = z.map((entry, i) => entry - change[i]);
    if (Math.max(...change.map(Math.abs)) < 1e-15) break;
  }
  expect(Math.abs(z[0])).toBeGreaterThan(0.5 * size);
  const { realEigenvalues: re, imaginaryEigenvalues: im } = new EVD(twice);
  return Math.max(...re.map((real, i) => Math.hypot(real, im[i])));
}

function solve(A: Matrix, b: Matrix): number[] {
  const n = A.rows;
  const rows = Array.from({ length: n }, (_, i) => [...A.getRow(i), b.get(i, 0)]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

/** ζ at which the cycle loses its stability, by bisection. */
function threshold(problem: Omit<Problem, "zeta">, edge: number, guess: number): number {
  let [low, high] = [0.5 * guess, 2 * guess];
  const stable = (zeta: number): boolean => multiplier({ ...problem, zeta }, edge) <= 1;
  expect([stable(low), stable(high)]).toEqual([false, true]);
  while (high - low > 1e-5 * guess) {
    const middle = (low + high) / 2;
    if (stable(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

describe("ζ_c, where the exact cycle of period two on the minimal example loses its stability", () => {
  test("gradient descent: √2/3", () => {
    expect(Math.abs(pinningThreshold(gradientDescent({ lr: LR })) / (Math.SQRT2 / 3) - 1)).toBeLessThan(
      1e-12,
    );
    // With P at rest the second moment is no part of the answer.
    expect(Math.abs(pinningThreshold(rmsProp({ lr: LR, beta2: 0.9 })) / (Math.SQRT2 / 3) - 1)).toBeLessThan(
      1e-12,
    );
  });

  test.each([
    [0.5, Math.SQRT2],
    [0.9, 8.95669],
    [0.95, 18.38478],
  ])("heavy ball with β = %d: c√2/6, %d, and the Floquet multipliers", (beta, written) => {
    expect(Math.abs(((2 * (1 + beta)) / (1 - beta)) * (Math.SQRT2 / 6) - written)).toBeLessThan(1e-5);
    const rule = heavyBall({ lr: LR, beta1: beta, momentumForm: "average" });
    const found = pinningThreshold(rule);
    expect(Math.abs(found / ((rule.criticalValue * Math.SQRT2) / 6) - 1)).toBeLessThan(1e-12);
    const exact = threshold({ epsilon: 1e-6, beta, ahead: false }, rule.criticalValue, found);
    expect(Math.abs(exact / found - 1)).toBeLessThan(1e-3);
  });

  test.each([
    [0.5, 0.7188],
    [0.9, 3.72023],
    [0.95, 7.56126],
  ])("Nesterov with β = %d: the written form, %d, and the Floquet multipliers", (beta, written) => {
    const rule = nesterov({ lr: LR, beta1: beta, momentumForm: "average" });
    const found = pinningThreshold(rule);
    const c = rule.criticalValue;
    const first = (1 + c * beta) / (1 + 2 * beta);
    const half = (1 + beta) / (2 * (1 - beta));
    const second = (half - (c * beta) / 2 + beta * first) / (1 + 2 * beta);
    expect(Math.abs(found - written)).toBeLessThan(1e-5);
    expect(Math.abs(found ** 2 / ((c / 9) * (second / first + half - beta)) - 1)).toBeLessThan(1e-12);
    const exact = threshold({ epsilon: 1e-6, beta, ahead: true }, c, found);
    expect(Math.abs(exact / found - 1)).toBeLessThan(1e-3);
  });
});

/** The largest modulus of the roots of (Z − 1)(Z − β1)(Z − β2) + 2f(1 − β2)Z(Z + β1). */
function adamRoot(beta1: number, beta2: number, share: number): number {
  const push = 2 * share * (1 - beta2);
  const coefficients = [
    push - (1 + beta1 + beta2),
    beta1 + beta2 + beta1 * beta2 + push * beta1,
    -beta1 * beta2,
  ];
  const companion = new Matrix([coefficients.map((entry) => -entry), [1, 0, 0], [0, 1, 0]]);
  const { realEigenvalues: re, imaginaryEigenvalues: im } = new EVD(companion);
  return Math.max(...re.map((real, i) => Math.hypot(real, im[i])));
}

/**
 * Scalar Adam on ½hx² + bv, whose oscillation's share of ν is h²x²/(h²x² + b²): the factor by which 1 % of another amplitude
 * grows in `steps`, by the rule itself from beside its cycle of period two.
 */
function growth(beta1: number, beta2: number, share: number, steps: number): number {
  const [lr, h] = [0.01, 3];
  const rule = scalarAdam({ lr, beta1, beta2, eps: 0, biasCorrection: false });
  const compiled = compileRule(rule, 2);
  const c = rule.criticalValue;
  // P = h/c and ν = (ηP)² hold the edge; a share of ν is h²z².
  const nu = ((lr * h) / c) ** 2;
  const z = Math.sqrt(share * nu) / h;
  const b = Math.sqrt((1 - share) * nu);
  const objective = quadratic(Float64Array.of(h, 0, 0, 0), new Float64Array(2));
  let weights: Float64Array = Float64Array.of(1.0001 * z, 0);
  let state: Float64Array = Float64Array.of(1000, nu, (-(1 - beta1) / (1 + beta1)) * h * 1.0001 * z, b);
  const preconditioner = new Float64Array(2);
  let [early, late] = [0, 0];
  for (let t = 0; t < steps; t++) {
    objective.setWeights(weights);
    const gradient = Float64Array.of(objective.gradient()[0], b);
    const next = new Float64Array(4);
    compiled.update(state, gradient, next);
    state = next;
    compiled.preconditioner(state, preconditioner);
    weights = steppedWeights(compiled, { weights, state, gradient, preconditioner });
    const off = Math.abs(Math.abs(weights[0]) / z - 1);
    if (t < steps / 4) early = Math.max(early, off);
    if (t >= (3 * steps) / 4) late = Math.max(late, off);
  }
  return late / early;
}

describe("scalar Adam at the edge, by the oscillation's share f of ν", () => {
  test("for β2 → 1 it settles if f < (1 − β1)²/(4β1): β1 = 3 − 2√2 at f = 1, f = .0028 at β1 = .9", () => {
    for (const [beta1, share] of [
      [3 - 2 * Math.SQRT2, 1],
      [0.9, 0.01 / 3.6],
      [0.5, 0.125],
    ]) {
      expect(Math.abs((1 - beta1) ** 2 / (4 * beta1) / share - 1)).toBeLessThan(1e-12);
      expect(adamRoot(beta1, 1 - 1e-7, share * 0.999)).toBeLessThanOrEqual(1 + 1e-12);
      expect(adamRoot(beta1, 1 - 1e-7, share * 1.001)).toBeGreaterThan(1 + 1e-12);
    }
    // RMSProp always does.
    for (const share of [0.01, 0.3, 1]) expect(adamRoot(0, 0.99, share)).toBeLessThanOrEqual(1 + 1e-12);
  });

  test("the rule itself, 1e-4 beside its cycle of period two, comes back or goes away as the roots say", () => {
    for (const [beta1, share] of [
      [0.165, 1],
      [0.18, 1],
      [0.5, 0.11],
      [0.5, 0.14],
      [0.9, 0.0025],
      [0.9, 0.0031],
    ]) {
      const beta2 = 0.999;
      const root = adamRoot(beta1, beta2, share);
      const steps = 8000;
      const found = growth(beta1, beta2, share, steps);
      expect(found < 1, `β1 ${beta1}, f ${share}: root ${root}, growth ${found}`).toBe(root <= 1 + 1e-12);
    }
  });
});
