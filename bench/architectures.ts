import { Objective, selectBackend } from "../src/autodiff/index.ts";
import { Random } from "../src/base/index.ts";
import { type ModelShape, modelNamed, supervisedLoss } from "../src/models/index.ts";
import { digits, progress, Table, time } from "./table.ts";
import { compareTimes } from "./timing.ts";

interface Case {
  readonly arch: string;
  readonly options: object;
  readonly shape: ModelShape;
  readonly count: number;
}

const small: ModelShape = { inputShape: [1, 8, 8], outputDim: 4 };
const pictures: ModelShape = { inputShape: [3, 32, 32], outputDim: 4 };
const tokens = (length: number, vocabulary: number): ModelShape => ({
  inputShape: [length],
  outputDim: vocabulary,
  vocabulary,
  lastOnly: true,
});

/** The sizes of the gallery's presets, and each architecture's default options on few examples. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  preset: [
    { arch: "cnn", options: { width: 8 }, shape: small, count: 64 },
    { arch: "resnet", options: { width: 4, stageSizes: [1, 1] }, shape: small, count: 50 },
    {
      arch: "vit",
      options: { dim: 8, depth: 1, mlpDim: 16, numHeads: 1, initScale: 1 },
      shape: small,
      count: 64,
    },
    {
      arch: "lstm",
      options: { layers: 1, embdDim: 8, hiddenDim: 8 },
      shape: tokens(8, 6),
      count: 64,
    },
    {
      arch: "transformer",
      options: { layers: 1, dModel: 8, nhead: 2, weightMultiplier: 1 },
      shape: tokens(8, 6),
      count: 64,
    },
    { arch: "mamba", options: { layers: 1, dModel: 8, initScale: 4 }, shape: tokens(7, 4), count: 50 },
  ],
  default: [
    { arch: "cnn", options: {}, shape: pictures, count: 4 },
    { arch: "resnet", options: {}, shape: pictures, count: 2 },
    { arch: "vit", options: {}, shape: pictures, count: 2 },
    { arch: "lstm", options: {}, shape: tokens(16, 8), count: 64 },
    { arch: "transformer", options: {}, shape: tokens(16, 8), count: 32 },
    { arch: "mamba", options: {}, shape: tokens(16, 8), count: 16 },
  ],
};

function objectiveOf({ arch, options, shape, count }: Case): Objective {
  const model = modelNamed(arch, shape, options);
  const random = new Random(1, arch);
  const width = shape.inputShape.reduce((size, length) => size * length, 1);
  const { vocabulary } = shape;
  const inputs = Float64Array.from({ length: count * width }, () =>
    vocabulary ? random.integer(vocabulary) : random.normal(),
  );
  const labels = Float64Array.from({ length: count }, () => random.integer(shape.outputDim));
  const examples = { inputs, shape: shape.inputShape, labels, labelShape: [] };
  const { backend } = selectBackend("wasm");
  const objective = new Objective(supervisedLoss(model, "mse", examples), { backend });
  objective.setWeights(model.initialWeights(random));
  return objective;
}

/** What is timed: each sets the weights, so that nothing is left from the call before. */
function evaluations(objective: Objective, arch: string): Readonly<Record<string, () => void>> {
  const p = objective.dimension;
  const random = new Random(2, arch);
  const weights = Float64Array.from({ length: p }, () => 0.1 * random.normal());
  const vector = Float64Array.from({ length: p }, () => random.normal());
  const result = new Float64Array(p);
  return {
    gradient: () => {
      objective.setWeights(weights);
      objective.gradient();
    },
    "Hessian-vector product": () => {
      objective.setWeights(weights);
      objective.hvp(vector, result, 1);
    },
    "third derivative": () => {
      objective.setWeights(weights);
      objective.thirdDerivatives(vector, 1, result);
    },
  };
}

/** The flops that one run of an evaluation executes. */
function flopsOf(objective: Objective, run: () => void): number {
  const total = (): number => objective.profile().reduce((sum, { flops }) => sum + flops, 0);
  run();
  const before = total();
  run();
  return total() - before;
}

/** An mlp on 64 numbers whose gradient counts about as many flops: on as many examples, or 256 wide on more of them. */
function likeMlp(flops: number, examples: number): Objective {
  // Per example: 2·(2·64·w) + 3·2·(w² + 4·w) for the products of two hidden layers.
  const perExample = (width: number): number => 256 * width + 6 * (width * width + 4 * width);
  const fitting = (Math.sqrt(280 ** 2 + (24 * flops) / examples) - 280) / 12;
  const width = Math.max(4, Math.min(256, Math.round(fitting)));
  const count = Math.round(flops / perExample(width));
  return objectiveOf({
    arch: "mlp",
    options: { width },
    shape: { inputShape: [64], outputDim: 4 },
    count,
  });
}

/**
 * Time per counted flop of every architecture over that of an mlp of like size in the same run: gradient, Hessian-vector
 * product and third derivative on the wasm backend, one thread.
 */
export function architectures(): void {
  console.log("\n### Architectures beside an mlp of like size\n");
  const columns = ["architecture", "evaluation", "Mflop", "ms", "ns per flop", "an mlp's", "ratio"];
  const table = new Table(columns);
  for (const [size, cases] of Object.entries(CASES))
    for (const item of cases) {
      const name = `${item.arch}, ${size}`;
      progress(name);
      const objective = objectiveOf(item);
      const runs = evaluations(objective, item.arch);
      const mlp = likeMlp(flopsOf(objective, runs.gradient), item.count);
      const mlpRuns = evaluations(mlp, "mlp");
      for (const [what, run] of Object.entries(runs)) {
        const [flops, mlpFlops] = [flopsOf(objective, run), flopsOf(mlp, mlpRuns[what])];
        const [own, like] = compareTimes([run, mlpRuns[what]]);
        const cost = (1e6 * own.median) / flops;
        const likeCost = (1e6 * like.median) / mlpFlops;
        const costs = [cost, likeCost, cost / likeCost].map(digits);
        table.row(name, what, digits(flops / 1e6), time(own), ...costs);
      }
    }
  table.print();
}
