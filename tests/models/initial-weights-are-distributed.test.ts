import { expect, test } from "vitest";
import { compile, type Tensor } from "../../src/autodiff/index.ts";
import { erf, Random } from "../../src/base/index.ts";
import { createModel, type Model } from "../../src/models/index.ts";
import { inputsFor, modelOf, named, SAMPLES } from "./samples.ts";

const image = { inputShape: [3, 16, 16], outputDim: 10 };
const text = { inputShape: [8], outputDim: 40, vocabulary: 200 };

const initial = (model: Model, seed = 1): Record<string, Float64Array> =>
  named(model.parameters, model.initialWeights(new Random(seed)));

const uniformOn =
  (bound: number) =>
  (x: number): number =>
    Math.min(1, Math.max(0, (x + bound) / (2 * bound)));
const normalWith =
  (deviation: number) =>
  (x: number): number =>
    0.5 * (1 + erf(x / (deviation * Math.SQRT2)));

/**
 * Kolmogorov and Smirnov's test: the largest distance between the empirical and the expected distribution function,
 * times √n, exceeds 2.2 with probability 2e^{−2·2.2²} = 1.2e-4.
 */
function expectDrawn(values: Float64Array, distribution: (x: number) => number, what: string): void {
  const sorted = values.slice().sort();
  const n = sorted.length;
  const distance = sorted.reduce((most, x, i) => {
    const f = distribution(x);
    return Math.max(most, Math.abs(f - i / n), Math.abs(f - (i + 1) / n));
  }, 0);
  expect(distance * Math.sqrt(n), what).toBeLessThan(2.2);
}

const all = (values: Float64Array, value: number): boolean => values.every((entry) => entry === value);

test("mlp and cnn: uniform in ±1/√fan-in, biases by the fan-in of their weight", () => {
  const mlp = initial(createModel("mlp", image, { width: 64 }));
  expectDrawn(mlp["1.weight"], uniformOn(1 / Math.sqrt(768)), "1.weight");
  expectDrawn(mlp["1.bias"], uniformOn(1 / Math.sqrt(768)), "1.bias");
  expectDrawn(mlp["5.weight"], uniformOn(1 / 8), "5.weight");
  const cnn = initial(createModel("cnn", image, { width: 16 }));
  expectDrawn(cnn["0.weight"], uniformOn(1 / Math.sqrt(27)), "0.weight");
  expectDrawn(cnn["3.weight"], uniformOn(1 / Math.sqrt(9 * 16)), "3.weight");
  expectDrawn(cnn["7.weight"], uniformOn(1 / Math.sqrt(32 * 16)), "7.weight");
  expectDrawn(cnn["9.bias"], uniformOn(1 / 8), "9.bias");
});

test("resnet: normal convolutions by fan-out, second norms and output layer 0", () => {
  const w = initial(createModel("resnet", image, { width: 8, stageSizes: [1, 2] }));
  for (const [name, values] of Object.entries(w)) {
    const outputs = name.startsWith("stages.1") ? 16 : 8;
    if (/conv|in_proj|shortcut\.0/.test(name))
      expectDrawn(values, normalWith(Math.sqrt(2 / (9 * outputs))), name);
    else expect(all(values, /bn1\.weight|shortcut\.1\.weight/.test(name) ? 1 : 0), name).toBe(true);
  }
});

test("vit: norms at 1 and 0, the head times initScale", () => {
  const options = { dim: 32, depth: 1, mlpDim: 48, numHeads: 2 };
  const w = initial(createModel("vit", image, { ...options, initScale: 0.5 }));
  for (const [name, values] of Object.entries(w)) {
    if (name.endsWith("gamma")) expect(all(values, 1), name).toBe(true);
    if (name.endsWith("beta")) expect(all(values, 0), name).toBe(true);
  }
  expectDrawn(w["to_patch_embedding.2.weight"], uniformOn(1 / Math.sqrt(48)), "patches");
  expectDrawn(w["to_patch_embedding.2.bias"], uniformOn(1 / Math.sqrt(48)), "patches' bias");
  expectDrawn(w["transformer.layers.0.0.to_qkv.weight"], uniformOn(1 / Math.sqrt(32)), "qkv");
  expectDrawn(w["transformer.layers.0.0.to_out.weight"], uniformOn(1 / Math.sqrt(128)), "out");
  expectDrawn(w["transformer.layers.0.1.net.3.weight"], uniformOn(1 / Math.sqrt(48)), "feed-forward");
  expectDrawn(w["linear_head.weight"], uniformOn(0.5 / Math.sqrt(32)), "head");
  const still = initial(createModel("vit", image, options));
  expect(all(still["linear_head.weight"], 0) && all(still["linear_head.bias"], 0)).toBe(true);
});

