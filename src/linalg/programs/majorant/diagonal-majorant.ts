import { EPS, Random, type ShouldStop, throwIfStopped, valueError } from "../../../base/index.ts";
import { orthonormalise } from "../../dense/orthonormalise.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { addCombined, allFinite, dot, maxAbs, powerOfTwoNear } from "../../dense/vectors.ts";
import { lobpcg } from "../../eigenpairs/lobpcg.ts";
import type { BlockOperator } from "../../eigenpairs/operator.ts";
import type { SolverResult } from "../../result.ts";
import { alignRows, climb, normaliseRows, pointAt, type SpherePoint, type SphereProblem } from "./ascent.ts";

/** How `diagonalMajorant` ended. */
export type MajorantStatus = "solved" | "inaccurate" | "not-finite";

/** d and the multiplier Z = VVᵀ of D − A ⪰ 0. */
export interface MajorantSolution {
  readonly d: Float64Array;
  /** The columns of V, `rank` vectors of length n, orthogonal in the metric of D, the longest first. */
  readonly columns: Float64Array;
  readonly rank: number;
  /** The vector that came nearest to violating the constraint next, for the next warm start. */
  readonly watched: Float64Array;
}

/** The recomputed conditions of optimality; each is 0 for an exact solution. */
export interface MajorantViolations {
  /** λ_max of T^{-1/2}(A − D)T^{-1/2}, at least 0, with T = D where D is not negligible: A ⪯ D + violation·T. */
  readonly primal: number;
  /** max_l Z_ll − 1, at least 0. Z is positive semidefinite as a product VVᵀ. */
  readonly dual: number;
  /** |⟨Z, D − A⟩| relative to the objective, or to a thousandth of the rows' sizes if that is larger. */
  readonly complementarity: number;
  /**
   * max_l |1 − Z_ll − (b_l/d_l)²|. Where b_l = 0 either d_l = 0 or Z_ll = 1: the smaller of |1 − Z_ll| and d_l relative
   * to the size of A's row, and only Z_ll > 1 where d_l = 0.
   */
  readonly stationarity: number;
  /** Objective of the feasible D + violation·T minus that of Z, relative as `complementarity`. */
  readonly gap: number;
}

/** What was recomputed from a solution, and what it took. */
export interface MajorantStats {
  readonly violations: MajorantViolations;
  /** ½Σ(d_l + b_l²/d_l) */
  readonly objective: number;
  /** λ_max(D^{-1/2}AD^{-1/2}) − 1 as found, without the cut at 0; −1 … 0 where the constraint is slack. */
  readonly excess: number;
  /** Trust region steps. */
  readonly iterations: number;
  /** Vectors that the operator was applied to. */
  readonly applications: number;
}

/** What `diagonalMajorant` returns. */
export type MajorantResult = SolverResult<MajorantSolution, MajorantStatus, MajorantStats>;

/** A guess to start from: the solution of a nearby problem, without its d. */
export type MajorantStart = Omit<MajorantSolution, "d">;

/** Options of `diagonalMajorant`. */
export interface MajorantOptions {
  /** The solution of a nearby problem; its d is not needed. */
  readonly initial?: MajorantStart;
  /** Largest violation that counts as "solved"; default 1e-8. */
  readonly tolerance?: number;
  /** Source of random starts; default: seed 0. */
  readonly random?: Random;
  /** Looked at before every application of A and within what is done between two; true ends the solve with `Stopped`. */
  readonly shouldStop?: ShouldStop | undefined;
}

/** Sizes of A and b up to here and down to its inverse are taken as they are. */
const ORDINARY = 1e50;
/** Vectors whose images measure the size of A's rows. */
const PROBES = 4;
/** Scalings never fall below this fraction of a row's size: d_l may be 0 where A_ll < 0. */
const ROW_FRACTION = 1e-3;
/** Rounds of "climb, look for a violated direction, add it". */
const MAX_ROUNDS = 60;
/** Columns and power steps of a start from nothing. */
const COLD_RANK = 4;
const COLD_STEPS = 8;
/** d_l is negative beyond rounding errors below so many times the row's floor… */
const NEGATIVE = 1e-7;
/** …and the row stands opposite to its slope if d_l is this much of the slope's length. */
const OPPOSITE = 0.999;
/** How far a row with d_l < 0 is turned. */
const TURN = 0.3;
/** A column whose square is this much smaller than the spheres' is dropped. */
const NEGLIGIBLE = 1e-24;

