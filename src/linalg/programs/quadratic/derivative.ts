import { valueError } from "../../../base/index.ts";
import { multiplyTransposed, multiplyVector } from "../../dense/matrix.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { addScaled, dot, maxAbs, norm, powerOfTwoNear } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { type QpData, type QuadraticProgram, qpData } from "./data.ts";
import type { QpSolution } from "./quadratic-program.ts";
import { inUnits, qpViolations, worstQp } from "./violations.ts";

/** How `differentiateQuadraticProgram` ended. */
export type QpDerivativeStatus = "differentiable" | "degenerate" | "not-unique" | "inaccurate";

/** Changes of the data, or gradients by them, shaped as the data; what is left out is zero. */
export type QpPerturbation = { readonly [K in keyof QuadraticProgram]?: Float64Array };

/** Changes of the solution, or gradients by it; what is left out is zero. */
export type QpCotangent = Partial<Omit<QpSolution, "direction">>;

/** The derivative of a program's solution by its data, ready for any number of directions. */
export interface QpDerivative {
  /**
   * dx, dλ, dν along a change of the data. `inconsistency` is 0 where the active rows are independent; with dependent ones
   * a change that moves them apart makes some of them inactive, one by one: there is no derivative along it, and
   * `inconsistency` is the part of it, relative to the change, that cannot be followed.
   */
  apply(change: QpPerturbation): {
    readonly x: Float64Array;
    readonly inequality: Float64Array;
    readonly equality: Float64Array;
    readonly inconsistency: number;
  };
  /** The gradients by all data of ⟨x̄, x⟩ + ⟨λ̄, λ⟩ + ⟨ν̄, ν⟩; that by Q is symmetric. The transpose of `apply`. */
  transpose(cotangent: QpCotangent): Required<QpPerturbation>;
}

/** What `differentiateQuadraticProgram` measured. */
export interface QpDerivativeStats {
  /** the inequalities that hold with equality */
  readonly active: readonly number[];
  /** min over the inequalities of max(slack/(‖a‖‖x‖ + |b|), λ‖a‖/force), those that depend on active ones apart */
  readonly margin: number;
  /** active rows, equalities included, less their rank */
  readonly dependent: number;
  /** the largest violation of the optimality conditions by the point given */
  readonly violation: number;
}

/** The derivative if it exists, how the test ended and what was measured. */
export type QpDerivativeResult = SolverResult<
  QpDerivative | undefined,
  QpDerivativeStatus,
  QpDerivativeStats
>;

/** A margin below this is no strict complementarity for solutions that are right to 1e-10. */
const LEAST_MARGIN = 1e-7;
/** The point must satisfy the optimality conditions to this. */
const TOLERANCE = 1e-8;
/** Eigenvalues of the equilibrated optimality system below this are zero, and… */
const NULL_EIGENVALUE = 1e-11;
/** …their eigenvectors move x if this much of them does. */
const MOVES = 1e-5;
/** A row of which less than this lies outside the span of others depends on them. */
const DEPENDENT = 1e-9;
const ROUNDS = 8;

/**
 * The derivative of the solution of a convex quadratic program by its data: with N the active rows, u their multipliers
 * and β their bounds,
 *
 *     [Q  −Nᵀ] [dx]   [−dQ x − dc + dNᵀu]
 *     [−N  0 ] [du] = [dN x − dβ        ]
 *
 * (the implicit function theorem for the optimality conditions; Amos and Kolter, *OptNet*, ICML 2017). It needs strict
 * complementarity, an x that is unique, and for rows that depend on one another a change that keeps them consistent; the
 * system is then solved by pseudo-inverse, symmetric as it is, which makes `transpose` the exact adjoint of `apply`.
 * An inequality without multiplier that depends on the active ones goes with them.
 *
 * @param program as for `convexQuadraticProgram`, read
 * @param solution its solution with multipliers, read
 * @returns "differentiable" with the derivative; without it "degenerate" (the margin of strict complementarity is below
 *   1e-7), "not-unique" (Q has no curvature along some direction that the active rows leave free) or "inaccurate" (the
 *   point violates the optimality conditions by more than 1e-8)
 * @throws InputValueError for lengths that do not fit
 * Cost: 9(n + w)³ operations for w active rows, then 2(n + w)² for each direction.
 */
