import { expect, test } from "vitest";
import { compile, Objective, type Tensor } from "../../src/autodiff/index.ts";
import { isMisuse } from "../../src/base/index.ts";
import { layerNorm, modelNamed, supervisedLoss } from "../../src/models/index.ts";

const image = { inputShape: [3, 8, 8], outputDim: 10 };
const text = { inputShape: [5], outputDim: 4, vocabulary: 6 };

function complaint(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(isMisuse(error)).toBe(true);
    return (error as Error).message;
  }
  return "nothing was thrown";
}

const of = (name: string, shape: object, options: object = {}): string =>
  complaint(() => modelNamed(name, shape as typeof image, options));

test("unknown names, options and activations are named with what there is", () => {
  expect(of("mlpp", image)).toBe(
    "arch: expected one of mlp, cnn, resnet, vit, lstm, transformer, mamba, got mlpp",
  );
  expect(of("toString", image)).toMatch(/^arch: expected one of/);
  expect(of("cnn", image, { depth: 3 })).toBe("cnn: expected options among activation, width, got depth");
  expect(of("vit", image, { patch_size: 4 })).toMatch(/^vit: expected options among patchSize/);
  expect(of("cnn", image, { activation: "sine" })).toBe(
    "cnn.activation: expected gelu, silu, tanh or relu, got sine",
  );
  expect(of("cnn", image, { activation: "constructor" })).toMatch(/^cnn.activation: expected gelu/);
});

test("sizes must be whole numbers from 1 on", () => {
  const sizes: [string, object, string][] = [
    ["mlp", image, "width"],
    ["cnn", image, "width"],
    ["resnet", image, "width"],
    ["vit", image, "patchSize"],
    ["vit", image, "dim"],
    ["vit", image, "depth"],
    ["vit", image, "mlpDim"],
    ["vit", image, "numHeads"],
    ["lstm", text, "layers"],
    ["lstm", text, "embdDim"],
    ["lstm", text, "hiddenDim"],
    ["transformer", text, "layers"],
    ["transformer", text, "nhead"],
    ["mamba", text, "layers"],
    ["mamba", text, "dModel"],
  ];
  for (const [name, shape, option] of sizes)
    for (const value of [0, -1, 1.5, Number.NaN, "4"])
      expect(of(name, shape, { [option]: value }), `${name} ${option}`).toMatch(
        /expected an integer ≥ 1.*, got/,
      );
  expect(of("resnet", image, { stageSizes: [] })).toMatch(
    /^resnet.stageSizes: expected at least 1 of: an integer/,
  );
  expect(of("resnet", image, { stageSizes: [1, 0] })).toMatch(/^resnet.stageSizes: expected .*≥ 1, got 0/);
  expect(of("cnn", { ...image, outputDim: 0 })).toMatch(/expected a whole number of outputs ≥ 1, got 0/);
});

test("a width of one cannot be normalised", () => {
  expect(of("transformer", text, { dModel: 1, nhead: 1 })).toMatch(/dModel: expected an integer ≥ 2, got 1/);
});

test("forms that are not here are refused", () => {
  expect(of("vit", image, { simple: false })).toMatch(/^vit.simple: expected true, got false; only the form/);
  expect(of("vit", image, { replaceLn: false })).toMatch(/^vit.replaceLn: expected true, got false; layer/);
  expect(of("vit", image, { pool: "max" })).toBe("vit.pool: expected cls or mean, got max");
  expect(of("transformer", text, { replaceLn: false })).toMatch(/^transformer.replaceLn: expected true/);
  expect(of("mamba", text, { binary: 1 })).toBe("mamba.binary: expected true or false, got 1");
  for (const pool of ["cls", "mean"]) modelNamed("vit", image, { pool });
  for (const pscan of [false, true]) modelNamed("mamba", text, { pscan });
});

test("numbers that do not go together are refused", () => {
  expect(of("vit", image, { patchSize: 3 })).toBe(
    "vit.patchSize: expected a divisor of the image's sides 8×8, got 3",
  );
  expect(of("vit", image, { dim: 6 })).toMatch(/^vit.dim: expected .*a multiple of 4, got 6/);
  expect(of("vit", image, { initScale: Number.NaN })).toMatch(/^vit.initScale: expected a finite number/);
  expect(of("transformer", text, { dModel: 6, nhead: 4 })).toMatch(/expected a multiple of nhead = 4/);
  expect(of("resnet", image, { stageSizes: [1, 1, 1] })).toMatch(/at least 13 pixels a side for 3 stages/);
  modelNamed("resnet", { inputShape: [1, 13, 13], outputDim: 2 }, { stageSizes: [1, 1, 1] });
});

test("inputs must be of the kind that the network reads", () => {
  for (const name of ["cnn", "resnet", "vit"])
    expect(of(name, { inputShape: [64], outputDim: 2 })).toMatch(
      /expected images \[channels, height, width\]/,
    );
  for (const name of ["lstm", "transformer", "mamba"]) {
    expect(of(name, image)).toMatch(/expected sequences of tokens \[length\]/);
    expect(of(name, { inputShape: [4], outputDim: 2 })).toMatch(/without a vocabulary/);
    expect(of(name, { ...text, vocabulary: 0 })).toMatch(/vocabulary: expected an integer ≥ 1/);
    const lossOn = (token: number): string =>
      complaint(() =>
        supervisedLoss(modelNamed(name, text), "ce", {
          inputs: Float64Array.of(0, 1, 2, 3, token),
          shape: [5],
          labels: new Float64Array(5),
          labelShape: [5],
        }),
      );
    for (const token of [6, -1, 0.5])
      expect(lossOn(token)).toBe(
        `inputs: expected tokens, whole numbers from 0 to 5, got ${token} at position 4`,
      );
    expect(lossOn(5)).toBe("nothing was thrown");
  }
});

test("a norm over a single feature is refused: one number has no deviation", () => {
  const gray = { inputShape: [1, 4, 4], outputDim: 2 };
  const lossOf = (patchSize: number): string =>
    complaint(
      () =>
        new Objective(
          supervisedLoss(
            modelNamed("vit", gray, { patchSize, dim: 4, depth: 1, mlpDim: 4, numHeads: 1 }),
            "ce",
            {
              inputs: new Float64Array(16).map((_, i) => i / 16),
              shape: [1, 4, 4],
              labels: new Float64Array(1),
              labelShape: [],
            },
          ),
        ),
    );
  expect(lossOf(1)).toMatch(/^vit\.patchSize: expected patches of at least 2 numbers, which a layer norm/);
  expect(lossOf(2)).toBe("nothing was thrown");
  expect(complaint(() => compile((x: Tensor) => layerNorm(x), [[3, 1]]))).toMatch(
    /^layerNorm: expected at least 2 features to normalise over, got 1/,
  );
});
