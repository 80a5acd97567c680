import {
  add,
  gelu,
  matmul,
  relu,
  type Shape,
  silu,
  sizeOf,
  type Tensor,
  take,
  tanh,
} from "../../autodiff/index.ts";
import type { Random } from "../../base/index.ts";

/** Activation functions by name. */
export const ACTIVATIONS = { gelu, silu, tanh, relu } as const;

/** x·Wᵀ + b with PyTorch's weight layout [out, in]; rows are all axes of x but the last. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const y = matmul(x, weight, { transposeB: true });
  return bias ? add(y, bias) : y;
}

/** [batch, length, width] at its last position: [batch, width]. */
export function lastPosition(x: Tensor): Tensor {
  return take(x, 1, x.shape[1] - 1);
}

/** Fills `count` entries uniformly from ±bound. */
export function uniform(random: Random, count: number, bound: number): Float64Array {
  return Float64Array.from({ length: count }, () => (2 * random.uniform() - 1) * bound);
}

/** Draws `count` normal numbers of this standard deviation. */
export function normal(random: Random, count: number, deviation: number): Float64Array {
  return scaled(random.fillNormal(new Float64Array(count)), deviation);
}

/** `count` times one number. */
export function constants(count: number, value: number): Float64Array {
  return new Float64Array(count).fill(value);
}

/** Each value times the factor. */
export function scaled(values: Float64Array, factor: number): Float64Array {
  return values.map((value) => value * factor);
}

/** Draws every parameter by its own rule and joins them into the flat weight vector. */
export function drawParameters(
  parameters: Readonly<Record<string, Shape>>,
  draw: (name: string, shape: Shape) => Float64Array,
): Float64Array {
  const parts = Object.entries(parameters).map(([name, shape]) => draw(name, shape));
  const flat = new Float64Array(Object.values(parameters).reduce((total, shape) => total + sizeOf(shape), 0));
  let offset = 0;
  for (const part of parts) {
    flat.set(part, offset);
    offset += part.length;
  }
  return flat;
}

/** PyTorch's default for Linear and Conv: weights and biases uniform in ±1/√(fan-in). */
export function fanInBound(weightShape: Shape): number {
  return 1 / Math.sqrt(sizeOf(weightShape.slice(1)));
}
