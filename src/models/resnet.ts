import { add, convolution, multiply, reshape, type Shape, sizeOf, type Tensor } from "../autodiff/index.ts";
import { integer, list, valueError } from "../base/index.ts";
import { activation, architecture, size } from "./architecture.ts";
import { imageShape } from "./checks.ts";
import { ACTIVATIONS, constants, drawParameters, linear, normal } from "./layers/layers.ts";
import { groupNorm } from "./layers/normalization.ts";
import { averagePool } from "./layers/pooling.ts";

interface Block {
  readonly prefix: string;
  readonly inputs: number;
  readonly outputs: number;
  /** 2 in the first block of every stage but the first, whose shortcut is then a convolution; else 1. */
  readonly stride: 1 | 2;
}

/**
 * Residual blocks of two 3×3 convolutions with group norms (unbiased variance), act between them and none after the
 * sum; the residual branch times (Σ stage sizes)^{−1/2}; average pooling over 4×4, Linear.
 */
export const resnet = architecture({
  name: "resnet",
  className: "Resnet",
  reads: ["images"],
  help: "residual blocks of convolutions",
  settings: {
    activation,
    /** Channels of the first stage, and groups of every group norm. */
    width: size(16, "width"),
    stageSizes: { kind: list(integer({ min: 1 }), 1), default: [3, 3, 3], help: "blocks in each stage" },
  },
  build(shape, { activation, width, stageSizes }) {
    const [channels, ...pixels] = imageShape("resnet", shape);
    const act = ACTIVATIONS[activation];
    const blocks = blocksOf(width, stageSizes);
    const last = pixels.map((length) => Math.floor(Math.ceil(length / 2 ** (stageSizes.length - 1)) / 4));
    if (last.includes(0))
      throw valueError(
        "resnet",
        `images of at least ${3 * 2 ** (stageSizes.length - 1) + 1} pixels a side for ${stageSizes.length} stages`,
        pixels.join("×"),
        "fewer stages",
      );
    const features = blocks[blocks.length - 1].outputs * last[0] * last[1];
    const parameters: Record<string, Shape> = {
      "in_proj.0.weight": [width, channels, 3, 3],
      ...Object.assign({}, ...blocks.map(blockParameters)),
      "out_proj.weight": [shape.outputDim, features],
      "out_proj.bias": [shape.outputDim],
    };
    const scale = 1 / Math.sqrt(blocks.length);
    return {
      parameters,
      forward(p, inputs) {
        let x = act(convolution(inputs, p["in_proj.0.weight"], { padding: 1 }));
        for (const block of blocks) x = residual(p, block, x, width, scale, act);
        return linear(reshape(averagePool(x, 4), [-1, features]), p["out_proj.weight"], p["out_proj.bias"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, size) => {
          if (name.startsWith("out_proj")) return constants(sizeOf(size), 0);
          if (size.length === 4)
            return normal(random, sizeOf(size), Math.sqrt(2 / (size[0] * size[2] * size[3])));
          return constants(sizeOf(size), name.endsWith("weight") && !name.endsWith("bn2.weight") ? 1 : 0);
        }),
    };
  },
});

function blocksOf(width: number, stageSizes: readonly number[]): Block[] {
  return stageSizes.flatMap((size, stage) =>
    Array.from({ length: size }, (_, i) => {
      const shrinks = stage > 0 && i === 0;
      const outputs = width * 2 ** stage;
      return {
        prefix: `stages.${stage}.${i}`,
        inputs: shrinks ? outputs / 2 : outputs,
        outputs,
        stride: shrinks ? 2 : 1,
      };
    }),
  );
}

function blockParameters({ prefix, inputs, outputs, stride }: Block): Record<string, Shape> {
  const norm = (name: string): Record<string, Shape> => ({
    [`${prefix}.${name}.weight`]: [outputs],
    [`${prefix}.${name}.bias`]: [outputs],
  });
  return {
    [`${prefix}.conv1.weight`]: [outputs, inputs, 3, 3],
    ...norm("bn1"),
    [`${prefix}.conv2.weight`]: [outputs, outputs, 3, 3],
    ...norm("bn2"),
    ...(stride === 2 && {
      [`${prefix}.shortcut.0.weight`]: [outputs, inputs, 3, 3],
      ...norm("shortcut.1"),
    }),
  };
}

function residual(
  p: Readonly<Record<string, Tensor>>,
  { prefix, stride }: Block,
  x: Tensor,
  groups: number,
  scale: number,
  act: (x: Tensor) => Tensor,
): Tensor {
  const norm = (y: Tensor, name: string): Tensor =>
    groupNorm(y, groups, p[`${prefix}.${name}.weight`], p[`${prefix}.${name}.bias`]);
  const conv = (y: Tensor, name: string, step: number): Tensor =>
    convolution(y, p[`${prefix}.${name}.weight`], { stride: step, padding: 1 });
  const inner = act(norm(conv(x, "conv1", stride), "bn1"));
  const branch = norm(conv(inner, "conv2", 1), "bn2");
  const shortcut = stride === 2 ? norm(conv(x, "shortcut.0", 2), "shortcut.1") : x;
  return add(shortcut, multiply(branch, scale));
}
