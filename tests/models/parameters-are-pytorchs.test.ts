import { expect, test } from "vitest";
import { type Model, modelNamed } from "../../src/models/index.ts";

/** `name [shape]` for each parameter, in order. */
const listed = (model: Model): string[] =>
  Object.entries(model.parameters).map(([name, shape]) => `${name} [${shape}]`);

/** The names and shapes below are those of the reference code's modules, as its fixtures list them. */
test("an mlp of any depth, as torch.nn.Sequential of a flattening, linear layers and activations", () => {
  const named = (depth: number) =>
    listed(modelNamed("mlp", { inputShape: [2], outputDim: 3 }, { width: 5, depth }));
  expect(named(1)).toEqual(["1.weight [5,2]", "1.bias [5]", "3.weight [3,5]", "3.bias [3]"]);
  expect(named(4).filter((line) => line.includes("weight"))).toEqual([
    "1.weight [5,2]",
    "3.weight [5,5]",
    "5.weight [5,5]",
    "7.weight [5,5]",
    "9.weight [3,5]",
  ]);
  expect(named(2)).toEqual(listed(modelNamed("mlp", { inputShape: [2], outputDim: 3 }, { width: 5 })));
});

test("mlp", () => {
  expect(listed(modelNamed("mlp", { inputShape: [1, 8, 8], outputDim: 10 }, { width: 16 }))).toEqual([
    "1.weight [16,64]",
    "1.bias [16]",
    "3.weight [16,16]",
    "3.bias [16]",
    "5.weight [10,16]",
    "5.bias [10]",
  ]);
});

test("cnn", () => {
  expect(listed(modelNamed("cnn", { inputShape: [1, 8, 8], outputDim: 10 }, { width: 4 }))).toEqual([
    "0.weight [4,1,3,3]",
    "3.weight [8,4,3,3]",
    "7.weight [16,32]",
    "9.weight [10,16]",
    "9.bias [10]",
  ]);
});

test("resnet", () => {
  const options = { width: 4, stageSizes: [1, 1] };
  expect(listed(modelNamed("resnet", { inputShape: [1, 8, 8], outputDim: 10 }, options))).toEqual([
    "in_proj.0.weight [4,1,3,3]",
    "stages.0.0.conv1.weight [4,4,3,3]",
    "stages.0.0.bn1.weight [4]",
    "stages.0.0.bn1.bias [4]",
    "stages.0.0.conv2.weight [4,4,3,3]",
    "stages.0.0.bn2.weight [4]",
    "stages.0.0.bn2.bias [4]",
    "stages.1.0.conv1.weight [8,4,3,3]",
    "stages.1.0.bn1.weight [8]",
    "stages.1.0.bn1.bias [8]",
    "stages.1.0.conv2.weight [8,8,3,3]",
    "stages.1.0.bn2.weight [8]",
    "stages.1.0.bn2.bias [8]",
    "stages.1.0.shortcut.0.weight [8,4,3,3]",
    "stages.1.0.shortcut.1.weight [8]",
    "stages.1.0.shortcut.1.bias [8]",
    "out_proj.weight [10,8]",
    "out_proj.bias [10]",
  ]);
});

test("vit", () => {
  const options = { dim: 16, depth: 1, mlpDim: 24, numHeads: 4 };
  expect(listed(modelNamed("vit", { inputShape: [3, 8, 8], outputDim: 10 }, options))).toEqual([
    "to_patch_embedding.1.gamma [48]",
    "to_patch_embedding.1.beta [48]",
    "to_patch_embedding.2.weight [16,48]",
    "to_patch_embedding.2.bias [16]",
    "to_patch_embedding.3.gamma [16]",
    "to_patch_embedding.3.beta [16]",
    "transformer.norm.gamma [16]",
    "transformer.norm.beta [16]",
    "transformer.layers.0.0.norm.gamma [16]",
    "transformer.layers.0.0.norm.beta [16]",
    "transformer.layers.0.0.to_qkv.weight [768,16]",
    "transformer.layers.0.0.to_out.weight [16,256]",
    "transformer.layers.0.1.net.0.gamma [16]",
    "transformer.layers.0.1.net.0.beta [16]",
    "transformer.layers.0.1.net.1.weight [24,16]",
    "transformer.layers.0.1.net.1.bias [24]",
    "transformer.layers.0.1.net.3.weight [16,24]",
    "transformer.layers.0.1.net.3.bias [16]",
    "linear_head.weight [10,16]",
    "linear_head.bias [10]",
  ]);
});

const tokens = { inputShape: [7], outputDim: 4, vocabulary: 5 };

