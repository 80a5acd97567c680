import { valueError } from "../../../base/index.ts";
import { symmetrise } from "../../dense/matrix.ts";

/** min ½xᵀQx + cᵀx subject to A x ≥ b and E x = f, Q symmetric positive semidefinite, possibly singular. */
export interface QuadraticProgram {
  /** n×n row-major; its symmetric part is used */
  readonly Q: Float64Array;
  readonly c: Float64Array;
  /** p×n row-major; default none */
  readonly A?: Float64Array;
  readonly b?: Float64Array;
  /** q×n row-major; default none */
  readonly E?: Float64Array;
  readonly f?: Float64Array;
}

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

/** Checks the lengths of a program's arrays, in the name of an operation, and puts its constraints together. */
export function qpData(operation: string, { Q, c, A, b, E, f }: QuadraticProgram): QpData {
  const n = c.length;
  const p = b?.length ?? 0;
  const q = f?.length ?? 0;
  const check = (name: string, length: number, rows: number, cols: number) => {
    if (length !== rows * cols)
      throw valueError(operation, `${name} of ${rows}×${cols} elements`, `${length}`);
  };
  check("Q", Q.length, n, n);
  check("A", A?.length ?? 0, p, n);
  check("E", E?.length ?? 0, q, n);
  const rows = new Float64Array((p + q) * n);
  if (E) rows.set(E);
  if (A) rows.set(A, q * n);
  const bounds = new Float64Array(p + q);
  if (f) bounds.set(f);
  if (b) bounds.set(b, q);
  return { n, p, q, Q: symmetrise(Q, n), c, rows, bounds };
}
