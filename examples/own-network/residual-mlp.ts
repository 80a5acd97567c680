import {
  add,
  architecture,
  drawParameters,
  fanInBound,
  layerNorm,
  linear,
  size,
  sizeOf,
  tanh,
  uniform,
} from "central-flows";

export default architecture({
  name: "residual-mlp",
  reads: ["points"],
  help: "blocks x + W₂·tanh(W₁·norm(x))",
  settings: { width: size(12, "width"), blocks: size(2, "residual blocks") },
  build({ inputShape, outputDim }, { width, blocks }) {
    const parameters: Record<string, number[]> = { "in.weight": [width, sizeOf(inputShape)] };
    for (let i = 0; i < blocks; i++) {
      parameters[`${i}.norm`] = [width];
      parameters[`${i}.first`] = [width, width];
      parameters[`${i}.second`] = [width, width];
    }
    parameters["out.weight"] = [outputDim, width];
    return {
      parameters,
      forward(p, inputs) {
        let x = linear(inputs, p["in.weight"]);
        for (let i = 0; i < blocks; i++) {
          const inner = tanh(linear(layerNorm(x, p[`${i}.norm`]), p[`${i}.first`]));
          x = add(x, linear(inner, p[`${i}.second`]));
        }
        return linear(x, p["out.weight"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, shape) =>
          name.endsWith("norm")
            ? new Float64Array(sizeOf(shape)).fill(1)
            : uniform(random, sizeOf(shape), fanInBound(shape)),
        ),
    };
  },
});