/**
 * The least diagonal majorant of a symmetric operator:
 *
 *     min ½ Σ_l (d_l + b_l²/d_l)   over d ≥ 0 with A ⪯ D = diag(d),
 *
 * a semidefinite program for A known by its products alone. Its dual is max ½⟨Z, A⟩ + Σ_l b_l√(1 − Z_ll) over Z ⪰ 0,
 * Z_ll ≤ 1, with d_l = b_l/√(1 − Z_ll). For b = 0 this is the relaxation of MAX-CUT.
 *
 * Z has low rank, its range the null space of D − A. With Z = VVᵀ and u_l = √(1 − Z_ll) the rows (v_l, u_l) lie on unit
 * spheres, and the dual becomes the smooth maximisation of F = ½⟨V, AV⟩ + Σ b_l u_l (`climb`; Burer and Monteiro, Math.
 * Program. 95, 2003). A critical point has AV = DV with d_l = ⟨v_l, (AV)_l⟩ + b_l u_l, and is the global maximum if
 * A ⪯ D (Boumal, Voroninski and Bandeira, NIPS 2016). That is looked at with LOBPCG; eigenvectors of D^{-1/2}AD^{-1/2}
 * above 1 become new columns of V, along which F rises. Limits: for diagonal A, d_l = max(b_l, A_ll); for A ⪯ diag(b),
 * d = b and Z = 0; for A = hhᵀ and b = 0, d_l = |h_l|·‖h‖₁.
 *
 * @param n dimension
 * @param apply A
 * @param b n numbers ≥ 0, read
 * @returns "solved"; "inaccurate" (a violation exceeds the tolerance; d is the best found); "not-finite" (d is NaN)
 * @throws InputValueError for lengths that do not fit or a negative b; Stopped where `shouldStop` answers true
 * Cost: some hundred applications per column of V from nothing, some ten from a good start; 10·n·(rank + 2) numbers.
 */
export function diagonalMajorant(
  n: number,
  apply: BlockOperator,
  b: Float64Array,
  options: MajorantOptions = {},
): MajorantResult {
  const { initial, tolerance = 1e-8, random = new Random(0, "majorant"), shouldStop } = options;
  if (b.length !== n) throw valueError("diagonalMajorant", `${n} weights b`, String(b.length));
  const negative = b.findIndex((entry) => entry < 0);
  if (negative >= 0)
    throw valueError("diagonalMajorant", "weights b ≥ 0", `${b[negative]} at position ${negative}`);
  if (initial && (initial.columns.length !== initial.rank * n || initial.watched.length !== n))
    throw valueError("diagonalMajorant", `an initial solution of dimension ${n}`, "another");
  return new Majorant(n, apply, b, random, tolerance, shouldStop).solve(initial);
}

class Majorant {
  private readonly n: number;
  private readonly apply: BlockOperator;
  private b: Float64Array;
  private readonly random: Random;
  private readonly tolerance: number;
  private readonly shouldStop: ShouldStop | undefined;
  /** What A and b are divided by: 1, or where squares would leave the doubles a power of two. */
  private unit = 1;
  private floor: Float64Array = new Float64Array(0);
  private applications = 0;
  private iterations = 0;

  constructor(
    n: number,
    apply: BlockOperator,
    b: Float64Array,
    random: Random,
    tolerance: number,
    shouldStop: ShouldStop | undefined,
  ) {
    this.n = n;
    this.shouldStop = shouldStop;
    this.apply = (vectors, products, count) => {
      this.look();
      this.applications += count;
      apply(vectors, products, count);
      if (this.unit !== 1) for (let at = 0; at < count * n; at++) products[at] /= this.unit;
    };
    this.b = b;
    this.random = random;
    this.tolerance = tolerance;
  }

  private readonly look = (): void => throwIfStopped("diagonalMajorant", this.shouldStop);

  solve(initial: MajorantStart | undefined): MajorantResult {
    this.floor = this.rowFloor();
    if (!allFinite(this.floor) || !allFinite(this.b)) return this.notFinite();
    const first = this.attempt(initial);
    if (first.status === "solved") return this.inGivenUnits(first);
    // A start that was good for another problem, or random, may lie in a flat corner of this one.
    const again = this.attempt(undefined);
    return this.inGivenUnits(worst(again) < worst(first) ? again : this.recounted(first));
  }