test("lstm: uniform in ±1/√hidden, a normal embedding", () => {
  const w = initial(createModel("lstm", text, { layers: 2, embdDim: 12, hiddenDim: 25 }));
  for (const [name, values] of Object.entries(w))
    expectDrawn(values, name === "embed.weight" ? normalWith(1) : uniformOn(1 / 5), name);
});

test("transformer: Xavier-uniform matrices, attention biases 0, output weight times the multiplier", () => {
  const options = { layers: 1, dModel: 24, nhead: 2 };
  const w = initial(createModel("transformer", text, { ...options, weightMultiplier: 3 }));
  const xavier = (rows: number, columns: number): ((x: number) => number) =>
    uniformOn(Math.sqrt(6 / (rows + columns)));
  const layer = "decoder.layers.0";
  expectDrawn(w["embedding.weight"], xavier(200, 24), "embedding");
  expectDrawn(w[`${layer}.self_attn.in_proj_weight`], xavier(72, 24), "in_proj");
  expectDrawn(w[`${layer}.multihead_attn.out_proj.weight`], xavier(24, 24), "out_proj");
  expectDrawn(w[`${layer}.linear1.weight`], xavier(96, 24), "linear1");
  expectDrawn(w[`${layer}.linear1.bias`], uniformOn(1 / Math.sqrt(24)), "linear1.bias");
  expectDrawn(w[`${layer}.linear2.bias`], uniformOn(1 / Math.sqrt(96)), "linear2.bias");
  expectDrawn(w["output_layer.weight"], uniformOn(3 * Math.sqrt(6 / 64)), "output");
  for (const name of ["self_attn.in_proj_bias", "multihead_attn.out_proj.bias", "norm2.beta"])
    expect(all(w[`${layer}.${name}`], 0), name).toBe(true);
  expect(all(w[`${layer}.norm3.gamma`], 1)).toBe(true);
  expect(all(initial(createModel("transformer", text, options))["output_layer.weight"], 0)).toBe(true);
});

test("mamba: normal 0.02, A = −1, …, −16, D = 1, steps log-uniform in [1e-3, 0.1], head times initScale", () => {
  const w = initial(createModel("mamba", text, { layers: 1, dModel: 40 }));
  const mixer = "mamba.layers.0.mixer";
  for (const name of [
    "embed.weight",
    `${mixer}.in_proj.weight`,
    `${mixer}.x_proj.weight`,
    `${mixer}.out_proj.weight`,
  ])
    expectDrawn(w[name], normalWith(0.02), name);
  expectDrawn(w["linear.weight"], normalWith(0.002), "head");
  expectDrawn(w[`${mixer}.conv1d.weight`], uniformOn(0.5), "conv1d");
  expectDrawn(w[`${mixer}.conv1d.bias`], uniformOn(0.5), "conv1d.bias");
  expectDrawn(w[`${mixer}.dt_proj.weight`], uniformOn(1 / Math.sqrt(3)), "dt_proj");
  const steps = w[`${mixer}.dt_proj.bias`].map((bias) => Math.log(Math.log1p(Math.exp(bias))));
  expectDrawn(steps, (x) => Math.min(1, Math.max(0, (x - Math.log(1e-3)) / Math.log(100))), "steps");
  w[`${mixer}.A_log`].forEach((value, i) => {
    expect(Math.exp(value)).toBeCloseTo((i % 16) + 1, 12);
  });
  for (const name of [`${mixer}.D`, "mamba.layers.0.norm.weight", "norm_f.weight"])
    expect(all(w[name], 1), name).toBe(true);
});

test("the seed decides all weights, and another seed gives others", () => {
  for (const sample of SAMPLES) {
    const model = modelOf(sample);
    const draw = (seed: number): Float64Array => model.initialWeights(new Random(seed));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(draw(3).every(Number.isFinite)).toBe(true);
  }
});

test("networks whose last layer starts at 0 start with outputs that say nothing of the input", () => {
  for (const sample of SAMPLES.filter(({ name }) => name === "resnet" || name === "vit")) {
    const model = modelOf(sample);
    const run = compile(
      (p: Record<string, Tensor>, x: Tensor) => model.forward(p, x),
      [model.parameters, [2, ...sample.shape.inputShape]],
    );
    const outputs = run(initial(model), inputsFor(sample, 2, 1));
    expect(all(outputs, 0)).toBe(true);
  }
});
