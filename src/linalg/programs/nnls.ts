import { EPS, valueError } from "../../base/index.ts";
import { multiplyTransposed, multiplyVector, transpose } from "../dense/matrix.ts";
import { applyQTransposed, qr, solveUpper } from "../dense/qr.ts";
import { allFinite, dot, norm, powerOfTwoNear } from "../dense/vectors.ts";
import type { SolverResult } from "../result.ts";

/** How `nnls` ended. */
export type NnlsStatus = "solved" | "inaccurate" | "iteration-limit" | "not-finite";

/** x ≥ 0, and the gradient Cᵀ(Cx − d) recomputed from it (0 or infinite where doubles end). */
export interface NnlsSolution {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
}

/** Violations of the optimality conditions, relative to what cancels: ‖c_j‖·(‖d‖ + Σ_i ‖c_i‖ x_i). */
export interface NnlsStats {
  readonly iterations: number;
  /** ‖Cx − d‖ */
  readonly residual: number;
  /** max over all j of −gradient_j, at least 0 */
  readonly dual: number;
  /** max |gradient_j| over x_j > 0 */
  readonly complementarity: number;
}

/** What `nnls` returns. */
export type NnlsResult = SolverResult<NnlsSolution, NnlsStatus, NnlsStats>;

/** Largest relative violation that counts as solved. */
const TOLERANCE = 1e-10;
/** A column of which less than this is new to the passive set would only add noise. */
const DEPENDENT = 1e-12;

/**
 * Nonnegative least squares: min ‖C x − d‖₂ over x ≥ 0, by the active set method of Lawson and Hanson
 * (*Solving Least Squares Problems*, 1974, ch. 23), with columns and d scaled by powers of two to lengths in [1, 2)
 * and each subproblem solved afresh by Householder QR. So x and the certificate do not depend on the units.
 *
 * A column may enter the passive set only if it is independent of it and its first step is positive. One that
 * fails, or whose entry does not lower the residual, is barred until the residual falls: so no set of columns
 * comes back and the method ends, whatever the rounding and however rank deficient C is.
 *
 * @param c rows×cols row-major, read
 * @param d length rows, read
 * @param maxIterations default 10·cols + 100 (three per column is typical)
 * @returns "solved"; "iteration-limit" with x so far; "inaccurate" if a violation exceeds 1e-10 (seen only where
 *   an x_j is beyond the range of doubles); "not-finite" (C or d: x is NaN)
 * @throws InputValueError for lengths that do not fit
 * Cost per iteration: 2·rows·p² operations for p positive variables.
 */
export function nnls(
  c: Float64Array,
  d: Float64Array,
  rows: number,
  cols: number,
  maxIterations: number = 10 * cols + 100,
): NnlsResult {
  if (c.length !== rows * cols) throw valueError("nnls", `C of ${rows}×${cols} elements`, `${c.length}`);
  if (d.length !== rows) throw valueError("nnls", `d of ${rows} elements`, `${d.length}`);
  if (!allFinite(c) || !allFinite(d)) return notFinite(cols);
  const problem = equilibrate(c, d, rows, cols);
  const active = new ActiveSet(problem.columns, problem.d, rows, cols);
  const finished = active.run(maxIterations);
  const x = active.x.map((value, j) => value * problem.ratios[j]);
  return report(problem, x, finished ? "solved" : "iteration-limit", active.steps);
}

/** Columns and d of lengths in [1, 2): C_j = columns_j·units_j, d = d'·unit, hence x_j = x'_j·ratios_j. */
interface ScaledNnls {
  readonly rows: number;
  readonly cols: number;
  /** cols vectors of length rows */
  readonly columns: Float64Array;
  readonly d: Float64Array;
  /** powers of two, which round nothing; 1 for zero columns */
  readonly units: Float64Array;
  readonly unit: number;
  /** unit/units_j */
  readonly ratios: Float64Array;
}

function equilibrate(c: Float64Array, d: Float64Array, rows: number, cols: number): ScaledNnls {
  const columns = transpose(c, rows, cols);
  const unit = powerOfTwoNear(norm(d) || 1);
  const units = Float64Array.from({ length: cols }, (_, j) =>
    powerOfTwoNear(norm(columns, j * rows, rows) || 1),
  );
  return {
    rows,
    cols,
    columns: columns.map((entry, at) => entry / units[Math.floor(at / rows)]),
    d: d.map((entry) => entry / unit),
    units,
    unit,
    ratios: units.map((own) => unit / own),
  };
}

function notFinite(cols: number): NnlsResult {
  const nan = new Float64Array(cols).fill(Number.NaN);
  const infinite = Number.POSITIVE_INFINITY;
  return {
    value: { x: nan, gradient: nan.slice() },
    status: "not-finite",
    stats: { iterations: 0, residual: Number.NaN, dual: infinite, complementarity: infinite },
  };
}

