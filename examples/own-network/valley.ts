import { multiply, square, subtract, weightLoss } from "central-flows";
import { number } from "central-flows/base";

export default weightLoss({
  name: "valley",
  help: "½(xy − 1)², whose sharpness is x² + y² along the valley xy = 1",
  settings: { start: { kind: number({ over: 0 }), default: 4, help: "x at the start" } },
  build: ({ start }) => ({
    parameters: { x: [], y: [] },
    loss: ({ x, y }) => multiply(square(subtract(multiply(x, y), 1)), 0.5),
    initialWeights: () => Float64Array.of(start, 0.3),
  }),
});
