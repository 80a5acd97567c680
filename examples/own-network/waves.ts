import { integer, number, Random, sin } from "central-flows/base";
import { dataset } from "central-flows/data";

export default dataset({
  name: "waves",
  gives: "points",
  help: "a wave with noise, to be fitted",
  settings: {
    n: { kind: integer({ min: 2 }), default: 40, help: "points" },
    noise: { kind: number({ min: 0 }), default: 0.1, help: "standard deviation of the noise" },
  },
  make({ n, noise }) {
    const random = new Random(0, "waves");
    const inputs = Float64Array.from({ length: n }, (_, i) => (2 * i) / (n - 1) - 1);
    const labels = inputs.map((x) => sin(4 * x) + noise * random.normal());
    return {
      train: { inputs, shape: [1], labels, labelShape: [], n },
      outputDim: 1,
      criterion: "regression",
    };
  },
});
