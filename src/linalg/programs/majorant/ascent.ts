import { EPS } from "../../../base/index.ts";
import { congruence, multiply, transpose } from "../../dense/matrix.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { addScaled, dot } from "../../dense/vectors.ts";
import type { BlockOperator } from "../../eigenpairs/operator.ts";

/**
 * A point of the product of n unit spheres of dimension r: row l is y_l = (v_l, u_l), v_l ∈ R^r. Stored by columns, each
 * a vector of length n: the r columns of V, then u.
 */
export interface SpherePoint {
  readonly columns: Float64Array;
  /** A V, r columns. */
  readonly products: Float64Array;
  /** F = ½⟨V, AV⟩ + Σ b_l u_l. */
  readonly value: number;
  /** The slopes' lengths ‖((AV)_l, b_l)‖. */
  readonly lengths: Float64Array;
  /** d_l = ⟨y_l, ((AV)_l, b_l)⟩, which is that length where the row is at rest. */
  readonly multipliers: Float64Array;
}

export interface SphereProblem {
  readonly n: number;
  readonly rank: number;
  readonly apply: BlockOperator;
  readonly b: Float64Array;
  /** A least size per row for scalings, positive. */
  readonly floor: Float64Array;
  /** Called where work between two applications of A is long; it may throw. */
  readonly look: () => void;
}

export interface AscentOutcome {
  readonly point: SpherePoint;
  /** The largest angle between a row and its slope, in radians. */
  readonly angle: number;
  readonly iterations: number;
  /** Vectors that the operator was applied to. */
  readonly applications: number;
}

const MAX_ITERATIONS = 100;
const MAX_INNER = 200;
/** Expected gains below this, relative to the spheres' size, may be rounding errors. */
const ROUNDOFF_GAIN = 1e-13;
/** Angles from which on a critical point is near. */
const NEAR = 1e-3;
/** So many steps in a row with such gains that do not halve the best angle: the end of what double precision gives. */
const PATIENCE = 3;

/** Curvature below this, relative to the scale, is rounding error. */
const FLAT = 1e-12;

/** Evaluates F and its slopes at columns whose rows have unit length. */
export function pointAt(problem: SphereProblem, columns: Float64Array): SpherePoint {
  const { n, rank, apply, b } = problem;
  const products = new Float64Array(rank * n);
  if (rank > 0) apply(columns.subarray(0, rank * n), products, rank);
  const lengths = new Float64Array(n);
  const multipliers = new Float64Array(n);
  let value = 0;
  for (let l = 0; l < n; l++) {
    let along = 0;
    let squares = 0;
    for (let at = l; at < rank * n; at += n) {
      along += columns[at] * products[at];
      squares += products[at] ** 2;
    }
    const u = columns[rank * n + l];
    value += 0.5 * along + b[l] * u;
    multipliers[l] = along + b[l] * u;
    lengths[l] = Math.sqrt(squares + b[l] ** 2);
  }
  return { columns, products, value, lengths, multipliers };
}

/** Scales the rows to unit length, u to be ≥ 0, which never lowers F; rows that vanish become (0, 1). */
export function normaliseRows(columns: Float64Array, n: number, rank: number): void {
  for (let l = 0; l < n; l++) {
    let squares = 0;
    for (let at = l; at < columns.length; at += n) squares += columns[at] ** 2;
    const size = Math.sqrt(squares);
    const last = rank * n + l;
    if (!(size > 0)) columns[last] = 1;
    else for (let at = l; at < columns.length; at += n) columns[at] /= size;
    columns[last] = Math.abs(columns[last]);
  }
}

/**
 * One step of the power method: every row takes the direction of its slope. With A positive semidefinite F is convex
 * and cannot fall; it serves to bring a random start into the right region.
 */
export function alignRows(problem: SphereProblem, point: SpherePoint): SpherePoint {
  const { n, rank, b } = problem;
  const columns = new Float64Array((rank + 1) * n);
  columns.set(point.products);
  columns.set(b, rank * n);
  normaliseRows(columns, n, rank);
  return pointAt(problem, columns);
}

/**
 * Maximises F over the product of spheres by the Riemannian trust region method with truncated conjugate gradients
 * (Absil, Baker and Gallivan, Found. Comput. Math. 7, 2007) from a point, to a critical point.
 *
 * The Riemannian Hessian of −F is the projection of D − A on V and of D on u, D = diag(d). Rows are preconditioned by
 * the lengths of their slopes, which at the solution are d: the system becomes the identity minus D^{-1/2}AD^{-1/2},
 * whose eigenvalues cluster at 1 but for a few, however far the d_l are apart.
 *
 * @param tolerance the angle at which to stop, see `AscentOutcome`
 */