export function differentiateQuadraticProgram(
  program: QuadraticProgram,
  solution: QpSolution,
): QpDerivativeResult {
  const data = qpData("differentiateQuadraticProgram", program);
  const { n, p, q, Q, rows } = data;
  const { x } = solution;
  if (x.length !== n || solution.inequality.length !== p || solution.equality.length !== q)
    throw valueError(
      "differentiateQuadraticProgram",
      `a solution of ${n} variables, ${p} + ${q} multipliers`,
      `${x.length}, ${solution.inequality.length} + ${solution.equality.length}`,
    );
  const multipliers = new Float64Array(p + q);
  multipliers.set(solution.equality);
  multipliers.set(solution.inequality, q);
  const measured = inUnits(data, x, multipliers);
  const violation = worstQp(qpViolations(measured.data, measured.x, measured.multipliers));
  const { active, margin } = activeRows(data, x, multipliers);
  const listed = active.filter((i) => i >= q).map((i) => i - q);
  const refuse = (status: QpDerivativeStatus, dependent: number): QpDerivativeResult => ({
    value: undefined,
    status,
    stats: { active: listed, margin, dependent, violation },
  });
  if (!(violation <= TOLERANCE)) return refuse("inaccurate", 0);
  if (!(margin >= LEAST_MARGIN)) return refuse("degenerate", 0);

  const size = n + active.length;
  const system = new Float64Array(size * size);
  for (let i = 0; i < n; i++) system.set(Q.subarray(i * n, (i + 1) * n), i * size);
  active.forEach((constraint, place) => {
    for (let j = 0; j < n; j++) {
      const entry = -rows[constraint * n + j];
      system[(n + place) * size + j] = entry;
      system[j * size + n + place] = entry;
    }
  });
  const inverse = pseudoInverse(system, size);
  if (inverse.empty.some((vector) => maxAbs(vector.subarray(0, n)) > MOVES)) return refuse("not-unique", 0);
  const dependent = inverse.empty.length;

  const split = (z: Float64Array) => {
    const u = new Float64Array(p + q);
    active.forEach((constraint, place) => {
      u[constraint] = z[n + place];
    });
    return { x: z.slice(0, n), inequality: u.slice(q), equality: u.slice(0, q) };
  };
  const apply: QpDerivative["apply"] = (change) => {
    const moved = changeOf(data, change);
    const right = new Float64Array(size);
    const bent = multiplyVector(moved.Q, x, n, n);
    const pull = multiplyTransposed(moved.rows, multipliers, p + q, n);
    for (let j = 0; j < n; j++) right[j] = pull[j] - bent[j] - moved.c[j];
    active.forEach((constraint, place) => {
      right[n + place] = dot(moved.rows, constraint * n, x, 0, n) - moved.bounds[constraint];
    });
    return { ...split(inverse.solve(right)), inconsistency: inverse.outside(right) };
  };
  const transpose: QpDerivative["transpose"] = (cotangent) => {
    const right = new Float64Array(size);
    if (cotangent.x) right.set(cotangent.x);
    active.forEach((constraint, place) => {
      const given = constraint < q ? cotangent.equality : cotangent.inequality;
      right[n + place] = given?.[constraint < q ? constraint : constraint - q] ?? 0;
    });
    const z = inverse.solve(right);
    const v = z.subarray(0, n);
    const byRows = new Float64Array((p + q) * n);
    const byBounds = new Float64Array(p + q);
    active.forEach((constraint, place) => {
      const w = z[n + place];
      byBounds[constraint] = -w;
      for (let j = 0; j < n; j++) byRows[constraint * n + j] = multipliers[constraint] * v[j] + w * x[j];
    });
    const byQ = new Float64Array(n * n).map(
      (_, at) => -0.5 * (v[Math.floor(at / n)] * x[at % n] + x[Math.floor(at / n)] * v[at % n]),
    );
    return {
      Q: byQ,
      c: v.map((entry) => -entry),
      A: byRows.slice(q * n),
      b: byBounds.slice(q),
      E: byRows.slice(0, q * n),
      f: byBounds.slice(0, q),
    };
  };
  return {
    value: { apply, transpose },
    status: "differentiable",
    stats: { active: listed, margin, dependent, violation },
  };
}