test("lstm", () => {
  expect(listed(modelNamed("lstm", tokens, { layers: 2, embdDim: 6, hiddenDim: 8 }))).toEqual([
    "embed.weight [5,6]",
    "lstm.layers.0.Wih [6,32]",
    "lstm.layers.0.Whh [8,32]",
    "lstm.layers.0.bih [32]",
    "lstm.layers.0.bhh [32]",
    "lstm.layers.1.Wih [8,32]",
    "lstm.layers.1.Whh [8,32]",
    "lstm.layers.1.bih [32]",
    "lstm.layers.1.bhh [32]",
    "linear.weight [4,8]",
    "linear.bias [4]",
  ]);
});

test("transformer", () => {
  expect(listed(modelNamed("transformer", tokens, { layers: 1, dModel: 8, nhead: 2 }))).toEqual([
    "embedding.weight [5,8]",
    "decoder.layers.0.self_attn.in_proj_weight [24,8]",
    "decoder.layers.0.self_attn.in_proj_bias [24]",
    "decoder.layers.0.self_attn.out_proj.weight [8,8]",
    "decoder.layers.0.self_attn.out_proj.bias [8]",
    "decoder.layers.0.multihead_attn.in_proj_weight [24,8]",
    "decoder.layers.0.multihead_attn.in_proj_bias [24]",
    "decoder.layers.0.multihead_attn.out_proj.weight [8,8]",
    "decoder.layers.0.multihead_attn.out_proj.bias [8]",
    "decoder.layers.0.linear1.weight [32,8]",
    "decoder.layers.0.linear1.bias [32]",
    "decoder.layers.0.linear2.weight [8,32]",
    "decoder.layers.0.linear2.bias [8]",
    "decoder.layers.0.norm1.gamma [8]",
    "decoder.layers.0.norm1.beta [8]",
    "decoder.layers.0.norm2.gamma [8]",
    "decoder.layers.0.norm2.beta [8]",
    "decoder.layers.0.norm3.gamma [8]",
    "decoder.layers.0.norm3.beta [8]",
    "output_layer.weight [4,8]",
    "output_layer.bias [4]",
  ]);
});

test("mamba, with a step rank rounded up", () => {
  expect(listed(modelNamed("mamba", tokens, { layers: 1, dModel: 20 }))).toEqual([
    "embed.weight [5,20]",
    "mamba.layers.0.mixer.A_log [40,16]",
    "mamba.layers.0.mixer.D [40]",
    "mamba.layers.0.mixer.in_proj.weight [80,20]",
    "mamba.layers.0.mixer.conv1d.weight [40,1,4]",
    "mamba.layers.0.mixer.conv1d.bias [40]",
    "mamba.layers.0.mixer.x_proj.weight [34,40]",
    "mamba.layers.0.mixer.dt_proj.weight [40,2]",
    "mamba.layers.0.mixer.dt_proj.bias [40]",
    "mamba.layers.0.mixer.out_proj.weight [20,40]",
    "mamba.layers.0.norm.weight [20]",
    "norm_f.weight [20]",
    "linear.weight [4,20]",
  ]);
});

test("defaults are those of the reference's flags", () => {
  const image = { inputShape: [3, 32, 32], outputDim: 10 };
  const shapeOf = (name: string, shape: object, parameter: string): string =>
    String(modelNamed(name, shape as typeof image, {}).parameters[parameter]);
  const text = { inputShape: [7], outputDim: 4, vocabulary: 5 };
  expect(shapeOf("mlp", image, "3.weight")).toBe("256,256");
  expect(shapeOf("cnn", image, "3.weight")).toBe("64,32,3,3");
  expect(shapeOf("resnet", image, "stages.2.2.conv2.weight")).toBe("64,64,3,3");
  expect(shapeOf("resnet", image, "out_proj.weight")).toBe("10,256");
  expect(shapeOf("vit", image, "transformer.layers.3.0.to_qkv.weight")).toBe("1536,64");
  expect(shapeOf("vit", image, "transformer.layers.3.1.net.1.weight")).toBe("256,64");
  expect(shapeOf("vit", image, "to_patch_embedding.2.weight")).toBe("64,48");
  expect(shapeOf("lstm", text, "lstm.layers.1.Wih")).toBe("48,192");
  expect(shapeOf("lstm", text, "embed.weight")).toBe("5,48");
  expect(shapeOf("transformer", text, "decoder.layers.3.linear1.weight")).toBe("128,32");
  expect(shapeOf("mamba", text, "mamba.layers.1.mixer.in_proj.weight")).toBe("256,64");
});
