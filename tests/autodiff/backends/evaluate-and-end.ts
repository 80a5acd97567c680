// Evaluates with helpers until they have taken part, then comes to its end: run by threads-agree.test.ts.
import { matmul, Objective, selectBackend, square, sum, tanh } from "../../../src/autodiff/index.ts";

const objective = new Objective(
  {
    parameters: { a: [32, 32] },
    examples: { x: { data: new Float64Array(32 * 400).fill(0.1), shape: [32] } },
    outputs: ({ a }, { x }) => matmul(x, a),
    criterion: (outputs) => sum(square(tanh(outputs)), { axes: [1] }),
  },
  { backend: selectBackend("wasm").backend, threads: 2, chunk: 50, timed: true },
);
const end = performance.now() + 20_000;
const helped = (): boolean => objective.profile().some(({ secondsByThread }) => secondsByThread[1] > 0);
while (!helped() && performance.now() < end) {
  objective.setWeights(new Float64Array(objective.dimension).fill(0.01));
  objective.gradient();
}
console.log(helped() ? "helped" : "alone");
