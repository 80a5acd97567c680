import { cos, type Random, sin } from "../../base/index.ts";
import {
  applyQTransposed,
  convexQuadraticProgram,
  differentiateQuadraticProgram,
  type QpSolution,
  type QuadraticProgram,
  qr,
  solveUpper,
  symmetricEigen,
} from "../../linalg/index.ts";

/** min ½yᵀQy + pᵀsin y subject to A y ≥ b and E y = f: the setting of the papers (there G y ≤ h), Q diagonal. */
export interface SineProgram {
  readonly n: number;
  readonly q: Float64Array;
  readonly p: Float64Array;
  readonly A: Float64Array;
  readonly b: Float64Array;
  readonly E: Float64Array;
  readonly f: Float64Array;
}

/** A random one with a feasible region around 0 that binds: q in [½, 1], p and the rows normal. */
export function drawSineProgram(
  n: number,
  inequalities: number,
  equalities: number,
  random: Random,
): SineProgram {
  const normals = (count: number) => random.fillNormal(new Float64Array(count));
  return {
    n,
    q: Float64Array.from({ length: n }, () => 0.5 + 0.5 * random.uniform()),
    p: normals(n),
    A: normals(inequalities * n),
    b: Float64Array.from({ length: inequalities }, () => -0.5 * random.uniform()),
    E: normals(equalities * n),
    f: normals(equalities).map((entry) => 0.2 * entry),
  };
}

/** ∇ = q y + p cos y. */
export function gradientOf({ q, p }: SineProgram, y: Float64Array): Float64Array {
  return y.map((entry, i) => q[i] * entry + p[i] * cos(entry));
}

/** The Hessian's diagonal, q − p sin y. */
export function curvatureOf({ q, p }: SineProgram, y: Float64Array): Float64Array {
  return y.map((entry, i) => q[i] - p[i] * sin(entry));
}

/** The program whose solution is the projection of a point on the feasible region. */
export function projectionProgram({ n, A, b, E, f }: SineProgram, point: Float64Array): QuadraticProgram {
  const Q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) Q[i * (n + 1)] = 1;
  return { Q, c: point.map((entry) => -entry), A, b, E, f };
}

/** A fixed point of y ↦ Π(y − h∇(y)), and how it was reached. */
export interface FixedPoint {
  readonly y: Float64Array;
  readonly steps: number;
  /** whether the last step was rounding */
  readonly converged: boolean;
}

/** One step of projected gradient descent. */
export function descentStep(program: SineProgram, y: Float64Array, rate: number): QpSolution {
  const gradient = gradientOf(program, y);
  const point = y.map((entry, i) => entry - rate * gradient[i]);
  return convexQuadraticProgram(projectionProgram(program, point)).value;
}

/** Projected gradient descent until the step is rounding, or for so many steps. */
export function descend(program: SineProgram, start: Float64Array, rate: number, most: number): FixedPoint {
  let y = start;
  for (let steps = 1; steps <= most; steps++) {
    const next = descentStep(program, y, rate).x;
    const moved = Math.max(...next.map((entry, i) => Math.abs(entry - y[i])));
    y = next;
    if (moved < 4e-15) return { y, steps, converged: true };
  }
  return { y, steps: most, converged: false };
}

/** The linear system of folding at a fixed point, (I − Φ)J = Ψ: all n×n, row-major. */
export interface Folded {
  /** Φ = P(I − hH): the derivative of a step by the point */
  readonly phi: Float64Array;
  /** Ψ = −hP diag(cos y): the derivative of a step by p */
  readonly psi: Float64Array;
  /** the spectral radius of Φ */
  readonly radius: number;
  /** the margin of strict complementarity of the projection */
  readonly margin: number;
}

/**
 * Φ and Ψ, with P, the derivative of the projection, from the certified program's. P projects on the directions that the
 * active rows leave free, so that the eigenvalues of Φ = P(I − hH) are those of the symmetric P(I − hH)P.
 *
 * @returns undefined where the projection has no derivative: without strict complementarity
 */
