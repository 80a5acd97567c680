import {
  add,
  array,
  gelu,
  mean,
  reshape,
  type Shape,
  sizeOf,
  type Tensor,
  take,
  transpose,
} from "../autodiff/index.ts";
import { choice, flag, integer, number, valueError } from "../base/index.ts";
import { architecture, replaceLn, size } from "./architecture.ts";
import { imageShape } from "./checks.ts";
import { attention, mergeHeads } from "./layers/attention.ts";
import { constants, drawParameters, fanInBound, linear, scaled, uniform } from "./layers/layers.ts";
import { layerNorm } from "./layers/normalization.ts";
import { planePositions } from "./layers/positions.ts";

const HEAD_WIDTH = 64;

type Parameters = Readonly<Record<string, Tensor>>;

/**
 * The simple vision transformer (Beyer, Zhai, Kolesnikov, "Better plain ViT baselines for ImageNet-1k", 2022):
 * patches, LayerNorm, Linear, LayerNorm, fixed sine-cosine positions; depth × [x + attention(LayerNorm x), x + ff];
 * LayerNorm, mean over tokens, Linear.
 */
export const vit = architecture({
  name: "vit",
  className: "VIT",
  reads: ["images"],
  help: "vision transformer",
  settings: {
    patchSize: size(4, "side of a patch in pixels"),
    // Sines and cosines of two coordinates.
    dim: { kind: integer({ min: 1, multipleOf: 4 }), default: 64, help: "width of a token, a multiple of 4" },
    depth: size(4, "blocks"),
    mlpDim: size(256, "width of the feed-forward layers"),
    numHeads: size(8, "attention heads, each 64 wide"),
    pool: {
      kind: choice("cls", "mean"),
      default: "cls",
      help: "how tokens are pooled (unless simple)",
      ignored: "tokens are pooled by their mean",
    },
    replaceLn,
    trainableLn: { kind: flag, default: true, help: "layer norms have weights" },
    simple: {
      kind: flag,
      default: true,
      help: "fixed positions and mean pooling",
      ignored: "only the form with fixed positions and mean pooling is here",
      only: true,
    },
    initScale: { kind: number(), default: 0, help: "factor on the initial output layer" },
  },
  build(shape, { patchSize, dim, depth, mlpDim, numHeads, trainableLn, initScale }) {
    const [channels, height, width] = imageShape("vit", shape);
    if (height % patchSize !== 0 || width % patchSize !== 0)
      throw valueError(
        "vit.patchSize",
        `a divisor of the image's sides ${height}×${width}`,
        String(patchSize),
      );
    const rows = height / patchSize;
    const columns = width / patchSize;
    const patch = channels * patchSize ** 2;
    if (patch < 2)
      throw valueError(
        "vit.patchSize",
        "patches of at least 2 numbers, which a layer norm normalises over",
        `${patchSize}, one pixel of one channel`,
        "one number has no deviation from its mean; take larger patches",
      );
    const inner = numHeads * HEAD_WIDTH;
    const positions = planePositions(rows, columns, dim);
    const norm = (prefix: string, length: number): Record<string, Shape> =>
      trainableLn ? { [`${prefix}.gamma`]: [length], [`${prefix}.beta`]: [length] } : {};
    const block = (i: number): Record<string, Shape> => ({
      ...norm(`transformer.layers.${i}.0.norm`, dim),
      [`transformer.layers.${i}.0.to_qkv.weight`]: [3 * inner, dim],
      [`transformer.layers.${i}.0.to_out.weight`]: [dim, inner],
      ...norm(`transformer.layers.${i}.1.net.0`, dim),
      [`transformer.layers.${i}.1.net.1.weight`]: [mlpDim, dim],
      [`transformer.layers.${i}.1.net.1.bias`]: [mlpDim],
      [`transformer.layers.${i}.1.net.3.weight`]: [dim, mlpDim],
      [`transformer.layers.${i}.1.net.3.bias`]: [dim],
    });
    const parameters: Record<string, Shape> = {
      ...norm("to_patch_embedding.1", patch),
      "to_patch_embedding.2.weight": [dim, patch],
      "to_patch_embedding.2.bias": [dim],
      ...norm("to_patch_embedding.3", dim),
      ...norm("transformer.norm", dim),
      ...Object.assign({}, ...Array.from({ length: depth }, (_, i) => block(i))),
      "linear_head.weight": [shape.outputDim, dim],
      "linear_head.bias": [shape.outputDim],
    };
    return {
      parameters,
      forward(p, inputs) {
        const patches = normed(p, "to_patch_embedding.1", patchesOf(inputs, patchSize));
        const tokens = linear(patches, p["to_patch_embedding.2.weight"], p["to_patch_embedding.2.bias"]);
        const embedded = normed(p, "to_patch_embedding.3", tokens);
        let x = add(embedded, array(embedded, positions, [rows * columns, dim]));
        for (let i = 0; i < depth; i++) {
          x = add(x, selfAttention(p, `transformer.layers.${i}.0`, x, numHeads));
          x = add(x, feedForward(p, `transformer.layers.${i}.1.net`, x));
        }
        const pooled = mean(normed(p, "transformer.norm", x), { axes: [1] });
        return linear(pooled, p["linear_head.weight"], p["linear_head.bias"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, size) => {
          const count = sizeOf(size);
          if (name.endsWith("gamma")) return constants(count, 1);
          if (name.endsWith("beta")) return constants(count, 0);
          const drawn = uniform(random, count, fanInBound(parameters[name.replace("bias", "weight")]));
          return name.startsWith("linear_head") ? scaled(drawn, initScale) : drawn;
        }),
    };
  },
});

/** [n, channels, h·p, w·p] → [n, h·w, p·p·channels], a patch's entries by row, column and channel. */
function patchesOf(images: Tensor, size: number): Tensor {
  const [n, channels, height, width] = images.shape;
  const split = reshape(images, [n, channels, height / size, size, width / size, size]);
  return reshape(transpose(split, [0, 2, 4, 3, 5, 1]), [
    n,
    (height * width) / size ** 2,
    channels * size ** 2,
  ]);
}

const normed = (p: Parameters, prefix: string, x: Tensor): Tensor =>
  layerNorm(x, p[`${prefix}.gamma`], p[`${prefix}.beta`]);

function selfAttention(p: Parameters, prefix: string, x: Tensor, heads: number): Tensor {
  const [batch, length] = x.shape;
  const joined = linear(normed(p, `${prefix}.norm`, x), p[`${prefix}.to_qkv.weight`]);
  const split = transpose(reshape(joined, [batch, length, 3, heads, HEAD_WIDTH]), [2, 0, 3, 1, 4]);
  const seen = attention(take(split, 0, 0), take(split, 0, 1), take(split, 0, 2));
  return linear(mergeHeads(seen), p[`${prefix}.to_out.weight`]);
}

function feedForward(p: Parameters, prefix: string, x: Tensor): Tensor {
  const hidden = gelu(linear(normed(p, `${prefix}.0`, x), p[`${prefix}.1.weight`], p[`${prefix}.1.bias`]));
  return linear(hidden, p[`${prefix}.3.weight`], p[`${prefix}.3.bias`]);
}
