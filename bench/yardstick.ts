import { Random } from "../src/base/index.ts";

const WIDTHS = [64, 64, 64, 10];
const EXAMPLES = 500;

/**
 * A fixed amount of plain work, by which times on different machines can be compared: loss and gradient of a tanh MLP
 * of the widths above, mean of half the squared errors, in loops as one writes them first.
 */
export function yardstick(): () => number {
  const random = new Random(1, "yardstick");
  const normal = (size: number): Float64Array => random.fillNormal(new Float64Array(size));
  const layers = WIDTHS.slice(1).map((outputs, l) => ({
    inputs: WIDTHS[l],
    outputs,
    weights: normal(WIDTHS[l] * outputs).map((w) => w / Math.sqrt(WIDTHS[l])),
    gradient: new Float64Array(WIDTHS[l] * outputs),
  }));
  const examples = normal(EXAMPLES * WIDTHS[0]);
  const targets = normal(EXAMPLES * WIDTHS[WIDTHS.length - 1]);
  return () => {
    const activations = [examples];
    for (const [l, { inputs, outputs, weights }] of layers.entries()) {
      const from = activations[l];
      const to = new Float64Array(EXAMPLES * outputs);
      for (let e = 0; e < EXAMPLES; e++)
        for (let j = 0; j < outputs; j++) {
          let sum = 0;
          for (let i = 0; i < inputs; i++) sum += from[e * inputs + i] * weights[i * outputs + j];
          to[e * outputs + j] = l < layers.length - 1 ? Math.tanh(sum) : sum;
        }
      activations.push(to);
    }
    const last = activations[layers.length];
    let error = last.map((entry, at) => (entry - targets[at]) / EXAMPLES);
    const loss = error.reduce((total, entry) => total + (EXAMPLES * entry * entry) / 2, 0);
    for (let l = layers.length - 1; l >= 0; l--) {
      const { inputs, outputs, weights, gradient } = layers[l];
      const from = activations[l];
      const back = new Float64Array(EXAMPLES * inputs);
      gradient.fill(0);
      for (let e = 0; e < EXAMPLES; e++)
        for (let j = 0; j < outputs; j++) {
          const entry = error[e * outputs + j];
          for (let i = 0; i < inputs; i++) {
            gradient[i * outputs + j] += from[e * inputs + i] * entry;
            back[e * inputs + i] += weights[i * outputs + j] * entry;
          }
        }
      error = back.map((entry, at) => entry * (1 - from[at] * from[at]));
    }
    return loss;
  };
}