export function folded(program: SineProgram, y: Float64Array, rate: number): Folded | undefined {
  const { n } = program;
  const gradient = gradientOf(program, y);
  const point = y.map((entry, i) => entry - rate * gradient[i]);
  const projection = projectionProgram(program, point);
  const { value, stats } = differentiateQuadraticProgram(
    projection,
    convexQuadraticProgram(projection).value,
  );
  if (!value) return undefined;
  const curvature = curvatureOf(program, y);
  const [phi, psi, both] = [new Float64Array(n * n), new Float64Array(n * n), new Float64Array(n * n)];
  const columns = Array.from({ length: n }, (_, j) => {
    const c = new Float64Array(n);
    c[j] = -1;
    return value.apply({ c }).x;
  });
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      phi[i * n + j] = columns[j][i] * (1 - rate * curvature[j]);
      psi[i * n + j] = -rate * columns[j][i] * cos(y[j]);
    }
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) both[i * n + j] += phi[i * n + k] * columns[j][k];
  const { values } = symmetricEigen(both, n);
  const radius = values.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
  return { phi, psi, radius, margin: stats.margin };
}

/** J of (I − Φ)J = Ψ by QR: the derivative of the fixed point by p, whatever led there. */
export function foldedDerivative({ phi, psi }: Folded, n: number): Float64Array {
  const system = phi.map((entry, at) => (at % (n + 1) === 0 ? 1 : 0) - entry);
  const factors = qr(transposed(system, n), n, n);
  const J = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const column = Float64Array.from({ length: n }, (_, i) => psi[i * n + j]);
    applyQTransposed(factors, column);
    solveUpper(factors, n, column);
    for (let i = 0; i < n; i++) J[i * n + j] = column[i];
  }
  return J;
}

function transposed(a: Float64Array, n: number): Float64Array {
  return a.map((_, at) => a[(at % n) * n + Math.floor(at / n)]);
}

/**
 * The derivative of the solution by p from one step of sequential quadratic programming there: the program of the Hessian and
 * gradient at y has the same solution, and differentiating it needs no iteration.
 *
 * @returns undefined where it has none
 */
export function sequentialDerivative(program: SineProgram, y: Float64Array): Float64Array | undefined {
  const { n, A, b, E, f } = program;
  const curvature = curvatureOf(program, y);
  const gradient = gradientOf(program, y);
  const Q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) Q[i * (n + 1)] = curvature[i];
  const model = { Q, c: gradient.map((entry, i) => entry - curvature[i] * y[i]), A, b, E, f };
  // Where H is positive on the free directions only, the model is not convex; its multipliers are the projection's over h.
  const projected = descentStep(program, y, 1);
  const { value } = differentiateQuadraticProgram(model, projected);
  if (!value) return undefined;
  const J = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const c = new Float64Array(n);
    c[j] = cos(y[j]);
    value.apply({ c }).x.forEach((entry, i) => {
      J[i * n + j] = entry;
    });
  }
  return J;
}

/** Φᵀv. */
function backward({ phi }: Folded, n: number, v: Float64Array): Float64Array {
  const next = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) next[j] += phi[i * n + j] * v[i];
  return next;
}

const lengthOf = (v: Float64Array): number => Math.sqrt(v.reduce((sum, entry) => sum + entry * entry, 0));

/**
 * The backward pass of unrolling at a fixed point: v ← Φᵀv + g from v = 0, whose limit solves (I − Φᵀ)v = g. Told are the
 * lengths of its steps after the first, g.
 */
export function backwardSteps(system: Folded, n: number, g: Float64Array, count: number): number[] {
  let step = g;
  return Array.from({ length: count }, () => {
    step = backward(system, n, step);
    return lengthOf(step);
  });
}

/** By how much those steps shrink in the end: the root of what two of them do, after many, kept at length 1. */
export function contraction(system: Folded, n: number, g: Float64Array, count: number): number {
  let step = g;
  let [before, now] = [1, 1];
  for (let t = 0; t < count; t++) {
    step = backward(system, n, step);
    const length = lengthOf(step);
    if (length === 0) return 0;
    step = step.map((entry) => entry / length);
    [before, now] = [now, length];
  }
  return Math.sqrt(before * now);
}