export function climb(problem: SphereProblem, start: SpherePoint, tolerance: number): AscentOutcome {
  const { n, rank, floor } = problem;
  const size = (rank + 1) * n;
  let point = start;
  let current = angleOf(problem, point);
  let best = { point, angle: current };
  let applications = 0;
  let radius = 0;
  let stale = 0;
  for (let iterations = 0; ; iterations++) {
    const done = best.angle <= tolerance || stale === PATIENCE || iterations === MAX_ITERATIONS;
    if (done || !Number.isFinite(point.value)) return { ...best, iterations, applications };
    const scale = point.lengths.map((length, l) => Math.max(length, floor[l]));
    const reach = Math.sqrt(scale.reduce((total, entry) => total + entry, 0));
    if (iterations === 0) radius = reach / 4;
    const gradient = gradientAt(problem, point);
    const inner = truncatedGradients(problem, point, gradient, scale, radius);
    applications += inner.products + rank;
    const moved = new Float64Array(size);
    for (let at = 0; at < size; at++) moved[at] = point.columns[at] + inner.step[at];
    normaliseRows(moved, n, rank);
    const next = pointAt(problem, moved);
    const { gain, noise } = increase(problem, point, next);
    const ratio = (gain + noise) / (inner.gain + noise);
    const angle = angleOf(problem, next);
    // Near the solution gains are rounding errors of the products; there a Newton step is known by the angle.
    const settles = !inner.bounded && angle < current / 10;
    if (!(ratio >= 0.25) && !settles) radius /= 4;
    else if (ratio > 0.75 && inner.bounded) radius = Math.min(2 * radius, 2 * reach);
    stale = inner.gain > ROUNDOFF_GAIN * reach ** 2 || angle < best.angle / 2 ? 0 : stale + 1;
    if (ratio > 0.1 || settles) {
      point = next;
      current = angle;
      if (inner.gain > ROUNDOFF_GAIN * reach ** 2 || angle < best.angle) best = { point, angle };
    }
  }
}

/**
 * F(to) − F(from) = ½⟨V' − V, AV' + AV⟩ + Σ b_l(u'_l − u_l), as the sum of what the rows gain: rows of little weight are
 * not lost in the rounding errors of F itself. `noise` bounds the error of this sum.
 */
function increase(
  { n, rank, b }: SphereProblem,
  from: SpherePoint,
  to: SpherePoint,
): { gain: number; noise: number } {
  let gain = 0;
  let size = 0;
  for (let at = 0; at < rank * n; at++) {
    const term = 0.5 * (to.columns[at] - from.columns[at]) * (to.products[at] + from.products[at]);
    gain += term;
    size += Math.abs(term);
  }
  for (let l = 0, at = rank * n; l < n; l++, at++) {
    const term = b[l] * (to.columns[at] - from.columns[at]);
    gain += term;
    size += Math.abs(term);
  }
  return { gain, noise: 10 * EPS * size };
}

/** −(slope − ⟨slope, y⟩y) for every row: the gradient of −F. */
function gradientAt({ n, rank, b }: SphereProblem, point: SpherePoint): Float64Array {
  const { columns, products, multipliers } = point;
  const gradient = new Float64Array(columns.length);
  for (let at = 0; at < rank * n; at++) gradient[at] = multipliers[at % n] * columns[at] - products[at];
  for (let l = 0, at = rank * n; l < n; l++, at++) gradient[at] = multipliers[l] * columns[at] - b[l];
  return gradient;
}

/** The largest angle between a row and its slope; where b_l = 0 the slope may vanish, and the floor stands for it. */
function angleOf(problem: SphereProblem, point: SpherePoint): number {
  const { b, floor } = problem;
  const size = point.lengths.map((length, l) => Math.max(length, b[l] > 0 ? 0 : floor[l]));
  return largestRow(gradientAt(problem, point), size);
}

/** max_l ‖x_l‖/size_l. */
function largestRow(x: Float64Array, size: Float64Array): number {
  const n = size.length;
  let largest = 0;
  for (let l = 0; l < n; l++) {
    let squares = 0;
    for (let at = l; at < x.length; at += n) squares += x[at] ** 2;
    largest = Math.max(largest, Math.sqrt(squares) / size[l]);
  }
  return largest;
}

/** Removes from every row of x its part along y. */
function projectRows(columns: Float64Array, n: number, x: Float64Array): void {
  for (let l = 0; l < n; l++) {
    let along = 0;
    for (let at = l; at < x.length; at += n) along += columns[at] * x[at];
    for (let at = l; at < x.length; at += n) x[at] -= along * columns[at];
  }
}

/**
 * Removes from x the part that only rotates the columns of V, VΩ with Ω antisymmetric, along which F does not change;
 * the rest is orthogonal to it in the norm Σ scale_l ‖x_l‖². With C = VᵀMx and G = VᵀMV, GΩ + ΩG = C − Cᵀ.
 */
