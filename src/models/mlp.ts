import { reshape, type Shape, sizeOf } from "../autodiff/index.ts";
import { valueError } from "../base/index.ts";
import type { Model, ModelShape } from "./architecture.ts";
import { activationNamed, drawParameters, fanInBound, linear, uniform } from "./layers/layers.ts";

export interface MlpOptions {
  /** gelu, silu, tanh or relu. */
  readonly activation?: string;
  readonly width?: number;
}

/** Flatten; Linear(in, width), act; Linear(width, width), act; Linear(width, out). */
export function mlp(
  { inputShape, outputDim }: ModelShape,
  { activation = "gelu", width = 256 }: MlpOptions = {},
): Model {
  if (!Number.isSafeInteger(width) || width < 1) throw valueError("mlp", "a width ≥ 1", String(width));
  const act = activationNamed(activation);
  const features = sizeOf(inputShape);
  const parameters: Record<string, Shape> = {
    "1.weight": [width, features],
    "1.bias": [width],
    "3.weight": [width, width],
    "3.bias": [width],
    "5.weight": [outputDim, width],
    "5.bias": [outputDim],
  };
  return {
    name: "mlp",
    parameters,
    forward(p, inputs) {
      const flat = reshape(inputs, [-1, features]);
      const first = act(linear(flat, p["1.weight"], p["1.bias"]));
      const second = act(linear(first, p["3.weight"], p["3.bias"]));
      return linear(second, p["5.weight"], p["5.bias"]);
    },
    initialWeights: (random) =>
      drawParameters(parameters, (name, shape) =>
        uniform(random, sizeOf(shape), fanInBound(parameters[name.replace("bias", "weight")])),
      ),
  };
}
