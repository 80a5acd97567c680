import { EPS, hypot, Random, type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import { orthonormalise } from "../dense/orthonormalise.ts";
import { symmetricEigen } from "../dense/symmetric-eigen.ts";
import { addScaled, allFinite, combineInPlace, dot, norm } from "../dense/vectors.ts";
import type { EigenStatus } from "../status.ts";
import { type BlockOperator, type EigenResult, ROUNDOFF_RESIDUAL } from "./operator.ts";

/** Options of `lanczos`. */
export interface LanczosOptions {
  /** pairs wanted at the upper end of the spectrum; default 0 */
  readonly largest?: number;
  /** pairs wanted at the lower end; default 0. largest + smallest must not exceed n */
  readonly smallest?: number;
  /** the starting vector, length n, read; random by default */
  readonly initial?: Float64Array;
  /** source of random vectors; default: seed 0 */
  readonly random?: Random;
  /** bound on ‖Ax − θx‖ / (‖Ax‖ + |θ|), unless the residual is below `floor`·‖A‖; default 1e-10 */
  readonly tolerance?: number;
  /**
   * a residual below this many ‖A‖ passes whatever the tolerance, and with it an eigenvalue known so far; default
   * `ROUNDOFF_RESIDUAL`. For ends of a spectrum at which eigenvalues crowd near zero
   */
  readonly floor?: number;
  /** most steps, each one application; default 1000 */
  readonly maxIterations?: number;
  /** length at which the Krylov basis is restarted; default the larger of 2·wanted + 20 and 40 */
  readonly memory?: number;
  /**
   * search once more, orthogonally to what was found, for copies of multiple eigenvalues; default true where more than one
   * pair is wanted at an end. Without it "converged" says that each pair is one, not that none is missing between them
   */
  readonly confirm?: boolean;
  /**
   * such a search is over when its extreme Ritz pair has a residual of at most so many ‖A‖ and is not among the wanted;
   * default 1e-2, which tells apart eigenvalues that differ by more than that
   */
  readonly settled?: number;
  /** recompute A·X for the vectors returned, an application each; default true; if false, products are NaN */
  readonly verify?: boolean;
  /** looked at in every step: true ends the run with `Stopped` */
  readonly shouldStop?: ShouldStop | undefined;
}

/** A next basis vector shorter than this many ε·‖A‖ is rounding error: the subspace is invariant. */
const ROUNDOFF_REACH = 1e3;

/**
 * Eigenpairs at either end, or both, of the spectrum of a symmetric operator by the Lanczos process with
 * full reorthogonalisation and thick restarts (Wu and Simon, SIAM J. Matrix Anal. Appl. 22, 2000).
 *
 * A Krylov space contains one vector of each eigenspace. When the space becomes invariant before the answer
 * is complete (breakdown), and once more at the end (`confirm`), what was found is set aside and the process starts
 * again from a random vector orthogonal to it, until such a search brings nothing new. That finds the copies
 * of multiple eigenvalues with certainty only as good as the random vectors.
 *
 * @param n dimension
 * @param apply the operator, see `BlockOperator`; called with one vector, at the end with all
 * @returns pairs ordered: the largest, descending, then the smallest, ascending. Status "converged";
 *   "iteration-limit" (pairs as far as found; NaN if fewer than wanted); "stagnated" (the recomputed residuals
 *   miss the tolerance that the recurrence promised: roundoff); "not-finite"
 * @throws InputValueError for counts or lengths that do not fit; Stopped where `shouldStop` answers true
 * Cost per step besides the operator: about 8·n·memory operations; (memory + 2·wanted) vectors of storage.
 */
export function lanczos(n: number, apply: BlockOperator, options: LanczosOptions): EigenResult {
  return new Lanczos(n, apply, validate(n, options)).run();
}

type Settings = Required<Omit<LanczosOptions, "initial" | "shouldStop">> &
  Pick<LanczosOptions, "initial" | "shouldStop">;

function validate(n: number, options: LanczosOptions): Settings {
  const { largest = 0, smallest = 0, initial, tolerance = 1e-10, maxIterations = 1000 } = options;
  if (!Number.isSafeInteger(n) || n < 0) throw valueError("lanczos", "a dimension n ≥ 0", String(n));
  for (const count of [largest, smallest])
    if (!Number.isSafeInteger(count) || count < 0)
      throw valueError("lanczos", "counts that are integers ≥ 0", String(count));
  if (largest + smallest > n)
    throw valueError("lanczos", `at most n = ${n} pairs in total`, `${largest} + ${smallest}`);
  if (initial && initial.length !== n)
    throw valueError("lanczos", `an initial vector of length ${n}`, `${initial.length} elements`);
  if (!(tolerance >= 0)) throw valueError("lanczos", "a tolerance ≥ 0", String(tolerance));
  const { floor = ROUNDOFF_RESIDUAL } = options;
  if (!(floor >= 0)) throw valueError("lanczos", "a floor ≥ 0", String(floor));
  if (!(maxIterations >= 0)) throw valueError("lanczos", "maxIterations ≥ 0", String(maxIterations));
  const wanted = largest + smallest;
  return {
    largest,
    smallest,
    initial,
    tolerance,
    floor,
    maxIterations,
    random: options.random ?? new Random(0, "lanczos"),
    memory: Math.min(n, Math.max(wanted + 2, options.memory ?? Math.max(2 * wanted + 20, 40))),
    confirm: options.confirm ?? Math.max(largest, smallest) > 1,
    settled: options.settled ?? 1e-2,
    verify: options.verify ?? true,
    shouldStop: options.shouldStop,
  };
}

/** A Ritz pair of the union of what was set aside (index < 0: −1 − place) and the active basis (index ≥ 0). */
interface Candidate {
  readonly index: number;
  readonly value: number;
  readonly residual: number;
}

/**
 * The state of one run. `basis` holds `locked` finished Ritz vectors, then the `m` active vectors of the
 * current search, then the next one; all orthonormal. `projected` (row stride `memory`) is the operator on
 * the active vectors; `next` is the length of what A adds to their span.
 */
class Lanczos {
  private readonly n: number;
  private readonly apply: BlockOperator;
  private readonly settings: Settings;
  private readonly wanted: number;
  private readonly basis: Float64Array;
  private readonly product: Float64Array;
  private readonly projected: Float64Array;
  private locked: Candidate[] = [];
  private m = 0;
  private next = 0;
  private ritzValues: Float64Array = new Float64Array(0);
  private ritzVectors: Float64Array = new Float64Array(0);
  /** the residual norms of the active Ritz pairs, as the recurrence knows them */
  private ritzResiduals: Float64Array = new Float64Array(0);
  private operatorNorm = 0;
  private iterations = 0;

  constructor(n: number, apply: BlockOperator, settings: Settings) {
    this.n = n;
    this.apply = apply;
    this.settings = settings;
    this.wanted = settings.largest + settings.smallest;
    this.basis = new Float64Array((this.wanted + settings.memory + 1) * n);
    this.product = new Float64Array(n);
    this.projected = new Float64Array(settings.memory * settings.memory);
  }

  private readonly look = (): void => throwIfStopped("lanczos", this.settings.shouldStop);

  run(): EigenResult {
    if (this.wanted === 0) return this.report("converged");
    let again = this.settings.confirm;
    for (let search = 0; ; search++) {
      this.begin(search === 0 ? this.settings.initial : undefined);
      const outcome = this.search();
      const exhausted = this.locked.length + this.m === this.n;
      const gained = this.lock();
      if (outcome === "iteration-limit" || outcome === "not-finite") return this.report(outcome);
      if (outcome === "invariant") again = true;
      if (exhausted || !gained || !again) return this.report("converged");
    }
  }

  /** Places a starting vector, orthonormal to the locked ones, as the first of a new search. */
  private begin(initial: Float64Array | undefined): void {
    const { n, basis, locked } = this;
    const at = locked.length * n;
    this.m = 0;
    if (initial) basis.set(initial, at);
    else this.settings.random.fillNormal(basis.subarray(at, at + n));
    while (!orthonormalise(basis, locked.length, n, 1e-10))
      this.settings.random.fillNormal(basis.subarray(at, at + n));
  }

  /** Extends the Krylov space until the wanted pairs are settled or the space is invariant. */
  private search(): "settled" | "invariant" | "iteration-limit" | "not-finite" {
    for (;;) {
      this.look();
      if (this.iterations >= this.settings.maxIterations) return "iteration-limit";
      if (!this.step()) return "not-finite";
      this.rayleighRitz();
      if (this.next === 0) return "invariant";
      if (this.settled()) return "settled";
      if (this.m === this.settings.memory) this.restart();
    }
  }

  /** One Lanczos step: applies A to the newest vector and orthogonalises the product against all others. */
  private step(): boolean {
    const { n, basis, product, projected, m } = this;
    const lockedCount = this.locked.length;
    const stride = this.settings.memory;
    const newest = lockedCount + m;
    this.apply(basis.subarray(newest * n, (newest + 1) * n), product, 1);
    this.iterations++;
    if (!allFinite(product)) return false;
    this.operatorNorm = Math.max(this.operatorNorm, norm(product));
    for (let i = 0; i <= newest; i++) {
      const h = dot(basis, i * n, product, 0, n);
      addScaled(-h, basis, i * n, product, 0, n);
      if (i < lockedCount) continue;
      projected[(i - lockedCount) * stride + m] = h;
      projected[m * stride + i - lockedCount] = h;
    }
    this.m++;
    this.next = norm(product);
    basis.set(product, (newest + 1) * n);
    const invariant = this.next <= ROUNDOFF_REACH * EPS * this.operatorNorm || newest + 1 === n;
    if (invariant || !orthonormalise(basis, newest + 1, n)) this.next = 0;
    return true;
  }

  private rayleighRitz(): void {
    const { m, projected } = this;
    const stride = this.settings.memory;
    const small = new Float64Array(m * m);
    for (let i = 0; i < m; i++) small.set(projected.subarray(i * stride, i * stride + m), i * m);
    const eigen = symmetricEigen(small, m);
    this.ritzValues = eigen.values;
    this.ritzVectors = eigen.vectors;
    this.ritzResiduals = eigen.values.map((_, i) => this.next * Math.abs(eigen.vectors[i * m + m - 1]));
  }

  /** The best of locked and active pairs: the largest, descending, then the smallest, ascending. */
  private chosen(): Candidate[] {
    const { largest, smallest } = this.settings;
    const all: Candidate[] = this.locked.map(({ value, residual }, i) => ({
      index: -1 - i,
      value,
      residual,
    }));
    for (let i = 0; i < this.m; i++)
      all.push({ index: i, value: this.ritzValues[i], residual: this.ritzResiduals[i] });
    // Equal up to the tolerance, a locked pair stays: its copy in the active basis is no news.
    const slack = this.slack();
    const favour = (c: Candidate) => (c.index < 0 ? slack : 0);
    const descending = [...all].sort((a, b) => b.value + favour(b) - a.value - favour(a));
    const top = descending.slice(0, Math.min(largest, all.length));
    const rest = all.filter((c) => !top.includes(c));
    rest.sort((a, b) => a.value - favour(a) - b.value + favour(b));
    return [...top, ...rest.slice(0, smallest)];
  }

  private slack(): number {
    return this.locked.length < this.wanted
      ? 0
      : Math.max(this.settings.tolerance, 10 * EPS) * this.operatorNorm;
  }

  private meets(value: number, residual: number): boolean {
    const relative = this.settings.tolerance * (hypot(value, residual) + Math.abs(value));
    return residual <= Math.max(relative, this.settings.floor * this.operatorNorm);
  }

  private settled(): boolean {
    const chosen = this.chosen();
    if (chosen.length < this.wanted) return false;
    if (!chosen.every(({ index, value, residual }) => index < 0 || this.meets(value, residual))) return false;
    if (this.locked.length === 0 || chosen.some((c) => c.index >= 0)) return true;
    const bound = this.settings.settled * this.operatorNorm;
    const { largest, smallest } = this.settings;
    return (
      (largest === 0 || this.ritzResiduals[this.m - 1] <= bound) &&
      (smallest === 0 || this.ritzResiduals[0] <= bound)
    );
  }

  /** Keeps the Ritz vectors nearest the wanted ends, and the next vector; Wu and Simon, §4. */
  private restart(): void {
    const { n, m, basis, projected, wanted } = this;
    const { largest, memory: stride } = this.settings;
    const kept = Math.min(m - 2, wanted + Math.floor(0.4 * (m - wanted)));
    const fromTop = Math.round((kept * largest) / wanted);
    const order = Array.from({ length: kept }, (_, i) => (i < kept - fromTop ? i : m - kept + i));
    const coefficients = new Float64Array(kept * m);
    const unit = new Float64Array(kept * kept);
    projected.fill(0);
    order.forEach((from, i) => {
      coefficients.set(this.ritzVectors.subarray(from * m, (from + 1) * m), i * m);
      projected[i * stride + i] = this.ritzValues[from];
      unit[i * kept + i] = 1;
    });
    this.ritzValues = Float64Array.from(order, (from) => this.ritzValues[from]);
    this.ritzResiduals = Float64Array.from(order, (from) => this.ritzResiduals[from]);
    this.ritzVectors = unit;
    const first = this.locked.length;
    combineInPlace(basis.subarray(first * n), m, n, coefficients, kept, this.look);
    basis.copyWithin((first + kept) * n, (first + m) * n, (first + m + 1) * n);
    this.m = kept;
  }

  /** Replaces the locked vectors by the best of locked and active; true if an active one is among them. */
  private lock(): boolean {
    const { n, m, basis } = this;
    const before = this.locked.length;
    const chosen = this.chosen();
    const total = before + m;
    const coefficients = new Float64Array(chosen.length * total);
    chosen.forEach(({ index }, row) => {
      if (index < 0) coefficients[row * total - 1 - index] = 1;
      else coefficients.set(this.ritzVectors.subarray(index * m, (index + 1) * m), row * total + before);
    });
    combineInPlace(basis, total, n, coefficients, chosen.length, this.look);
    this.locked = chosen;
    return chosen.some((c) => c.index >= 0);
  }

  /** Measures the locked pairs, by fresh products if asked to, and packs the result. */
  private report(status: EigenStatus): EigenResult {
    const { n, wanted, locked, iterations } = this;
    const { verify } = this.settings;
    const found = locked.length;
    const values = new Float64Array(wanted).fill(Number.NaN);
    const vectors = new Float64Array(wanted * n).fill(Number.NaN);
    const products = new Float64Array(wanted * n).fill(Number.NaN);
    const residuals = new Float64Array(wanted).fill(Number.NaN);
    const relativeResiduals = residuals.slice();
    vectors.set(this.basis.subarray(0, found * n));
    const verified = verify && found > 0 && status !== "not-finite";
    if (verified) this.apply(vectors.subarray(0, found * n), products.subarray(0, found * n), found);
    for (let i = 0; i < found; i++) {
      values[i] = verified ? dot(vectors, i * n, products, i * n, n) : locked[i].value;
      residuals[i] = verified ? this.measured(vectors, products, i, values[i]) : locked[i].residual;
      const size = hypot(values[i], residuals[i]) + Math.abs(values[i]);
      relativeResiduals[i] = size > 0 ? residuals[i] / size : 0;
    }
    const verifications = verified ? found : 0;
    if (verified && !allFinite(products, 0, found * n)) status = "not-finite";
    const failed = values.some((value, i) => !this.meets(value, residuals[i]));
    return {
      value: { values, vectors, products, count: wanted },
      status: status === "converged" && failed ? "stagnated" : status,
      stats: {
        iterations,
        applications: iterations + verifications,
        verifications,
        residuals,
        relativeResiduals,
        verified,
        required: wanted,
      },
    };
  }

  /** ‖A x − θ x‖ for vector i. Overwrites `product`. */
  private measured(vectors: Float64Array, products: Float64Array, i: number, theta: number): number {
    const { n, product } = this;
    product.set(products.subarray(i * n, (i + 1) * n));
    addScaled(-theta, vectors, i * n, product, 0, n);
    return norm(product);
  }
}
