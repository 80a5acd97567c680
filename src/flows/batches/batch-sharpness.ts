import type { Objective } from "../../autodiff/index.ts";

/** The curvature of a mini-batch's loss along its own step. */
export interface BatchSharpness {
  /** gᵀHg/‖g‖², g and H of the batch: beside the eigenvalues of H. */
  readonly raw: number;
  /** dᵀHd/dᵀPd with d = P⁻¹g: beside those of P⁻¹H, whose edge is c. For gd it is η times the other. */
  readonly effective: number;
}

/**
 * The sharpness of a mini-batch (Andreyev and Beneventano, arXiv 2412.20553), of which SGD is said to hold the mean over
 * batches at 2/η. NaN where the gradient is 0.
 *
 * @param batch standing at the weights
 * @param preconditioner P, read
 * Cost: two Hessian-vector products of the batch.
 */
export function batchSharpness(batch: Objective, preconditioner: Float64Array): BatchSharpness {
  const { dimension: p } = batch;
  const vectors = new Float64Array(2 * p);
  vectors.set(batch.gradient());
  for (let l = 0; l < p; l++) vectors[p + l] = vectors[l] / preconditioner[l];
  const products = new Float64Array(2 * p);
  batch.hvp(vectors, products, 2);
  const [sums, squares] = [
    [0, 0],
    [0, 0],
  ];
  for (let l = 0; l < p; l++) {
    sums[0] += vectors[l] * products[l];
    squares[0] += vectors[l] ** 2;
    sums[1] += vectors[p + l] * products[p + l];
    squares[1] += vectors[p + l] ** 2 * preconditioner[l];
  }
  return { raw: sums[0] / squares[0], effective: sums[1] / squares[1] };
}