  private inGivenUnits({ value, status, stats }: MajorantResult): MajorantResult {
    if (this.unit === 1) return { value, status, stats };
    const d = value.d.map((entry) => entry * this.unit);
    return { value: { ...value, d }, status, stats: { ...stats, objective: stats.objective * this.unit } };
  }

  private recounted(result: MajorantResult): MajorantResult {
    const { iterations, applications } = this;
    return { ...result, stats: { ...result.stats, iterations, applications } };
  }

  /** Rounds of climbing and looking, from a nearby solution or from nothing. */
  private attempt(initial: MajorantStart | undefined): MajorantResult {
    const { n } = this;
    let point: SpherePoint = initial ? this.warm(initial) : this.cold();
    let watched: Float64Array = initial ? initial.watched : this.random.fillNormal(new Float64Array(n));
    let best: MajorantResult | undefined;
    let loose = !initial;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const climbed = climb(this.problem(rankOf(point, n)), point, loose ? 1e-3 : 1e-11);
      this.iterations += climbed.iterations;
      if (!Number.isFinite(climbed.point.value)) return best ?? this.notFinite();
      const released = this.released(climbed.point);
      if (released) {
        point = released;
        continue;
      }
      point = this.orthogonal(climbed.point);
      const { result, rising } = this.examine(point, watched, loose);
      watched = result.value.watched;
      if (!loose && (!best || worst(result) <= worst(best))) best = result;
      if (rising.length === 0) {
        if (!loose) break;
        loose = false;
      } else point = this.extended(point, rising);
    }
    return best ? this.recounted(best) : this.notFinite();
  }

  private problem(rank: number): SphereProblem {
    return { n: this.n, rank, apply: this.apply, b: this.b, floor: this.floor, look: this.look };
  }

  /** ROW_FRACTION times the rows' sizes ‖A_l‖ + b_l, by random signs, and never 0. */
  private rowFloor(): Float64Array {
    const { n } = this;
    const probes = Float64Array.from({ length: PROBES * n }, () => (this.random.bits32() & 1 ? 1 : -1));
    const images = new Float64Array(PROBES * n);
    this.apply(probes, images, PROBES);
    const scale = Math.max(maxAbs(images), maxAbs(this.b));
    if (scale > 0 && Number.isFinite(scale) && !(scale > 1 / ORDINARY && scale < ORDINARY)) {
      this.unit = powerOfTwoNear(scale);
      this.b = this.b.map((entry) => entry / this.unit);
      images.forEach((entry, at) => {
        images[at] = entry / this.unit;
      });
    }
    const size = Float64Array.from(this.b, (entry, l) => {
      let squares = 0;
      for (let at = l; at < images.length; at += n) squares += images[at] ** 2;
      return ROW_FRACTION * Math.sqrt(squares / PROBES + entry ** 2);
    });
    const largest = size.reduce((a, c) => Math.max(a, c), 0);
    return size.map((entry) =>
      Number.isFinite(largest) ? Math.max(entry, largest * EPS, 1e-290) : Number.NaN,
    );
  }

  private cold(): SpherePoint {
    const { n } = this;
    const rank = Math.min(n, COLD_RANK);
    const columns = this.random.fillNormal(new Float64Array((rank + 1) * n));
    normaliseRows(columns, n, rank);
    const problem = this.problem(rank);
    let point = pointAt(problem, columns);
    for (let i = 0; i < COLD_STEPS; i++) point = alignRows(problem, point);
    return point;
  }

  private warm({ columns, rank }: MajorantStart): SpherePoint {
    const { n } = this;
    const rows = new Float64Array((rank + 1) * n);
    rows.set(columns);
    for (let l = 0; l < n; l++) {
      let squares = 0;
      for (let at = l; at < columns.length; at += n) squares += columns[at] ** 2;
      rows[rank * n + l] = Math.sqrt(Math.max(0, 1 - squares));
    }
    normaliseRows(rows, n, rank);
    return pointAt(this.problem(rank), rows);
  }

  /**
   * A row at rest with d_l < 0 stands opposite to its maximum, (0, 1) where b_l = 0, without a slope to leave: it is
   * turned a little. Undefined where there is none. A row on its way to d_l = 0 has d_l < 0 too, but is not at rest: its
   * slope is not along it.
   */
  private released(point: SpherePoint): SpherePoint | undefined {
    const { n } = this;
    const rank = rankOf(point, n);
    const columns = point.columns.slice();
    let found = false;
    for (let l = 0; l < n; l++) {
      const opposite = point.multipliers[l] <= -OPPOSITE * point.lengths[l];
      if (!opposite || !(point.multipliers[l] < -NEGATIVE * this.floor[l])) continue;
      found = true;
      columns[rank * n + l] += TURN;
    }
    if (!found) return undefined;
    normaliseRows(columns, n, rank);
    return pointAt(this.problem(rank), columns);
  }

  /** The same Z with columns that are orthogonal in the metric of D, without those that are nothing. */
  private orthogonal(point: SpherePoint): SpherePoint {
    const { n } = this;
    const rank = rankOf(point, n);
    const scaling = this.scaling(point);
    const scaled = point.columns.subarray(0, rank * n).map((entry, at) => entry * Math.sqrt(scaling[at % n]));
    const gram = new Float64Array(rank * rank);
    for (let i = 0; i < rank; i++)
      for (let j = 0; j < rank; j++) gram[i * rank + j] = dot(scaled, i * n, scaled, j * n, n);
    const { values, vectors } = symmetricEigen(gram, rank, this.shouldStop);
    const size = scaling.reduce((total, entry) => total + entry, 0);
    const kept = Array.from(values.keys())
      .filter((i) => values[i] > NEGLIGIBLE * size)
      .reverse();
    const coefficients = new Float64Array(kept.length * rank);
    kept.forEach((from, to) => {
      coefficients.set(vectors.subarray(from * rank, (from + 1) * rank), to * rank);
    });
    const combine = (block: Float64Array, length: number): Float64Array => {
      const out = new Float64Array(length);
      addCombined(block, rank, n, coefficients, kept.length, out);
      return out;
    };
    const columns = combine(point.columns, (kept.length + 1) * n);
    columns.set(point.columns.subarray(rank * n), kept.length * n);
    return { ...point, columns, products: combine(point.products, kept.length * n) };
  }

  /** T: d, but not less than a fraction of the row's size. */
  private scaling(point: SpherePoint): Float64Array {
    return point.multipliers.map((entry, l) => Math.max(entry, this.floor[l]));
  }

  /** The certificate of a critical point, and the directions along which the constraint is violated. */
  private examine(point: SpherePoint, watched: Float64Array, loose: boolean) {
    const { n } = this;
    const rank = rankOf(point, n);
    const d = point.multipliers.map((entry) => Math.max(entry, 0));
    const T = this.scaling(point);
    const root = T.map(Math.sqrt);
    const extra = Math.min(n - rank, loose ? Math.max(2, Math.ceil(rank / 2)) : 1);
    const start = new Float64Array((rank + extra) * n);
    for (let at = 0; at < rank * n; at++) start[at] = point.columns[at] * root[at % n];
    if (extra > 0) for (let l = 0; l < n; l++) start[rank * n + l] = watched[l] * root[l];
    let count = 0;
    for (let i = 0; i < rank + Math.min(extra, 1); i++) {
      start.copyWithin(count * n, i * n, (i + 1) * n);
      if (orthonormalise(start, count, n, 1e-6)) count++;
    }
    // D − A in the metric of T, shifted by 1: the columns of V have the eigenvalue 1, where T = D it is D^{-1/2}AD^{-1/2}.
    const shifted: BlockOperator = (vectors, products, block) => {
      const inner = vectors.slice(0, block * n);
      for (let at = 0; at < inner.length; at++) inner[at] /= root[at % n];
      this.apply(inner, products, block);
      for (let at = 0; at < inner.length; at++)
        products[at] = products[at] / root[at % n] + (1 - d[at % n] / T[at % n]) * vectors[at];
    };
    const found = lobpcg(n, shifted, {
      shouldStop: this.shouldStop,
      count: rank + extra,
      initial: start.subarray(0, count * n),
      random: this.random,
      tolerance: loose ? 1e-3 : 1e-10,
      looseTolerance: loose ? 1e-2 : 3e-3,
      required: (values) => Math.max(rank, values.findLastIndex((value) => value > 0.999) + 1),
    });
    const { values, vectors } = found.value;
    const excess = (values[0] ?? 0) - 1;
    const primal = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : Math.max(0, excess);
    const right = (i: number): Float64Array =>
      vectors.slice(i * n, (i + 1) * n).map((entry, l) => entry / root[l]);
    const bound = loose ? 1e-2 : this.tolerance;
    const rising = Array.from(values.keys())
      .filter((i) => values[i] > 1 + bound)
      .map(right);
    const result = this.certified(point, d, T, primal, excess, extra > 0 ? right(rank + extra - 1) : watched);
    return { result, rising };
  }

  private certified(
    point: SpherePoint,
    d: Float64Array,
    T: Float64Array,
    primal: number,
    excess: number,
    watched: Float64Array,
  ): MajorantResult {
    const { n, b } = this;
    const rank = rankOf(point, n);
    const columns = point.columns.slice(0, rank * n);
    let objective = 0;
    let feasible = 0;
    let dual = 0;
    let complement = 0;
    let beyond = 0;
    let stationarity = 0;
    for (let l = 0; l < n; l++) {
      let Z = 0;
      let ZA = 0;
      for (let at = l; at < rank * n; at += n) {
        Z += columns[at] ** 2;
        ZA += columns[at] * point.products[at];
      }
      const moved = d[l] + primal * T[l];
      objective += 0.5 * (d[l] + (b[l] > 0 ? b[l] ** 2 / d[l] : 0));
      feasible += 0.5 * (moved + (b[l] > 0 ? b[l] ** 2 / moved : 0));
      dual += 0.5 * ZA + b[l] * Math.sqrt(Math.max(0, 1 - Z));
      complement += Z * d[l] - ZA;
      beyond = Math.max(beyond, Z - 1);
      const ratio = b[l] > 0 ? b[l] / d[l] : 0;
      const rest = b[l] > 0 ? Number.POSITIVE_INFINITY : (d[l] * ROW_FRACTION) / this.floor[l];
      const error = Z > 1 ? Z - 1 + ratio ** 2 : Math.min(Math.abs(1 - Z - ratio ** 2), rest);
      stationarity = Math.max(stationarity, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    }
    const size = Math.max(feasible, 0.5 * this.floor.reduce((total, entry) => total + entry, 0));
    const relative = (amount: number): number => (amount > 0 ? amount / size : 0);
    const violations = {
      primal,
      dual: beyond,
      complementarity: relative(Math.abs(complement)),
      stationarity,
      gap: relative(feasible - dual),
    };
    const { iterations, applications } = this;
    const solved = worstOf(violations) <= this.tolerance;
    return {
      value: { d, columns, rank, watched },
      status: solved ? "solved" : "inaccurate",
      stats: { violations, objective, excess, iterations, applications },
    };
  }

  /** The point with new columns along the given directions, scaled to raise F. */
  private extended(point: SpherePoint, directions: readonly Float64Array[]): SpherePoint {
    const { n } = this;
    const rank = rankOf(point, n);
    const more = rank + directions.length;
    const problem = this.problem(more);
    const largest = directions.map((direction) => direction.reduce((a, c) => Math.max(a, Math.abs(c)), 0));
    let next = point;
    for (let step = 1; step > 1e-8; step /= 4) {
      const columns = new Float64Array((more + 1) * n);
      columns.set(point.columns.subarray(0, rank * n));
      directions.forEach((direction, i) => {
        for (let l = 0; l < n; l++) columns[(rank + i) * n + l] = (step * direction[l]) / largest[i];
      });
      columns.set(point.columns.subarray(rank * n), more * n);
      normaliseRows(columns, n, more);
      next = pointAt(problem, columns);
      if (next.value > point.value) break;
    }
    return next;
  }

  private notFinite(): MajorantResult {
    const nan = new Float64Array(this.n).fill(Number.NaN);
    const infinite = Number.POSITIVE_INFINITY;
    const violations = {
      primal: infinite,
      dual: 0,
      complementarity: infinite,
      stationarity: infinite,
      gap: infinite,
    };
    return {
      value: { d: nan, columns: new Float64Array(0), rank: 0, watched: nan.slice() },
      status: "not-finite",
      stats: {
        violations,
        objective: Number.NaN,
        excess: Number.NaN,
        iterations: this.iterations,
        applications: this.applications,
      },
    };
  }
}

function rankOf(point: SpherePoint, n: number): number {
  return n > 0 ? point.columns.length / n - 1 : 0;
}

function worstOf(violations: MajorantViolations): number {
  return Math.max(...Object.values(violations));
}

function worst(result: MajorantResult): number {
  return worstOf(result.stats.violations);
}
