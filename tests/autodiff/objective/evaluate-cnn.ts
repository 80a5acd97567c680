// Evaluates a CNN of the reference's size on random images of CIFAR-10's size and prints what it took, as JSON.
import { Objective, selectBackend } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { createModel, supervisedLoss } from "../../../src/models/index.ts";

const examples = Number(process.argv[2]);
const shape = [3, 32, 32];
const classes = 10;

const model = createModel("cnn", { inputShape: shape, outputDim: classes }, { width: 32 });
const inputs = new Random(1, "images").fillNormal(new Float64Array(examples * 3 * 32 * 32));
const labels = Float64Array.from({ length: examples }, (_, i) => i % classes);
const { backend } = selectBackend("auto");
const objective = new Objective(supervisedLoss(model, "mse", { inputs, shape, labels, labelShape: [] }), {
  backend,
});
const p = objective.dimension;
const direction = new Random(1, "direction").fillNormal(new Float64Array(p));
const product = new Float64Array(p);
const third = new Float64Array(p);

objective.setWeights(model.initialWeights(new Random(0)));
const loss = objective.loss();
const gradient = objective.gradient().slice();
objective.hvp(direction, product, 1);
objective.thirdDerivatives(direction, 1, third);

const norm = (vector: Float64Array): number => Math.sqrt(vector.reduce((total, x) => total + x * x, 0));
process.stdout.write(
  JSON.stringify({
    loss,
    norms: [gradient, product, third].map(norm),
    chunks: objective.chunks,
    // In KiB, the most of the whole life of the process.
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
