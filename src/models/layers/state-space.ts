import {
  add,
  exp,
  multiply,
  pad,
  recurrence,
  reshape,
  slice,
  sum,
  type Tensor,
  take,
} from "../../autodiff/index.ts";

/**
 * Each channel convolved with its own filter over the present and past positions: y_t = Σ_j w_j x_{t−width+1+j} + b.
 * x: [batch, length, channels]; weight: [channels, 1, width], PyTorch's layout of a depthwise convolution.
 */
export function depthwiseCausalConvolution(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const width = weight.shape[2];
  const padded = pad(x, [0, width - 1, 0], [0, 0, 0]);
  const terms = Array.from({ length: width }, (_, j) => {
    const filter = take(reshape(weight, [-1, width]), 1, j);
    return multiply(slice(padded, [0, j, 0], x.shape), filter);
  });
  return add(
    terms.reduce((total, term) => add(total, term)),
    bias,
  );
}

export interface ScanInputs {
  /** [batch, length, channels] */
  readonly x: Tensor;
  /** The step δ > 0, [batch, length, channels]. */
  readonly delta: Tensor;
  /** A [channels, states]. */
  readonly a: Tensor;
  /** B and C, [batch, length, states]. */
  readonly b: Tensor;
  readonly c: Tensor;
  /** D [channels]. */
  readonly d: Tensor;
}

/**
 * The selective scan of Gu and Dao, "Mamba" (2023), algorithm 2, with B discretised by Euler's rule as in their code:
 * h_t = e^{δ_t A}∘h_{t−1} + δ_t B_t x_t, y_t = C_t·h_t + D∘x_t. → [batch, length, channels].
 */
export function selectiveScan({ x, delta, a, b, c, d }: ScanInputs): Tensor {
  const perState = (t: Tensor): Tensor => reshape(t, [...t.shape, 1]);
  const perChannel = (t: Tensor): Tensor => reshape(t, [t.shape[0], t.shape[1], 1, t.shape[2]]);
  const decay = exp(multiply(perState(delta), a));
  const source = multiply(perState(multiply(delta, x)), perChannel(b));
  const h = recurrence(decay, source, { axis: 1 });
  return add(sum(multiply(h, perChannel(c)), { axes: [3] }), multiply(x, d));
}
