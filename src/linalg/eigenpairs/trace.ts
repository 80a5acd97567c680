import { Random, type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import { orthonormalise } from "../dense/orthonormalise.ts";
import { addScaled, allFinite, dot } from "../dense/vectors.ts";
import type { SolverResult } from "../result.ts";
import type { Estimate } from "./estimate.ts";
import type { BlockOperator } from "./operator.ts";

/** Options of `hutchPlusPlus`. */
export interface TraceOptions {
  /** applications of the operator, at least 6; a third of them, rounded down, are samples. Default 60 */
  readonly products?: number;
  /** source of random vectors; default: seed 0 */
  readonly random?: Random;
  /** looked at before every application: true ends the run with `Stopped` */
  readonly shouldStop?: ShouldStop | undefined;
}

/** A trace with its standard error, how it ended and what it took. */
export type TraceResult = SolverResult<
  Estimate,
  "converged" | "not-finite",
  {
    /** vectors that the operator was applied to */
    readonly applications: number;
    /** the trace on the sketched subspace, which is exact */
    readonly captured: number;
  }
>;

/**
 * The trace of a symmetric operator by Hutch++ (docs/derivations.md, section 15): the trace on an orthonormal basis Q of what
 * A makes of random vectors is exact, and the rest, the trace of B = (I − QQᵀ)A(I − QQᵀ), is the mean of gᵀBg over random
 * signs g. Unbiased; for k products the error falls as 1/k where the spectrum decays. The error told is that of the law
 * Var gᵀBg = 2·(‖B‖² − Σ B_ii²) ≤ 2·E‖Bg‖², which few samples give better than they give their own variance. With at least n
 * products the trace is taken entry by entry, without error.
 * Source: Meyer, Musco, Musco and Woodruff, Hutch++: optimal stochastic trace estimation, SOSA 2021, algorithm 1.
 *
 * @param n dimension
 * @param apply the operator, see `BlockOperator`; called with one vector
 * @returns the trace, NaN with the status "not-finite" where a product is not finite
 * @throws InputValueError for options out of range; Stopped where `shouldStop` answers true
 * Cost besides the operator: 4·n·(products/3)² operations; products/3 + 2 vectors of storage.
 */
export function hutchPlusPlus(n: number, apply: BlockOperator, options: TraceOptions = {}): TraceResult {
  const { products = 60, random = new Random(0, "trace"), shouldStop } = options;
  if (!Number.isSafeInteger(n) || n < 0) throw valueError("hutchPlusPlus", "a dimension n ≥ 0", String(n));
  if (!Number.isSafeInteger(products) || products < 6)
    throw valueError("hutchPlusPlus", "at least 6 products", String(products));
  let applications = 0;
  const vector = new Float64Array(n);
  const product = new Float64Array(n);
  /** A times `vector`; whether it is finite. */
  const applied = (): boolean => {
    throwIfStopped("hutchPlusPlus", shouldStop);
    apply(vector, product, 1);
    applications++;
    return allFinite(product);
  };
  const ended = (value: Estimate, captured: number): TraceResult => ({
    value,
    status: Number.isFinite(value.value) ? "converged" : "not-finite",
    stats: { applications, captured },
  });
  const failed = (): TraceResult => ended({ value: Number.NaN, error: Number.NaN }, Number.NaN);

  if (n <= products) {
    let total = 0;
    for (let i = 0; i < n; i++) {
      vector.fill(0);
      vector[i] = 1;
      if (!applied()) return failed();
      total += product[i];
    }
    return ended({ value: total, error: 0 }, total);
  }

  const third = Math.floor(products / 3);
  const basis = new Float64Array(third * n);
  let rank = 0;
  for (let i = 0; i < third; i++) {
    fillSigns(random, vector);
    if (!applied()) return failed();
    basis.set(product, rank * n);
    if (orthonormalise(basis, rank, n)) rank++;
  }
  let captured = 0;
  for (let i = 0; i < rank; i++) {
    vector.set(basis.subarray(i * n, (i + 1) * n));
    if (!applied()) return failed();
    captured += dot(vector, 0, product, 0, n);
  }
  let rest = 0;
  let squares = 0;
  for (let i = 0; i < third; i++) {
    fillSigns(random, vector);
    projectOut(basis, rank, n, vector);
    if (!applied()) return failed();
    rest += dot(vector, 0, product, 0, n);
    projectOut(basis, rank, n, product);
    squares += dot(product, 0, product, 0, n);
  }
  return ended({ value: captured + rest / third, error: Math.sqrt(2 * squares) / third }, captured);
}

/** v ← (I − QQᵀ)v for the first `rank` vectors of a basis. */
function projectOut(basis: Float64Array, rank: number, n: number, v: Float64Array): void {
  for (let j = 0; j < rank; j++) addScaled(-dot(basis, j * n, v, 0, n), basis, j * n, v, 0, n);
}

/** Overwrites a vector with independent signs. */
function fillSigns(random: Random, vector: Float64Array): void {
  for (let i = 0; i < vector.length; i++) vector[i] = random.bits32() & 0x8000_0000 ? 1 : -1;
}
