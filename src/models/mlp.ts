import { reshape, type Shape, sizeOf } from "../autodiff/index.ts";
import { activation, architecture, size } from "./architecture.ts";
import { ACTIVATIONS, drawParameters, fanInBound, linear, uniform } from "./layers/layers.ts";

/** Flatten; Linear(in, width), act; Linear(width, width), act; Linear(width, out). */
export const mlp = architecture({
  name: "mlp",
  className: "MLP",
  reads: ["images", "points"],
  help: "three dense layers",
  settings: { activation, width: size(256, "width") },
  build({ inputShape, outputDim }, { activation, width }) {
    const act = ACTIVATIONS[activation];
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
  },
});
