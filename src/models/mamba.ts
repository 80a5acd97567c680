import {
  add,
  exp,
  gather,
  multiply,
  negate,
  type Shape,
  silu,
  sizeOf,
  slice,
  softplus,
  type Tensor,
} from "../autodiff/index.ts";
import { expm1, exp as expValue, flag, log, number, type Random } from "../base/index.ts";
import { architecture, size } from "./architecture.ts";
import { tokenShape } from "./checks.ts";
import { constants, drawParameters, lastPosition, linear, normal, scaled, uniform } from "./layers/layers.ts";
import { rmsNorm } from "./layers/normalization.ts";
import { depthwiseCausalConvolution, selectiveScan } from "./layers/state-space.ts";

const STATES = 16;
const EXPAND = 2;
const FILTER = 4;
/** The initial steps δ are log-uniform between these. */
const SMALLEST_STEP = 1e-3;
const LARGEST_STEP = 0.1;
const STEP_FLOOR = 1e-4;

type Parameters = Readonly<Record<string, Tensor>>;

/** Gu and Dao, "Mamba: linear-time sequence modeling with selective state spaces" (2023): layers of x + mixer(RMSNorm x). */
export const mamba = architecture({
  name: "mamba",
  className: "Mamba",
  reads: ["tokens"],
  help: "selective state spaces",
  settings: {
    layers: size(2, "layers"),
    dModel: size(64, "width"),
    /** One row of outputs for the whole sequence: that of its last position, which has seen all others. */
    binary: { kind: flag, default: false, help: "one output for the whole sequence" },
    pscan: {
      kind: flag,
      default: false,
      help: "the reference's parallel scan; same values",
      ignored: "there is one scan",
    },
    initScale: { kind: number(), default: 0.1, help: "factor on the initial output layer" },
  },
  build(shape, { layers, dModel, binary, initScale }) {
    const { vocabulary } = tokenShape("mamba", shape);
    const inner = EXPAND * dModel;
    const rank = Math.ceil(dModel / 16);
    const layer = (i: number): Record<string, Shape> => ({
      [`mamba.layers.${i}.mixer.A_log`]: [inner, STATES],
      [`mamba.layers.${i}.mixer.D`]: [inner],
      [`mamba.layers.${i}.mixer.in_proj.weight`]: [2 * inner, dModel],
      [`mamba.layers.${i}.mixer.conv1d.weight`]: [inner, 1, FILTER],
      [`mamba.layers.${i}.mixer.conv1d.bias`]: [inner],
      [`mamba.layers.${i}.mixer.x_proj.weight`]: [rank + 2 * STATES, inner],
      [`mamba.layers.${i}.mixer.dt_proj.weight`]: [inner, rank],
      [`mamba.layers.${i}.mixer.dt_proj.bias`]: [inner],
      [`mamba.layers.${i}.mixer.out_proj.weight`]: [dModel, inner],
      [`mamba.layers.${i}.norm.weight`]: [dModel],
    });
    const parameters: Record<string, Shape> = {
      "embed.weight": [vocabulary, dModel],
      ...Object.assign({}, ...Array.from({ length: layers }, (_, i) => layer(i))),
      "norm_f.weight": [dModel],
      "linear.weight": [shape.outputDim, dModel],
    };
    return {
      parameters,
      vocabulary,
      forward(p, tokens) {
        let x = gather(p["embed.weight"], tokens);
        for (let i = 0; i < layers; i++)
          x = add(x, mixer(p, `mamba.layers.${i}.mixer`, rmsNorm(x, p[`mamba.layers.${i}.norm.weight`])));
        const read = binary || shape.lastOnly ? lastPosition(x) : x;
        return linear(rmsNorm(read, p["norm_f.weight"]), p["linear.weight"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, size) => initial(random, name, size, rank, initScale)),
    };
  },
});

function mixer(p: Parameters, prefix: string, input: Tensor): Tensor {
  const weight = (name: string): Tensor => p[`${prefix}.${name}`];
  const [inner, rank] = weight("dt_proj.weight").shape;
  const part = (x: Tensor, start: number, width: number): Tensor =>
    slice(x, [0, 0, start], [x.shape[0], x.shape[1], width]);
  const joined = linear(input, weight("in_proj.weight"));
  const x = silu(
    depthwiseCausalConvolution(part(joined, 0, inner), weight("conv1d.weight"), weight("conv1d.bias")),
  );
  const selected = linear(x, weight("x_proj.weight"));
  const y = selectiveScan({
    x,
    delta: softplus(linear(part(selected, 0, rank), weight("dt_proj.weight"), weight("dt_proj.bias"))),
    a: negate(exp(weight("A_log"))),
    b: part(selected, rank, STATES),
    c: part(selected, rank + STATES, STATES),
    d: weight("D"),
  });
  return linear(multiply(y, silu(part(joined, inner, inner))), weight("out_proj.weight"));
}

/** The initialisation of the Mamba paper's code; all matrices not named there normal with deviation 0.02. */
function initial(random: Random, name: string, size: Shape, rank: number, initScale: number): Float64Array {
  const count = sizeOf(size);
  if (name.endsWith("A_log")) return Float64Array.from({ length: count }, (_, i) => log((i % STATES) + 1));
  if (name.endsWith("mixer.D") || name.endsWith("norm.weight") || name === "norm_f.weight")
    return constants(count, 1);
  if (name.includes("conv1d")) return uniform(random, count, 1 / Math.sqrt(FILTER));
  if (name.endsWith("dt_proj.weight")) return uniform(random, count, 1 / Math.sqrt(rank));
  if (name.endsWith("dt_proj.bias")) return Float64Array.from({ length: count }, () => stepBias(random));
  return scaled(normal(random, count, 0.02), name === "linear.weight" ? initScale : 1);
}

/** The inverse softplus of a log-uniform step: softplus(δ + log(1 − e^{−δ})) = δ. */
function stepBias(random: Random): number {
  const low = log(SMALLEST_STEP);
  const step = Math.max(STEP_FLOOR, expValue(low + random.uniform() * (log(LARGEST_STEP) - low)));
  return step + log(-expm1(-step));
}