function withoutRotations(
  { n, rank: r, look }: SphereProblem,
  columns: Float64Array,
  scale: Float64Array,
): (x: Float64Array) => void {
  if (r < 2) return () => {};
  const weighted = columns.slice(0, r * n).map((entry, at) => entry * scale[at % n]);
  const products = (x: Float64Array): Float64Array => {
    const out = new Float64Array(r * r);
    for (let i = 0; i < r; i++) {
      look();
      for (let j = 0; j < r; j++) out[i * r + j] = dot(weighted, i * n, x, j * n, n);
    }
    return out;
  };
  const { values, vectors } = symmetricEigen(products(columns), r);
  const turn = transpose(vectors, r, r);
  const least = EPS * values[r - 1];
  return (x) => {
    const c = congruence(turn, products(x), r);
    const omega = new Float64Array(r * r);
    for (let i = 0; i < r; i++)
      for (let j = 0; j < r; j++)
        if (values[i] + values[j] > least)
          omega[i * r + j] = (c[i * r + j] - c[j * r + i]) / (values[i] + values[j]);
    const back = multiply(turn, multiply(omega, vectors, r, r, r), r, r, r);
    for (let i = 0; i < r; i++) {
      look();
      for (let j = 0; j < r; j++) addScaled(-back[i * r + j], columns, i * n, x, j * n, n);
    }
  };
}

interface InnerOutcome {
  readonly step: Float64Array;
  /** What the quadratic model gains. */
  readonly gain: number;
  /** Whether the step ended at the trust region's bound. */
  readonly bounded: boolean;
  readonly products: number;
}

/** Steihaug's conjugate gradients in the tangent space, with the norm Σ scale_l ‖x_l‖². */
function truncatedGradients(
  problem: SphereProblem,
  { columns, multipliers }: SpherePoint,
  gradient: Float64Array,
  scale: Float64Array,
  radius: number,
): InnerOutcome {
  const { n, rank, apply } = problem;
  const size = columns.length;
  const step = new Float64Array(size);
  const residual = gradient.slice();
  const horizontal = withoutRotations(problem, columns, scale);
  const preconditioned = (): Float64Array => {
    const z = residual.map((entry, at) => entry / scale[at % n]);
    horizontal(z);
    return z;
  };
  const direction = preconditioned().map((entry) => -entry);
  const image = new Float64Array(size);
  const inner = (x: Float64Array, y: Float64Array): number => dot(x, 0, y, 0, size);
  let rz = -inner(residual, direction);
  // Superlinear outer convergence: the residual's angles fall with the square of the gradient's, in every row.
  const angle = largestRow(residual, scale);
  const target = Math.max(angle * Math.min(0.1, angle), 10 * EPS);
  let stepSquared = 0;
  let cross = 0;
  let directionSquared = rz;
  let gain = 0;
  let products = 0;
  for (let i = 0; i < MAX_INNER && rz > 0; i++) {
    image.fill(0);
    if (rank > 0) apply(direction.subarray(0, rank * n), image.subarray(0, rank * n), rank);
    products += rank;
    for (let at = 0; at < size; at++) image[at] = multipliers[at % n] * direction[at] - image[at];
    projectRows(columns, n, image);
    const curvature = inner(direction, image);
    if (Math.abs(curvature) <= FLAT * directionSquared) break;
    const alpha = rz / curvature;
    const reached = stepSquared + 2 * alpha * cross + alpha * alpha * directionSquared;
    if (!(curvature > 0) || reached >= radius * radius) {
      // Close to a critical point go there; whether it is the maximum is looked at afterwards, and by better means.
      if (angle < NEAR && largestRow(residual, scale) < angle / 10) break;
      const root = Math.sqrt(cross * cross + directionSquared * (radius * radius - stepSquared));
      const tau = (root - cross) / directionSquared;
      for (let at = 0; at < size; at++) step[at] += tau * direction[at];
      gain += tau * rz - 0.5 * tau * tau * curvature;
      return { step, gain, bounded: true, products };
    }
    for (let at = 0; at < size; at++) {
      step[at] += alpha * direction[at];
      residual[at] += alpha * image[at];
    }
    gain += 0.5 * alpha * rz;
    stepSquared = reached;
    const z = preconditioned();
    const next = inner(residual, z);
    if (!(next > 0) || largestRow(residual, scale) <= target) break;
    const beta = next / rz;
    for (let at = 0; at < size; at++) direction[at] = beta * direction[at] - residual[at] / scale[at % n];
    cross = beta * (cross + alpha * directionSquared);
    directionSquared = next + beta * beta * directionSquared;
    rz = next;
  }
  return { step, gain, bounded: false, products };
}
