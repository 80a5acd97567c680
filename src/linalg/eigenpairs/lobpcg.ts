import { EPS, hypot, Random, type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import { orthonormalise } from "../dense/orthonormalise.ts";
import { symmetricEigen } from "../dense/symmetric-eigen.ts";
import {
  addCombined,
  addScaled,
  allFinite,
  borrow,
  combineInPlace,
  dot,
  finiteNorm,
  innerProducts,
  norm,
  PIECE,
} from "../dense/vectors.ts";
import type { EigenStatus } from "../status.ts";
import { type BlockOperator, type EigenResult, ROUNDOFF_RESIDUAL } from "./operator.ts";

/** What a caller may watch after each Rayleigh–Ritz step. */
export interface EigenProgress {
  readonly iterations: number;
  readonly applications: number;
  readonly values: Float64Array;
  readonly relativeResiduals: Float64Array;
}

/** Options of `lobpcg`. */
export interface LobpcgOptions {
  /** number of pairs, 0 … n; also the most vectors that one iteration applies the operator to */
  readonly count: number;
  /** default "largest": values descend; with "smallest" they ascend */
  readonly which?: "largest" | "smallest";
  /** warm start: at most `count` vectors of length n, read; missing or dependent ones are drawn at random */
  readonly initial?: Float64Array;
  /** A times each vector of `initial`, read; saves as many applications */
  readonly initialProducts?: Float64Array;
  /** source of random directions; default: seed 0 */
  readonly random?: Random;
  /**
   * bound on ‖Ax − θx‖ / (‖Ax‖ + |θ|) for the required pairs, unless the residual is below
   * `ROUNDOFF_RESIDUAL`·‖A‖; default 1e-10
   */
  readonly tolerance?: number;
  /** leading pairs that must meet `tolerance`, or a function of the current Ritz values; default all */
  readonly required?: number | ((ritzValues: Float64Array) => number);
  /** bound for the pairs that are not required; default 1e-3, never below `tolerance` */
  readonly looseTolerance?: number;
  /** default 100 */
  readonly maxIterations?: number;
  /** most vectors in the basis, at least 3·count (plain LOBPCG); default the larger of 6·count and 24 */
  readonly memory?: number;
  /**
   * recompute A·X for the vectors returned, or for the required ones only (as many applications more; the other
   * products are combinations of those computed on the way); default true. With "rounding" those of the required ones
   * are recomputed only where the rounding errors of combining may exceed a hundredth of the tolerance: a bound, with
   * the largest ‖A s‖ seen for ‖A‖ and `initialProducts` taken for right
   */
  readonly verify?: boolean | "required" | "rounding";
  /** called after each Rayleigh–Ritz step; return true to end the run with the pairs as they are */
  readonly stop?: (progress: EigenProgress) => boolean;
  /** looked at several times per iteration, some 10⁷ operations apart: true ends the run with `Stopped` */
  readonly shouldStop?: ShouldStop | undefined;
}

/** Residual directions of which less than this is new bring nothing: their application is saved. */
const NEW_FRACTION = 1e-6;
/** Rounds of verification after which residuals that fall short count as rounding errors of the operator. */
const MAX_VERIFICATIONS = 3;
/** A starting vector must differ from the earlier ones by this fraction of its length. */
const INDEPENDENT = 1e-10;
/** By default the basis takes at most this many numbers (256 MB), or what plain LOBPCG needs. */
const BUDGET = 2 ** 25;
/** With `verify: "rounding"`, the share of the tolerance that rounding errors of combined products may take. */
const ROUNDING_SHARE = 0.01;
/** Rounding errors, in ε‖A‖, of a product given with its vector and orthonormalised with it: by at most 1/0.01 each. */
const TAKEN_ALONG = 100;
/** Residuals below this many ε·‖A‖ may be the operator's own rounding errors. */
const ROUNDOFF_REACH = 1e3;
/** Iterations without a new best residual, all within reach of roundoff, that count as stagnation. */
const PATIENCE = 8;

/**
 * The `count` largest (or smallest) eigenpairs of a symmetric operator by LOBPCG.
 *
 * Knyazev, "Toward the optimal preconditioned eigensolver" (SIAM J. Sci. Comput. 23, 2001), without a
 * preconditioner: Rayleigh–Ritz on span[X, W, P], where W are the residuals and P holds the previous X.
 * The basis is kept explicitly orthonormal, in the spirit of Hetmaniuk and Lehoucq (J. Comput. Phys. 218,
 * 2006) and Duersch et al. (SIAM J. Sci. Comput. 40, 2018): W is orthogonalised against all of it, P is
 * formed from orthonormal coefficients, so no Gram matrix can lose definiteness. The products of the whole
 * basis are kept and combined with it, so an iteration applies the operator to the new W only: `count`
 * vectors, fewer once pairs have converged (soft locking: they stay in the basis and may become active
 * again). With `memory` > 3·count the basis is compressed to [X, P] only when it is full, which makes the
 * method a thick-restarted block Krylov method (the "+k" restart of Stathopoulos and Saad, ETNA 7, 1998).
 * Measured on diagonal operators of order 2000 with decaying spectra, tolerance 1e-10, 1 to 10 pairs: memory
 * for 6·count vectors saves 10 to 25 % of the applications of plain LOBPCG, for one pair at the edge of a
 * bulk 30 to 70 %; more than 10·count saves little.
 *
 * Applications: count (less what initialProducts saves) + at most count per iteration + at most count to verify.
 * An eigenvector orthogonal to every direction seen cannot be found; start from random vectors when unsure.
 *
 * @param n dimension
 * @param apply the operator, see `BlockOperator`
 * @returns "converged"; "iteration-limit"; "stagnated" (roundoff forbids the tolerance); "stopped";
 *   "not-finite" (the operator returned NaN or infinity: the pairs are the last finite ones, or NaN)
 * @throws InputValueError for counts or lengths that do not fit; Stopped where `shouldStop` answers true
 * Cost per iteration besides the operator: about 8·n·memory·count operations; 2·n·(memory + count) numbers.
 */
export function lobpcg(n: number, apply: BlockOperator, options: LobpcgOptions): EigenResult {
  const settings = validate(n, options);
  const { count, memory } = settings;
  const block = (memory + count) * n;
  return borrow(2 * block + 2 * count * PIECE, (space) => new Lobpcg(n, apply, settings, space).run());
}

type Settings = Required<
  Omit<LobpcgOptions, "initial" | "initialProducts" | "stop" | "shouldStop" | "required">
> &
  Pick<LobpcgOptions, "initial" | "initialProducts" | "stop" | "shouldStop"> & {
    readonly required: (ritzValues: Float64Array) => number;
  };

function validate(n: number, options: LobpcgOptions): Settings {
  const { count, initial, initialProducts, required = count } = options;
  if (!Number.isSafeInteger(n) || n < 0) throw valueError("lobpcg", "a dimension n ≥ 0", String(n));
  if (!Number.isSafeInteger(count) || count < 0 || count > n)
    throw valueError("lobpcg", `a count of pairs in 0 … n = ${n}`, String(count));
  if (initial && (initial.length > count * n || (n > 0 && initial.length % n !== 0)))
    throw valueError(
      "lobpcg",
      `at most ${count} initial vectors of length ${n}`,
      `${initial.length} elements`,
    );
  if (initialProducts && initialProducts.length !== (initial?.length ?? 0))
    throw valueError("lobpcg", "one product per initial vector", `${initialProducts.length} elements`);
  const tolerance = options.tolerance ?? 1e-10;
  if (!(tolerance >= 0)) throw valueError("lobpcg", "a tolerance ≥ 0", String(tolerance));
  const maxIterations = options.maxIterations ?? 100;
  if (!(maxIterations >= 0)) throw valueError("lobpcg", "maxIterations ≥ 0", String(maxIterations));
  return {
    count,
    initial,
    initialProducts,
    tolerance,
    maxIterations,
    which: options.which ?? "largest",
    random: options.random ?? new Random(0, "lobpcg"),
    looseTolerance: Math.max(tolerance, options.looseTolerance ?? 1e-3),
    memory: Math.max(3 * count, options.memory ?? Math.min(Math.max(6 * count, 24), Math.floor(BUDGET / n))),
    verify: options.verify ?? true,
    stop: options.stop,
    shouldStop: options.shouldStop,
    required: typeof required === "number" ? () => required : required,
  };
}

/**
 * The state of one run. Invariant between steps: `basis` holds m orthonormal vectors, `products` A times
 * each, `projected` (row stride `memory`) the symmetric matrix basisᵀ·A·basis. The `count` places after the
 * first m are for residuals, which become the next basis vectors.
 */
class Lobpcg {
  private readonly n: number;
  private readonly apply: BlockOperator;
  private readonly settings: Settings;
  private readonly basis: Float64Array;
  private readonly products: Float64Array;
  private readonly projected: Float64Array;
  /** room for a piece of each vector that `compress` combines */
  private readonly piece: Float64Array;
  private m = 0;
  private values: Float64Array;
  /** coefficients in the basis, count×m: of the Ritz vectors, and of those of one iteration ago */
  private ritz: Float64Array = new Float64Array(0);
  private previous: Float64Array = new Float64Array(0);
  private residuals: Float64Array;
  private relative: Float64Array;
  private required: number;
  private iterations = 0;
  private applications = 0;
  private verifications = 0;
  private verified = false;
  /** how many vectors, in all, products were combined from since the operator gave them: rounding errors in ε‖A‖ */
  private combined = 0;
  /** the largest ‖A s‖ over the basis vectors s seen: a lower bound of ‖A‖ */
  private operatorNorm = 0;
  private bestExcess = Number.POSITIVE_INFINITY;
  private sinceBest = 0;

  /** @param space overwritten: 2(memory + count)·n + 2·count·PIECE elements */
  constructor(n: number, apply: BlockOperator, settings: Settings, space: Float64Array) {
    const { count, memory } = settings;
    const block = (memory + count) * n;
    this.n = n;
    this.apply = apply;
    this.settings = settings;
    this.basis = space.subarray(0, block);
    this.products = space.subarray(block, 2 * block);
    this.piece = space.subarray(2 * block);
    this.projected = new Float64Array(memory * memory);
    this.values = new Float64Array(count).fill(Number.NaN);
    this.residuals = new Float64Array(count).fill(Number.NaN);
    this.relative = new Float64Array(count).fill(Number.NaN);
    this.required = count;
  }

  private readonly look = (): void => throwIfStopped("lobpcg", this.settings.shouldStop);

  run(): EigenResult {
    const { count, memory, verify } = this.settings;
    if (count === 0) return this.finish("converged");
    if (!this.start()) return this.finish("not-finite");
    for (;;) {
      this.rayleighRitz();
      if (this.m + count > memory) this.compress();
      this.computeResiduals();
      let status = this.ending();
      if (status === undefined) {
        const added = this.residualsIntoBasis();
        if (added > 0) {
          if (!this.append(added, true)) return this.finish("not-finite");
          this.iterations++;
          continue;
        }
        status = "stagnated";
      }
      if (!verify || status === "stopped") return this.finish(status);
      if (verify === "rounding" && this.roundingIsSmall()) {
        this.verified = true;
        return this.finish(status);
      }
      if (!this.recomputeProducts()) return this.finish("not-finite");
      if (status !== "converged" || this.converged()) return this.finish(status);
      if (this.verifications >= MAX_VERIFICATIONS * count) return this.finish("stagnated");
      if (this.iterations >= this.settings.maxIterations) return this.finish("iteration-limit");
      this.verified = false;
    }
  }

  /** Orthonormalises the initial vectors, fills up with random ones, and obtains their products. */
  private start(): boolean {
    const { n, basis, products } = this;
    const { count, initial, initialProducts, random } = this.settings;
    const given = initial ? initial.length / n : 0;
    if (initial) basis.set(initial);
    let known = 0;
    if (initialProducts) {
      products.set(initialProducts);
      while (known < given && this.orthonormaliseWithProduct(known)) known++;
      if (known > 0) this.combined += TAKEN_ALONG * known;
    }
    for (let i = known; i < count; i++) {
      this.look();
      let good = i < given && orthonormalise(basis, i, n, INDEPENDENT);
      while (!good) {
        random.fillNormal(basis.subarray(i * n, (i + 1) * n));
        good = orthonormalise(basis, i, n, INDEPENDENT);
      }
    }
    return this.append(known, false) && this.append(count - known, true);
  }

  /**
   * Gram–Schmidt on initial vector i, its product taken along. Refuses, so that the operator is applied
   * instead, when the vector depends so much on the earlier ones that errors in the product would grow.
   */
  private orthonormaliseWithProduct(i: number): boolean {
    const { n, basis, products } = this;
    if (!allFinite(products, i * n, n)) return false;
    for (let pass = 0; pass < 2; pass++) {
      const size = norm(basis, i * n, n);
      for (let j = 0; j < i; j++) {
        const c = -dot(basis, j * n, basis, i * n, n);
        addScaled(c, basis, j * n, basis, i * n, n);
        addScaled(c, products, j * n, products, i * n, n);
      }
      const left = norm(basis, i * n, n);
      if (!(left > 0.01 * size)) return false;
      for (let k = i * n; k < (i + 1) * n; k++) {
        basis[k] /= left;
        products[k] /= left;
      }
    }
    return true;
  }

  /**
   * Takes the `added` vectors after the first m, orthonormal to them, into the basis. Their products are
   * obtained from the operator, or are in place already if `applying` is false. Refuses what is not finite.
   */
  private append(added: number, applying: boolean): boolean {
    const { n, m, basis, products, projected } = this;
    if (added === 0) return true;
    if (applying) {
      const end = (m + added) * n;
      this.apply(basis.subarray(m * n, end), products.subarray(m * n, end), added);
      this.applications += added;
    }
    const sizes = Float64Array.from({ length: added }, (_, i) => norm(products, (m + i) * n, n));
    if (!sizes.every((size, i) => finiteNorm(size, products, (m + i) * n, n))) return false;
    const stride = this.settings.memory;
    const entries = new Float64Array(m + added);
    for (let i = m; i < m + added; i++) {
      this.look();
      this.operatorNorm = Math.max(this.operatorNorm, sizes[i - m]);
      innerProducts(products, i * n, 1, basis, 0, i + 1, n, entries);
      for (let j = 0; j <= i; j++) {
        projected[i * stride + j] = entries[j];
        projected[j * stride + i] = entries[j];
      }
    }
    this.m += added;
    return true;
  }

  /** Ritz values, best first, and their vectors' coefficients; the last coefficients become `previous`. */
  private rayleighRitz(): void {
    const { m, projected } = this;
    const { count, memory: stride, which } = this.settings;
    const small = new Float64Array(m * m);
    for (let i = 0; i < m; i++) small.set(projected.subarray(i * stride, i * stride + m), i * m);
    const eigen = symmetricEigen(small, m, this.settings.shouldStop);
    const before = this.ritz.length / count;
    this.previous = new Float64Array(this.ritz.length > 0 ? count * m : 0);
    for (let i = 0; i < this.previous.length / m; i++)
      this.previous.set(this.ritz.subarray(i * before, (i + 1) * before), i * m);
    this.ritz = new Float64Array(count * m);
    for (let i = 0; i < count; i++) {
      const from = which === "largest" ? m - 1 - i : i;
      this.values[i] = eigen.values[from];
      this.ritz.set(eigen.vectors.subarray(from * m, (from + 1) * m), i * m);
    }
  }

  /** Reduces the basis to [X, P]: the Ritz vectors, and what the previous ones add to them. */
  private compress(): void {
    const { n, m } = this;
    const { count } = this.settings;
    const coefficients = new Float64Array(this.ritz.length + this.previous.length);
    coefficients.set(this.ritz);
    let kept = count;
    for (let i = 0; i < this.previous.length / m; i++) {
      coefficients.set(this.previous.subarray(i * m, (i + 1) * m), kept * m);
      if (orthonormalise(coefficients, kept, m)) kept++;
    }
    this.project(coefficients, kept);
    combineInPlace(this.basis, m, n, coefficients, kept, this.look, this.piece);
    combineInPlace(this.products, m, n, coefficients, kept, this.look, this.piece);
    this.combined += m;
    this.m = kept;
    this.ritz = new Float64Array(count * kept);
    for (let i = 0; i < count; i++) this.ritz[i * kept + i] = 1;
  }

  /** projected ← C·projected·Cᵀ for the first `kept` rows of C (m columns). */
  private project(coefficients: Float64Array, kept: number): void {
    const { m, projected } = this;
    const stride = this.settings.memory;
    const half = new Float64Array(kept * m);
    for (let i = 0; i < kept; i++)
      for (let j = 0; j < m; j++) half[i * m + j] = dot(coefficients, i * m, projected, j * stride, m);
    for (let i = 0; i < kept; i++)
      for (let j = 0; j <= i; j++) {
        const entry = dot(half, i * m, coefficients, j * m, m);
        projected[i * stride + j] = entry;
        projected[j * stride + i] = entry;
      }
  }

  /** Writes A x − θ x for every Ritz pair into the places after the basis, and measures them. */
  private computeResiduals(): void {
    const { n, m, basis, products, ritz, values, residuals, relative } = this;
    const { count, required } = this.settings;
    basis.fill(0, m * n, (m + count) * n);
    addCombined(products, m, n, ritz, count, basis, m * n, this.look);
    const shifted = ritz.map((c, at) => -values[Math.floor(at / m)] * c);
    addCombined(basis, m, n, shifted, count, basis, m * n, this.look);
    for (let i = 0; i < count; i++) {
      residuals[i] = norm(basis, (m + i) * n, n);
      // A x = θ x + r with r ⟂ x, so ‖A x‖² = θ² + ‖r‖².
      const size = hypot(values[i], residuals[i]) + Math.abs(values[i]);
      relative[i] = size > 0 ? residuals[i] / size : 0;
    }
    this.required = Math.min(count, Math.max(0, Math.ceil(required(values))));
  }

  /** How far pair i is above its tolerance: at most 1 means converged. */
  private excess(i: number): number {
    const { tolerance, looseTolerance } = this.settings;
    const bound = i < this.required ? tolerance : looseTolerance;
    if (this.residuals[i] <= ROUNDOFF_RESIDUAL * this.operatorNorm) return 0;
    return this.relative[i] <= bound ? 0 : this.relative[i] / bound;
  }

  private converged(): boolean {
    return this.relative.every((_, i) => this.excess(i) === 0);
  }

  private ending(): EigenStatus | undefined {
    const { iterations, applications, values, relative } = this;
    if (this.converged()) return "converged";
    const progress = { iterations, applications, values, relativeResiduals: relative };
    if (this.settings.stop?.(progress)) return "stopped";
    if (iterations >= this.settings.maxIterations) return "iteration-limit";
    return this.stagnating() ? "stagnated" : undefined;
  }

  /** No progress for PATIENCE iterations while every failing residual is near the rounding errors of A. */
  private stagnating(): boolean {
    const floor = ROUNDOFF_REACH * EPS * this.operatorNorm;
    let worst = 0;
    for (let i = 0; i < this.relative.length; i++) {
      if (this.excess(i) === 0) continue;
      worst = Math.max(worst, this.excess(i));
      if (this.residuals[i] > floor) return false;
    }
    this.sinceBest = worst < 0.7 * this.bestExcess ? 0 : this.sinceBest + 1;
    this.bestExcess = Math.min(this.bestExcess, worst);
    return this.sinceBest >= PATIENCE;
  }

  /** Orthonormalises the residuals of the pairs not yet converged behind the basis; returns how many remain. */
  private residualsIntoBasis(): number {
    const { n, m, basis } = this;
    let added = 0;
    for (let i = 0; i < this.settings.count && m + added < n; i++) {
      if (this.excess(i) === 0) continue;
      this.look();
      if (added < i) basis.copyWithin((m + added) * n, (m + i) * n, (m + i + 1) * n);
      if (orthonormalise(basis, m + added, n, NEW_FRACTION)) added++;
    }
    return added;
  }

  /**
   * Whether combining vectors and products, x = Σ c_i s_i and y = Σ c_i A s_i, moved y from A x by little against the
   * tolerance of every required pair. A sum of m terms with ‖c‖ = 1 is within m^{3/2}ε of exact, relative to the largest
   * term, in x as in y (Higham, Accuracy and Stability of Numerical Algorithms, §3.1).
   */
  private roundingIsSmall(): boolean {
    const { m, values, residuals, operatorNorm } = this;
    const { memory, tolerance } = this.settings;
    const error = 2 * EPS * (this.combined + m) * Math.sqrt(memory) * operatorNorm;
    for (let i = 0; i < this.required; i++) {
      const size = hypot(values[i], residuals[i]) + Math.abs(values[i]);
      if (!(error <= ROUNDING_SHARE * Math.max(tolerance * size, ROUNDOFF_RESIDUAL * operatorNorm)))
        return false;
    }
    return true;
  }

  /** Reduces the basis to the Ritz vectors, applies the operator afresh and measures again. */
  private recomputeProducts(): boolean {
    const { n, m, basis, products } = this;
    const { count, verify } = this.settings;
    const checked = verify === true ? count : this.required;
    combineInPlace(basis, m, n, this.ritz, count, this.look, this.piece);
    if (checked < count) combineInPlace(products, m, n, this.ritz, count, this.look, this.piece);
    for (let i = 0; i < count; i++) {
      this.look();
      orthonormalise(basis, i, n);
    }
    this.combined = 0;
    this.m = 0;
    this.ritz = new Float64Array(0);
    const finite = this.append(checked, true) && this.append(count - checked, false);
    this.verifications += checked;
    if (!finite) return false;
    this.rayleighRitz();
    this.compress();
    this.computeResiduals();
    this.verified = true;
    return true;
  }

  private finish(status: EigenStatus): EigenResult {
    const { values, residuals, iterations, applications, verifications, verified, required } = this;
    const { count } = this.settings;
    const vectors = this.ritzBlock(this.basis);
    const products = this.ritzBlock(this.products);
    const relativeResiduals = this.relative;
    return {
      value: { values, vectors, products, count },
      status,
      stats: { iterations, applications, verifications, residuals, relativeResiduals, verified, required },
    };
  }

  /** The combinations of a block that the Ritz coefficients name, by way of the places after the basis; NaN if there are none. */
  private ritzBlock(block: Float64Array): Float64Array {
    const { n, m, basis } = this;
    const { count } = this.settings;
    if (m === 0) return new Float64Array(count * n).fill(Number.NaN);
    const place = basis.subarray(m * n, (m + count) * n);
    place.fill(0);
    addCombined(block, m, n, this.ritz, count, place, 0, this.look);
    return place.slice();
  }
}
