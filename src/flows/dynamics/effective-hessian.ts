import type { Objective } from "../../autodiff/index.ts";
import type { BlockOperator } from "../../linalg/index.ts";

/**
 * The symmetric form P^{-1/2} H P^{-1/2} of the effective Hessian at the objective's current weights, as an operator.
 * With a projection Π it is P^{-1/2} Π H Π P^{-1/2}.
 * @param inverseRoot P^{-1/2}, one entry per weight; read at every application
 * @param project applies Π, in place, to so many vectors
 */
export function effectiveHessian(
  objective: Objective,
  inverseRoot: Float64Array,
  project: (vectors: Float64Array, count: number) => void = () => {},
): BlockOperator {
  const p = objective.dimension;
  let scaled = new Float64Array(0);
  return (vectors, products, count) => {
    if (scaled.length < count * p) scaled = new Float64Array(count * p);
    scaleEach(vectors, inverseRoot, scaled, count);
    project(scaled, count);
    objective.hvp(scaled, products, count);
    project(products, count);
    scaleEach(products, inverseRoot, products, count);
  };
}

/** out_i ← d⊙x_i for `count` vectors as long as d. */
function scaleEach(x: Float64Array, d: Float64Array, out: Float64Array, count: number): void {
  const p = d.length;
  for (let i = 0, at = 0; i < count; i++, at += p) for (let l = 0; l < p; l++) out[at + l] = x[at + l] * d[l];
}

/** y_j ← y_j + a·x_i in two blocks of vectors of length p. */
export function addMultiple(
  a: number,
  x: Float64Array,
  i: number,
  y: Float64Array,
  j: number,
  p: number,
): void {
  for (let l = 0, from = i * p, to = j * p; l < p; l++) y[to + l] += a * x[from + l];
}

/** out = P^{-1/2}. */
export function inverseRootOf(preconditioner: Float64Array, out: Float64Array): Float64Array {
  for (let l = 0; l < preconditioner.length; l++) out[l] = 1 / Math.sqrt(preconditioner[l]);
  return out;
}

/** ⟨x_i, y_j⟩ for two blocks of vectors of length p. */
export function innerProduct(x: Float64Array, i: number, y: Float64Array, j: number, p: number): number {
  let total = 0;
  for (let l = 0, a = i * p, b = j * p; l < p; l++) total += x[a + l] * y[b + l];
  return total;
}
