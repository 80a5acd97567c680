// Evaluates with helpers until they have taken part, then comes to its end: run by threads-agree.test.ts.
import { matmul, Objective, selectBackend, square, sum, tanh } from "../../../src/autodiff/index.ts";

const objective = new Objective(
  {
    parameters: { a: [32, 32] },
    examples: { x: { data: new Float64Array(32 * 400).fill(0.1), shape: [32], padding: "zero" } },
    loss: ({ a }, { x }) => sum(square(tanh(matmul(x, a)))),
  },
  { backend: selectBackend("wasm").backend, threads: 2, chunk: 50, timed: true },
);
const end = performance.now() + 20_000;
const helped = (): boolean => objective.stageSeconds()[1].some((seconds) => seconds > 0);
while (!helped() && performance.now() < end) {
  objective.setWeights(new Float64Array(objective.dimension).fill(0.01));
  objective.gradient();
}
console.log(helped() ? "helped" : "alone");