/** Measures x as it is returned, in the scaled problem, where nothing over- or underflows. */
function report(problem: ScaledNnls, x: Float64Array, status: NnlsStatus, iterations: number): NnlsResult {
  const { rows, cols, columns, d, units, unit, ratios } = problem;
  const scaled = x.map((value, j) => (value === 0 ? 0 : value / ratios[j]));
  const difference = multiplyTransposed(columns, scaled, cols, rows).map((value, i) => value - d[i]);
  const gradient = multiplyVector(columns, difference, cols, rows);
  const lengths = Float64Array.from({ length: cols }, (_, j) => norm(columns, j * rows, rows));
  const size = norm(d) + dot(lengths, 0, scaled, 0, cols);
  let dual = 0;
  let complementarity = 0;
  for (let j = 0; j < cols; j++) {
    const relative = gradient[j] === 0 ? 0 : gradient[j] / (lengths[j] * size);
    const amount = Number.isNaN(relative) ? Number.POSITIVE_INFINITY : Math.abs(relative);
    if (!(relative > 0)) dual = Math.max(dual, amount);
    if (x[j] > 0) complementarity = Math.max(complementarity, amount);
  }
  const good = allFinite(x) && Math.max(dual, complementarity) <= TOLERANCE;
  return {
    value: { x, gradient: gradient.map((entry, j) => entry * units[j] * unit) },
    status: status === "solved" && !good ? "inaccurate" : status,
    stats: { iterations, residual: norm(difference) * unit, dual, complementarity },
  };
}

/** The state of one run: x ≥ 0 with the passive set of variables that may be positive. */
class ActiveSet {
  readonly x: Float64Array;
  private readonly columns: Float64Array;
  private readonly d: Float64Array;
  private readonly rows: number;
  private readonly cols: number;
  private passive: number[] = [];
  private readonly barred = new Set<number>();
  /** subproblems solved */
  steps = 0;

  constructor(columns: Float64Array, d: Float64Array, rows: number, cols: number) {
    this.columns = columns;
    this.d = d;
    this.rows = rows;
    this.cols = cols;
    this.x = new Float64Array(cols);
  }

  /** Runs to optimality; false if the limit came first. */
  run(limit: number): boolean {
    let residual = this.residual();
    for (;;) {
      const entering = this.steepest(residual);
      if (entering === undefined) return true;
      if (this.steps >= limit) return false;
      const passive = this.passive;
      const x = this.x.slice();
      const entered = this.enter(entering);
      const after = this.residual();
      if (entered && norm(after) < norm(residual)) {
        residual = after;
        this.barred.clear();
      } else {
        this.passive = passive;
        this.x.set(x);
        this.barred.add(entering);
      }
    }
  }

  /** d − C x */
  private residual(): Float64Array {
    const { columns, d, rows, cols, x } = this;
    const r = d.slice();
    for (let j = 0; j < cols; j++)
      if (x[j] > 0) for (let i = 0; i < rows; i++) r[i] -= x[j] * columns[j * rows + i];
    return r;
  }

  /** The variable outside the passive set along which the residual falls fastest, if any. */
  private steepest(residual: Float64Array): number | undefined {
    const { columns, rows, cols } = this;
    let best: number | undefined;
    // Below this, a slope is rounding error: scaled columns have lengths in [1, 2).
    let slope = 10 * rows * EPS * (norm(this.d) + this.x.reduce((sum, value) => sum + value, 0));
    for (let j = 0; j < cols; j++) {
      if (this.barred.has(j) || this.passive.includes(j)) continue;
      const fall = dot(columns, j * rows, residual, 0, rows);
      if (fall > slope) {
        slope = fall;
        best = j;
      }
    }
    return best;
  }

  /** Adds a variable, then drops those that would turn negative until the subproblem's solution is feasible. */
  private enter(entering: number): boolean {
    const { x } = this;
    this.passive = [...this.passive, entering];
    for (let first = true; ; first = false) {
      const z = this.leastSquares();
      this.steps++;
      if (!z || (first && !(z[z.length - 1] > 0))) return false;
      let alpha = 1;
      this.passive.forEach((j, i) => {
        if (z[i] <= 0) alpha = Math.min(alpha, x[j] / (x[j] - z[i]));
      });
      const blocked = z.some((value) => value <= 0);
      this.passive.forEach((j, i) => {
        const hits = z[i] <= 0 && x[j] / (x[j] - z[i]) <= alpha;
        x[j] = blocked ? (hits ? 0 : x[j] + alpha * (z[i] - x[j])) : z[i];
      });
      if (!blocked) return true;
      this.passive = this.passive.filter((j) => x[j] > 0);
      if (this.passive.length === 0) return true;
    }
  }

  /** The unconstrained solution on the passive columns; undefined if the last column depends on the others. */
  private leastSquares(): Float64Array | undefined {
    const { columns, d, rows, passive } = this;
    const size = passive.length;
    if (size > rows) return undefined;
    const chosen = new Float64Array(size * rows);
    passive.forEach((j, i) => {
      chosen.set(columns.subarray(j * rows, (j + 1) * rows), i * rows);
    });
    const factored = qr(chosen, rows, size);
    if (!(Math.abs(factored.r[(size - 1) * rows + size - 1]) > DEPENDENT)) return undefined;
    const z = d.slice();
    applyQTransposed(factored, z);
    solveUpper(factored, size, z);
    return z.slice(0, size);
  }
}
