import { convolution, reshape, type Shape, sizeOf } from "../autodiff/index.ts";
import { valueError } from "../base/index.ts";
import { activation, architecture, size } from "./architecture.ts";
import { imageShape } from "./checks.ts";
import { ACTIVATIONS, drawParameters, fanInBound, linear, uniform } from "./layers/layers.ts";
import { averagePool } from "./layers/pooling.ts";

/** Twice [conv 3×3 same without bias, act, avgpool 2], to width and 2·width channels; Linear to 4·width without bias, act; Linear. */
export const cnn = architecture({
  name: "cnn",
  className: "CNN",
  reads: ["images"],
  help: "two convolutions, two dense layers",
  settings: { activation, width: size(32, "width") },
  build(shape, { activation, width }) {
    const [channels, height, columns] = imageShape("cnn", shape);
    if (height < 4 || columns < 4)
      throw valueError("cnn", "images of at least 4×4 pixels", `${height}×${columns}`);
    const act = ACTIVATIONS[activation];
    const features = 2 * width * Math.floor(height / 4) * Math.floor(columns / 4);
    const parameters: Record<string, Shape> = {
      "0.weight": [width, channels, 3, 3],
      "3.weight": [2 * width, width, 3, 3],
      "7.weight": [4 * width, features],
      "9.weight": [shape.outputDim, 4 * width],
      "9.bias": [shape.outputDim],
    };
    return {
      parameters,
      forward(p, inputs) {
        const first = averagePool(act(convolution(inputs, p["0.weight"], { padding: 1 })), 2);
        const second = averagePool(act(convolution(first, p["3.weight"], { padding: 1 })), 2);
        const hidden = act(linear(reshape(second, [-1, features]), p["7.weight"]));
        return linear(hidden, p["9.weight"], p["9.bias"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, size) =>
          uniform(random, sizeOf(size), fanInBound(parameters[name.replace("bias", "weight")])),
        ),
    };
  },
});
