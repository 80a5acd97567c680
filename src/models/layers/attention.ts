import {
  add,
  array,
  matmul,
  multiply,
  reshape,
  softmax,
  type Tensor,
  transpose,
} from "../../autodiff/index.ts";

/** softmax(q·kᵀ/√d + mask)·v for q [..., queries, d] and k, v [..., keys, d]; the mask is −∞ where a query must not look. */
export function attention(q: Tensor, k: Tensor, v: Tensor, mask?: Float64Array): Tensor {
  const scale = 1 / Math.sqrt(q.shape[q.shape.length - 1]);
  const scores = matmul(multiply(q, scale), k, { transposeB: true });
  const seen = mask ? add(scores, array(scores, mask, scores.shape.slice(-2))) : scores;
  return matmul(softmax(seen), v);
}

/** The mask [length, length] with which position t sees positions 0, …, t. */
export function causalMask(length: number): Float64Array {
  return Float64Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? -Infinity : 0,
  );
}

/** [batch, length, heads·d] → [batch, heads, length, d]. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, length] = x.shape;
  return transpose(reshape(x, [batch, length, heads, -1]), [0, 2, 1, 3]);
}

/** [batch, heads, length, d] → [batch, length, heads·d]. */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, , length] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, -1]);
}
