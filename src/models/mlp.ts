import { reshape, type Shape, sizeOf } from "../autodiff/index.ts";
import { activation, architecture, size } from "./architecture.ts";
import { ACTIVATIONS, drawParameters, fanInBound, linear, uniform } from "./layers/layers.ts";

/** Flatten; Linear(in, width), act; Linear(width, width), act, depth − 1 times; Linear(width, out). */
export const mlp = architecture({
  name: "mlp",
  className: "MLP",
  reads: ["images", "points"],
  help: "dense layers",
  settings: {
    activation,
    width: size(256, "width"),
    depth: { ...size(2, "hidden layers"), younger: true },
  },
  build({ inputShape, outputDim }, { activation, width, depth }) {
    const act = ACTIVATIONS[activation];
    const features = sizeOf(inputShape);
    const parameters: Record<string, Shape> = {};
    // Names as in torch.nn.Sequential: 0 is the flattening, and every other module an activation.
    for (let layer = 0; layer <= depth; layer++) {
      const rows = layer === depth ? outputDim : width;
      parameters[`${2 * layer + 1}.weight`] = [rows, layer === 0 ? features : width];
      parameters[`${2 * layer + 1}.bias`] = [rows];
    }
    return {
      parameters,
      inputWeights: "1.weight",
      forward(p, inputs) {
        let x = reshape(inputs, [-1, features]);
        for (let layer = 0; layer <= depth; layer++) {
          x = linear(x, p[`${2 * layer + 1}.weight`], p[`${2 * layer + 1}.bias`]);
          if (layer < depth) x = act(x);
        }
        return x;
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, shape) =>
          uniform(random, sizeOf(shape), fanInBound(parameters[name.replace("bias", "weight")])),
        ),
    };
  },
});
