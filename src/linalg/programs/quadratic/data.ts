/** A quadratic program, all constraints in one array: the q equalities first, then the p inequalities (≥). */
export interface QpData {
  readonly n: number;
  readonly p: number;
  readonly q: number;
  /** n×n, symmetric */
  readonly Q: Float64Array;
  readonly c: Float64Array;
  /** (q + p)×n */
  readonly rows: Float64Array;
  readonly bounds: Float64Array;
}