/** A change of the data in the shapes of the data, zeros for what it leaves out. */
function changeOf(data: QpData, change: QpPerturbation): QpData {
  const { n, p, q } = data;
  return qpData("differentiateQuadraticProgram", {
    Q: change.Q ?? new Float64Array(n * n),
    c: change.c ?? new Float64Array(n),
    A: change.A ?? new Float64Array(p * n),
    b: change.b ?? new Float64Array(p),
    E: change.E ?? new Float64Array(q * n),
    f: change.f ?? new Float64Array(q),
  });
}

/** The rows that hold with equality, and how far all inequalities are from holding so without a force. */
function activeRows(data: QpData, x: Float64Array, multipliers: Float64Array) {
  const { n, p, q, Q, c, rows, bounds } = data;
  const values = multiplyVector(rows, x, p + q, n);
  const force = Math.max(maxAbs(multiplyVector(Q, x, n, n)), maxAbs(c)) || 1;
  const active = Array.from({ length: q }, (_, i) => i);
  const weak: number[] = [];
  let margin = Number.POSITIVE_INFINITY;
  for (let i = q; i < p + q; i++) {
    const length = norm(rows, i * n, n);
    const distance = Math.abs(values[i] - bounds[i]) / (length * norm(x) + Math.abs(bounds[i]) || 1);
    const push = (multipliers[i] * length) / force;
    if (push > LEAST_MARGIN && push >= distance) active.push(i);
    else if (!(distance > LEAST_MARGIN)) weak.push(i);
    if (!weak.includes(i)) margin = Math.min(margin, Math.max(distance, push));
  }
  for (const i of weak) {
    const length = norm(rows, i * n, n);
    if (length === 0) continue;
    if (outsideSpan(data, active, i) > DEPENDENT * length) margin = 0;
    else active.push(i);
  }
  return { active, margin };
}

/** The length of what lies of a row outside the span of others. */
function outsideSpan({ n, rows }: QpData, others: readonly number[], row: number): number {
  const gram = new Float64Array(n * n);
  for (const i of others) {
    const length = norm(rows, i * n, n) || 1;
    for (let j = 0; j < n; j++)
      for (let l = 0; l < n; l++) gram[j * n + l] += (rows[i * n + j] / length) * (rows[i * n + l] / length);
  }
  const { values, vectors } = symmetricEigen(gram, n);
  const rest = rows.slice(row * n, (row + 1) * n);
  for (let e = 0; e < n; e++)
    if (values[e] > DEPENDENT ** 2 * others.length)
      addScaled(-dot(vectors, e * n, rest, 0, n), vectors, e * n, rest, 0, n);
  return norm(rest);
}

/** The symmetric K by its equilibrated eigen decomposition: SK⁺S with S diagonal, and what spans its null space. */
function pseudoInverse(matrix: Float64Array, size: number) {
  const s = new Float64Array(size).fill(1);
  for (let round = 0; round < ROUNDS; round++) {
    const largest = new Float64Array(size);
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        largest[i] = Math.max(largest[i], Math.abs(matrix[i * size + j]) * s[i] * s[j]);
    for (let i = 0; i < size; i++) if (largest[i] > 0) s[i] /= powerOfTwoNear(Math.sqrt(largest[i]));
  }
  const scaled = matrix.map((entry, at) => entry * s[Math.floor(at / size)] * s[at % size]);
  const { values, vectors } = symmetricEigen(scaled, size);
  const floor = NULL_EIGENVALUE * Math.max(Math.abs(values[0] ?? 0), Math.abs(values[size - 1] ?? 0));
  const empty: Float64Array[] = [];
  for (let e = 0; e < size; e++)
    if (Math.abs(values[e]) <= floor) empty.push(vectors.slice(e * size, (e + 1) * size));
  const into = (right: Float64Array) => right.map((entry, i) => entry * s[i]);
  return {
    empty,
    solve: (right: Float64Array): Float64Array => {
      const r = into(right);
      const z = new Float64Array(size);
      for (let e = 0; e < size; e++)
        if (Math.abs(values[e]) > floor)
          addScaled(dot(vectors, e * size, r, 0, size) / values[e], vectors, e * size, z, 0, size);
      return into(z);
    },
    /** the part of a right hand side in the null space, relative */
    outside: (right: Float64Array): number => {
      const r = into(right);
      const part = Math.sqrt(empty.reduce((sum, vector) => sum + dot(vector, 0, r, 0, size) ** 2, 0));
      return part > 0 ? part / norm(r) : 0;
    },
  };
}
