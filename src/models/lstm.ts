import {
  add,
  gather,
  matmul,
  multiply,
  type Shape,
  sigmoid,
  sizeOf,
  slice,
  stack,
  type Tensor,
  take,
  tanh,
} from "../autodiff/index.ts";
import { architecture, size } from "./architecture.ts";
import { tokenShape } from "./checks.ts";
import { drawParameters, fanInBound, lastPosition, linear, normal, uniform } from "./layers/layers.ts";

/** Embedding; stacked LSTM layers (Hochreiter and Schmidhuber, 1997) from a zero state; Linear at every position. */
export const lstm = architecture({
  name: "lstm",
  className: "LSTM",
  reads: ["tokens"],
  help: "stacked LSTM cells",
  settings: {
    layers: size(2, "layers"),
    embdDim: size(48, "width of the embedding"),
    hiddenDim: size(48, "width of the cells"),
  },
  build(shape, { layers, embdDim, hiddenDim }) {
    const { length, vocabulary } = tokenShape("lstm", shape);
    const layer = (i: number): Record<string, Shape> => ({
      [`lstm.layers.${i}.Wih`]: [i === 0 ? embdDim : hiddenDim, 4 * hiddenDim],
      [`lstm.layers.${i}.Whh`]: [hiddenDim, 4 * hiddenDim],
      [`lstm.layers.${i}.bih`]: [4 * hiddenDim],
      [`lstm.layers.${i}.bhh`]: [4 * hiddenDim],
    });
    const parameters: Record<string, Shape> = {
      "embed.weight": [vocabulary, embdDim],
      ...Object.assign({}, ...Array.from({ length: layers }, (_, i) => layer(i))),
      "linear.weight": [shape.outputDim, hiddenDim],
      "linear.bias": [shape.outputDim],
    };
    return {
      parameters,
      vocabulary,
      forward(p, tokens) {
        const table = p["embed.weight"];
        let x = table;
        for (let i = 0; i < layers; i++) {
          const weights = (name: string): Tensor => p[`lstm.layers.${i}.${name}`];
          const drive = (input: Tensor): Tensor =>
            add(matmul(input, weights("Wih")), add(weights("bih"), weights("bhh")));
          // With few different tokens it is less work to drive the first layer with each token once.
          const tokensFirst = i === 0 && vocabulary > length;
          const driven = drive(tokensFirst ? gather(table, tokens) : x);
          x = lstmLayer(i === 0 && !tokensFirst ? gather(driven, tokens) : driven, weights("Whh"));
        }
        return linear(shape.lastOnly ? lastPosition(x) : x, p["linear.weight"], p["linear.bias"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, size) => {
          if (name === "embed.weight") return normal(random, sizeOf(size), 1);
          const bound = name.startsWith("linear")
            ? fanInBound(parameters["linear.weight"])
            : 1 / Math.sqrt(hiddenDim);
          return uniform(random, sizeOf(size), bound);
        }),
    };
  },
});

/**
 * One layer's outputs h [batch, length, hidden] from its driven gates x·Wih + bih + bhh [batch, length, 4·hidden],
 * in the order input, forget, cell, output: c' = σ(f)c + σ(i)tanh(g), h' = σ(o)tanh(c').
 */
function lstmLayer(driven: Tensor, recurrent: Tensor): Tensor {
  const [batch, length] = driven.shape;
  const [hidden] = recurrent.shape;
  const outputs: Tensor[] = [];
  let cell: Tensor | undefined;
  for (let t = 0; t < length; t++) {
    const input = take(driven, 1, t);
    const gates = t === 0 ? input : add(input, matmul(outputs[t - 1], recurrent));
    const gate = (i: number): Tensor => slice(gates, [0, i * hidden], [batch, hidden]);
    const entering = multiply(sigmoid(gate(0)), tanh(gate(2)));
    cell = cell ? add(multiply(sigmoid(gate(1)), cell), entering) : entering;
    outputs.push(multiply(sigmoid(gate(3)), tanh(cell)));
  }
  return stack(outputs, 1);
}
