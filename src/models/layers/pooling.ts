import { mean, reshape, slice, type Tensor } from "../../autodiff/index.ts";

/** Means over size×size windows side by side; rows and columns beyond the last whole window are left out. */
export function averagePool(x: Tensor, size: number): Tensor {
  const [n, channels, height, width] = x.shape;
  const h = Math.floor(height / size);
  const w = Math.floor(width / size);
  const whole = slice(x, [0, 0, 0, 0], [n, channels, h * size, w * size]);
  return mean(reshape(whole, [n, channels, h, size, w, size]), { axes: [3, 5] });
}
