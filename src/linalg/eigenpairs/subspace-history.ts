import { type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import { cholesky, choleskySolve } from "../dense/cholesky.ts";
import { multiplyVector, transpose } from "../dense/matrix.ts";
import { applyQTransposed, qr, solveUpper } from "../dense/qr.ts";
import { addCombined, borrow, dot, innerProducts } from "../dense/vectors.ts";

/**
 * Differences between subspaces below this are rounding: the fit does not follow them. Measured along central flows with
 * vectors to 3e-8: 1e-6 costs a fifth more applications, 1e-8 and 1e-9 save none.
 */
const LEAST_NOISE = 1e-7;
/** Subspaces with directions further apart than this have no business in one extrapolation. */
const LEAST_COSINE = 0.3;

/**
 * The last few of a sequence of k-dimensional subspaces of Rⁿ, and a prediction of the next: where an eigensolver
 * should start when its operator moves along a path.
 *
 * A subspace with orthonormal basis X_s is written in the chart of another, X_b, by the basis Z_s = X_s(X_bᵀX_s)⁻¹,
 * which is the one with X_bᵀZ_s = I (Absil, Mahony, Sepulchre, Acta Appl. Math. 80, 2004, §3.3): it does not depend on
 * the basis chosen, so it is smooth also where eigenvalues cross or coincide. Column by column, the newest subspace is
 * fitted by least squares from the ones before it, Z_0 ≈ Z_1 + Σ a_s(Z_{s+1} − Z_1), and the same coefficients carry
 * the sequence one further (linear prediction; for eigenvectors along molecular dynamics: Polack, Mikhalev, Dusson,
 * Stamm, Lipparini, J. Chem. Theory Comput. 17, 2021). On a smooth path this is extrapolation of an order that the
 * path itself chooses, on an oscillating one it finds the period. All of it is done on inner products of the bases.
 *
 * The prediction must not depend on the bases chosen, and a subspace that stands still is predicted to.
 */
export class SubspaceHistory {
  private readonly n: number;
  private readonly most: number;
  private readonly numbers: number;
  private readonly noise: number;
  /** Newest first; blocks are never written to. */
  private blocks: Float64Array[] = [];
  /** X_sᵀX_r, k×k, of the newer X_s and the older or same X_r, as far as they were needed. */
  private readonly grams = new WeakMap<Float64Array, WeakMap<Float64Array, Float64Array>>();
  private readonly shouldStop: (() => ShouldStop | undefined) | undefined;

  /**
   * @param n dimension of the space
   * @param most subspaces kept, at least 1; below 3 the prediction is the last subspace
   * @param numbers bound on the numbers kept, which one subspace may exceed
   * @param shouldStop gives what a prediction looks at between inner products; true ends it with `Stopped`
   * @param noise how far the subspaces given may be from exact: the fit does not follow differences below it, nor below
   *   1e-7
   */
  constructor(
    n: number,
    most: number,
    numbers = Number.POSITIVE_INFINITY,
    shouldStop?: () => ShouldStop | undefined,
    noise = 0,
  ) {
    if (!(n >= 1) || !(most >= 1))
      throw valueError("SubspaceHistory", "room for at least 1 subspace of R¹", `${most} of R^${n}`);
    this.n = n;
    this.most = most;
    this.numbers = numbers;
    this.noise = Math.max(LEAST_NOISE, noise);
    this.shouldStop = shouldStop;
  }

  /** The bases kept, newest first, to be given to `restore`; not copies, but they never change. */
  get bases(): readonly Float64Array[] {
    return this.blocks;
  }

  /** Forgets everything and takes over bases as `bases` gave them. */
  restore(bases: readonly Float64Array[]): void {
    this.blocks = [];
    for (const basis of [...bases].reverse()) this.add(basis);
  }

  /**
   * Takes the next subspace. Forgets the others if its dimension differs.
   * @param basis k orthonormal vectors of length n, kept: must not change
   */
  add(basis: Float64Array): void {
    if (this.blocks.length > 0 && this.blocks[0].length !== basis.length) this.blocks = [];
    const kept = Math.max(1, Math.min(this.most, Math.floor(this.numbers / basis.length)));
    this.blocks = [basis, ...this.blocks].slice(0, kept);
  }

  /**
   * A basis of the predicted subspace, k vectors nearly orthonormal; undefined before the first `add`.
   * @throws Stopped where `shouldStop` answers true
   * Cost: k²·(number kept) inner products after each `add`.
   */
  predict(): Float64Array | undefined {
    const { n, blocks } = this;
    if (blocks.length === 0) return undefined;
    const k = blocks[0].length / n;
    const before = this.charts(1);
    const now = this.charts(0);
    const terms = Math.max(0, Math.min(before.length - 2, now.length - 1));
    const coefficients = Array.from({ length: 1 + terms }, () => new Float64Array(k * k));
    for (let i = 0; i < k; i++) {
      const fit = this.fit(before, i, terms);
      coefficients[0][i * k + i] = 1 - fit.reduce((total, a) => total + a, 0);
      fit.forEach((a, t) => {
        for (let j = 0; j < k; j++) coefficients[t + 1][i * k + j] = a * now[t + 1][i * k + j];
      });
    }
    const look = (): void => throwIfStopped("SubspaceHistory", this.shouldStop?.());
    return borrow(2 * k * n, (space) => {
      const [block, prediction] = [space.subarray(0, k * n), space.subarray(k * n)];
      prediction.fill(0);
      coefficients.forEach((c, s) => {
        block.set(blocks[s]);
        addCombined(block, k, n, c, k, prediction, 0, look);
      });
      return prediction.slice();
    });
  }

  /**
   * The a_t with Z_0 ≈ Z_1 + Σ a_t(Z_{t+2} − Z_1) in column i, t < count, in the chart of subspace 1. There
   * ⟨Z_s, Z_1⟩ = 1, so ⟨Z_s − Z_1, Z_r − Z_1⟩ = ⟨Z_s, Z_r⟩ − 1.
   */
  private fit(charts: readonly Float64Array[], i: number, count: number): Float64Array {
    if (count === 0) return new Float64Array(0);
    const k = Math.sqrt(charts[0].length);
    const column = (s: number): Float64Array => charts[s].subarray(i * k, (i + 1) * k);
    const product = (s: number, r: number): number =>
      dot(column(s), 0, multiplyVector(this.gram(s, r), column(r), k, k), 0, k) - 1;
    const normal = new Float64Array(count * count);
    const fit = new Float64Array(count);
    for (let t = 0; t < count; t++) {
      fit[t] = product(0, t + 2);
      for (let u = 0; u <= t; u++)
        normal[t * count + u] = product(u + 2, t + 2) + (t === u ? this.noise ** 2 : 0);
    }
    const { factor, status } = cholesky(normal, count);
    if (status !== "solved") return fit.fill(0);
    choleskySolve(factor, count, fit);
    return fit;
  }

  /**
   * The coefficients (X_bᵀX_s)⁻¹ by which the bases become those of the chart of X_b, s = 0, 1, …: column i is
   * elements i·k … i·k + k − 1. Ends before the first subspace with a direction (nearly) orthogonal to X_b.
   */
  private charts(b: number): Float64Array[] {
    const { n, blocks } = this;
    if (b >= blocks.length) return [];
    const k = blocks[0].length / n;
    const charts: Float64Array[] = [];
    for (let s = 0; s < blocks.length; s++) {
      // The columns of X_bᵀX_s are the rows of X_sᵀX_b.
      const columns = s <= b ? this.gram(s, b) : transpose(this.gram(b, s), k, k);
      const factors = qr(columns, k, k);
      const least = Math.min(...Array.from({ length: k }, (_, i) => Math.abs(factors.r[i * k + i])));
      if (!(least > LEAST_COSINE)) break;
      const chart = new Float64Array(k * k);
      for (let i = 0; i < k; i++) {
        const column = chart.subarray(i * k, (i + 1) * k);
        column[i] = 1;
        applyQTransposed(factors, column);
        solveUpper(factors, k, column);
      }
      charts.push(chart);
    }
    return charts;
  }

  /** X_sᵀX_r, s ≤ r. */
  private gram(s: number, r: number): Float64Array {
    const [x, y] = [this.blocks[s], this.blocks[r]];
    const known = this.grams.get(x) ?? new WeakMap<Float64Array, Float64Array>();
    this.grams.set(x, known);
    const found = known.get(y) ?? this.innerProducts(x, y);
    known.set(y, found);
    return found;
  }

  private innerProducts(x: Float64Array, y: Float64Array): Float64Array {
    const { n } = this;
    const k = x.length / n;
    const shouldStop = this.shouldStop?.();
    const gram = new Float64Array(k * k);
    return borrow(2 * k * n, (space) => {
      const [left, right] = [space.subarray(0, k * n), space.subarray(k * n)];
      left.set(x);
      right.set(y);
      const row = new Float64Array(k);
      for (let i = 0; i < k; i++) {
        throwIfStopped("SubspaceHistory", shouldStop);
        innerProducts(left, i * n, 1, right, 0, k, n, row);
        gram.set(row, i * k);
      }
      return gram;
    });
  }
}
