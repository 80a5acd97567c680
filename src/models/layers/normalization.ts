import {
  add,
  divide,
  mean,
  multiply,
  reshape,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";

/** Added to a layer norm's deviation, or to a group norm's variance. */
const DEVIATION_EPS = 1e-6;
const RMS_EPS = 1e-5;

/**
 * x − mean and its unbiased variance over some axes, kept with length 1.
 * @throws InputValueError over a single entry, whose unbiased variance is 0/0
 */
function centred(
  norm: string,
  x: Tensor,
  axes: readonly number[],
): { readonly deviation: Tensor; readonly variance: Tensor } {
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  if (count < 2)
    throw valueError(
      norm,
      "at least 2 features to normalise over",
      String(count),
      "one number has no deviation from its mean; take larger patches or more features",
    );
  const deviation = subtract(x, mean(x, { axes, keepAxes: true }));
  const squares = sum(square(deviation), { axes, keepAxes: true });
  return { deviation, variance: multiply(squares, 1 / (count - 1)) };
}

/** gamma·(x − mean)/(std + 1e-6) + beta over the last axis, std the unbiased deviation. Without gamma and beta: 1 and 0. */
export function layerNorm(x: Tensor, gamma?: Tensor, beta?: Tensor): Tensor {
  const { deviation, variance } = centred("layerNorm", x, [x.shape.length - 1]);
  const normal = multiply(deviation, divide(1, add(sqrt(variance), DEVIATION_EPS)));
  const scaled = gamma ? multiply(normal, gamma) : normal;
  return beta ? add(scaled, beta) : scaled;
}

/**
 * (x − mean)/√(var + 1e-6) per example and group, over the group's channels and all positions, var the unbiased
 * variance; then weight and bias per channel. x: [n, channels, h, w] with channels a multiple of `groups`.
 */
export function groupNorm(x: Tensor, groups: number, weight: Tensor, bias: Tensor): Tensor {
  const [examples, channels] = x.shape;
  const { deviation, variance } = centred("groupNorm", reshape(x, [examples, groups, -1]), [2]);
  const normal = multiply(deviation, divide(1, sqrt(add(variance, DEVIATION_EPS))));
  const perChannel = [channels, 1, 1];
  return add(multiply(reshape(normal, x.shape), reshape(weight, perChannel)), reshape(bias, perChannel));
}

/** weight·x/√(mean of squares + 1e-5) over the last axis. */
export function rmsNorm(x: Tensor, weight: Tensor): Tensor {
  const power = mean(square(x), { axes: [-1], keepAxes: true });
  return multiply(multiply(x, divide(1, sqrt(add(power, RMS_EPS)))), weight);
}
