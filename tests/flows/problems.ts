import {
  add,
  array,
  matmul,
  multiply,
  Objective,
  reshape,
  square,
  subtract,
  sum,
} from "../../src/autodiff/index.ts";
import {
  compileRule,
  type EigenSettings,
  type Process,
  type ProcessSetup,
  type UpdateRule,
} from "../../src/flows/index.ts";
import { symmetricEigen } from "../../src/linalg/index.ts";

/** ½(w − center)ᵀH(w − center) for a symmetric p×p matrix H. */
export function quadratic(H: Float64Array, center: Float64Array): Objective {
  const p = center.length;
  return new Objective({
    parameters: { w: [p] },
    loss: ({ w }) => {
      const d = reshape(subtract(w, array(w, center, [p])), [p, 1]);
      const Hd = matmul(array(d, H, [p, p]), d);
      return multiply(sum(multiply(d, Hd)), 0.5);
    },
  });
}

/** The function ½wᵀHw + gᵀw + (1/6) Σ_m a_m (b_mᵀw)³, whose derivatives are sums that plain loops can write. */
export interface Cubic {
  readonly p: number;
  /** p×p, symmetric. */
  readonly H: Float64Array;
  readonly g: Float64Array;
  readonly a: Float64Array;
  /** One vector of length p per entry of a. */
  readonly b: Float64Array;
}

export function cubicObjective({ p, H, g, a, b }: Cubic): Objective {
  return new Objective({
    parameters: { w: [p] },
    loss: ({ w }) => {
      const column = reshape(w, [p, 1]);
      const second = multiply(sum(multiply(column, matmul(array(w, H, [p, p]), column))), 0.5);
      const inner = reshape(matmul(array(w, b, [a.length, p]), column), [a.length]);
      const third = sum(multiply(array(w, a, [a.length]), multiply(inner, square(inner))));
      return add(add(second, sum(multiply(w, array(w, g, [p])))), multiply(third, 1 / 6));
    },
  });
}

function inner(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  xAt = 0,
  yAt = 0,
  length = y.length - yAt,
): number {
  let total = 0;
  for (let l = 0; l < length; l++) total += x[xAt + l] * y[yAt + l];
  return total;
}

export function cubicGradient({ p, H, g, a, b }: Cubic, w: Float64Array): Float64Array {
  return Float64Array.from({ length: p }, (_, l) => {
    let entry = g[l] + inner(H, w, l * p, 0, p);
    for (let m = 0; m < a.length; m++) entry += 0.5 * a[m] * inner(b, w, m * p, 0, p) ** 2 * b[m * p + l];
    return entry;
  });
}

/** H at w, p×p. */
export function cubicHessian({ p, H, a, b }: Cubic, w: Float64Array): Float64Array {
  const out = H.slice();
  for (let m = 0; m < a.length; m++) {
    const slope = a[m] * inner(b, w, m * p, 0, p);
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++) out[i * p + j] += slope * b[m * p + i] * b[m * p + j];
  }
  return out;
}

/** D³L[u, v, ·], the same at every w. */
export function cubicThird({ p, a, b }: Cubic, u: ArrayLike<number>, v: ArrayLike<number>): Float64Array {
  const out = new Float64Array(p);
  for (let m = 0; m < a.length; m++) {
    const weight = a[m] * inner(b, u, m * p, 0, p) * inner(b, v, m * p, 0, p);
    for (let l = 0; l < p; l++) out[l] += weight * b[m * p + l];
  }
  return out;
}

export { edgeExample, twoEigenvalues } from "../../src/flows/index.ts";

/** The Hessian at the objective's weights, one product per column, p×p. */
export function denseHessian(objective: Objective): Float64Array {
  const p = objective.dimension;
  const identity = new Float64Array(p * p);
  for (let i = 0; i < p; i++) identity[i * p + i] = 1;
  const out = new Float64Array(p * p);
  objective.hvp(identity, out, p);
  return out;
}

/** Eigenvalues of P^{-1/2} H P^{-1/2}, descending, by the dense solver. */
export function effectiveSpectrum(H: Float64Array, P: Float64Array): number[] {
  const p = P.length;
  const scaled = H.map((entry, at) => entry / Math.sqrt(P[Math.floor(at / p)] * P[at % p]));
  return Array.from(symmetricEigen(scaled, p).values).sort((a, b) => b - a);
}

export const EIGEN: EigenSettings = {
  frequency: 1,
  trackThreshold: 1.5,
  initialCount: 1,
  solver: "lobpcg",
  tolerance: 1e-12,
};

/** What a process needs to start at `weights` with the rule's first state. */
export function setupAt(
  objective: Objective,
  rule: UpdateRule,
  weights: ArrayLike<number>,
  changes: Partial<ProcessSetup> = {},
): ProcessSetup {
  const compiled = compileRule(rule, objective.dimension);
  return {
    objective,
    rule: compiled,
    weights: Float64Array.from(weights),
    state: rule.initialState(objective.dimension),
    eigen: EIGEN,
    rawEigenvalues: false,
    seed: 1,
    ...changes,
  };
}

/** Takes steps; `seen` is called between preparing and advancing. */
export function takeSteps(process: Process, steps: number, seen?: (step: number) => void): void {
  for (let step = 0; step < steps; step++) {
    process.prepare();
    seen?.(step);
    process.advance();
  }
}

export function norm(x: ArrayLike<number>): number {
  return Math.sqrt(inner(x, x));
}

export function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return norm(Float64Array.from(x, (entry, l) => entry - y[l]));
}

/** The weights that a process stands at. */
export function weightsOf(process: Process): Float64Array {
  return process.snapshot().w;
}
