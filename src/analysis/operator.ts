import type { Objective } from "../autodiff/index.ts";
import type { BlockOperator } from "../linalg/index.ts";
import type { Block } from "./blocks.ts";

/** H = G + S: the Hessian, its Gauss–Newton part JᵀH_cJ and what is left (docs/derivations.md, section 15). */
export const MATRICES = ["hessian", "gauss-newton", "residual"] as const;
/** See `MATRICES`. */
export type MatrixName = (typeof MATRICES)[number];

/**
 * A principal block of H, G or S at the objective's current weights, or of P^{-1/2}·P^{-1/2} around it, as an operator on
 * vectors of the block's size. An application costs one of the objective: two for S.
 *
 * @param inverseRoot P^{-1/2}, one entry per weight of the objective, read at every application; absent: P is 1
 */
export function curvatureOperator(
  objective: Objective,
  matrix: MatrixName,
  block: Block,
  inverseRoot?: Float64Array,
): BlockOperator {
  const p = objective.dimension;
  let whole = new Float64Array(0);
  let images = new Float64Array(0);
  let parts = new Float64Array(0);
  /** Calls back for every entry of vector i: its place in the block's vectors, and in those of all weights. */
  const eachEntry = (i: number, use: (own: number, at: number, weight: number) => void): void => {
    let own = i * block.size;
    for (const { from, to } of block.ranges) for (let l = from; l < to; l++) use(own++, i * p + l, l);
  };
  const rootAt = (weight: number): number => (inverseRoot ? inverseRoot[weight] : 1);
  return (vectors, products, count) => {
    if (whole.length < count * p) {
      whole = new Float64Array(count * p);
      images = new Float64Array(count * p);
      parts = new Float64Array(matrix === "residual" ? count * p : 0);
    }
    for (let i = 0; i < count; i++)
      eachEntry(i, (own, at, weight) => {
        whole[at] = vectors[own] * rootAt(weight);
      });
    if (matrix === "gauss-newton") objective.gaussNewton(whole, images, count);
    else objective.hvp(whole, images, count);
    if (matrix === "residual") {
      objective.gaussNewton(whole, parts, count);
      for (let l = 0; l < count * p; l++) images[l] -= parts[l];
    }
    for (let i = 0; i < count; i++)
      eachEntry(i, (own, at, weight) => {
        products[own] = images[at] * rootAt(weight);
      });
  };
}
