import { add, reshape, sqrt, square, subtract, type Tensor } from "central-flows";
import { sin } from "central-flows/base";
import { dataset } from "central-flows/data";

export default dataset({
  name: "robust-waves",
  gives: "points",
  help: "a wave with an outlier, fitted by √(1 + r²) − 1",
  settings: {},
  make() {
    const inputs = Float64Array.from({ length: 20 }, (_, i) => i / 10 - 1);
    const labels = inputs.map((x, i) => (i === 7 ? 5 : sin(4 * x)));
    return {
      train: { inputs, shape: [1], labels, labelShape: [], n: 20 },
      outputDim: 1,
      criterion: (outputs: Tensor, targets: Tensor) => {
        const residuals = subtract(reshape(outputs, targets.shape), targets);
        return subtract(sqrt(add(square(residuals), 1)), 1);
      },
    };
  },
});
