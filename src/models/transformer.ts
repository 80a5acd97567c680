import {
  add,
  array,
  gather,
  gelu,
  multiply,
  type Shape,
  sizeOf,
  slice,
  type Tensor,
} from "../autodiff/index.ts";
import { integer, number } from "../base/index.ts";
import { architecture, replaceLn, size } from "./architecture.ts";
import { tokenShape } from "./checks.ts";
import { attention, causalMask, mergeHeads, splitHeads } from "./layers/attention.ts";
import {
  constants,
  drawParameters,
  fanInBound,
  lastPosition,
  linear,
  scaled,
  uniform,
} from "./layers/layers.ts";
import { layerNorm } from "./layers/normalization.ts";
import { linePositions } from "./layers/positions.ts";

type Parameters = Readonly<Record<string, Tensor>>;

/**
 * Embedding·√d plus positions; decoder layers (Vaswani et al., "Attention is all you need", 2017, normalised after
 * each sum) whose memory is the embedded input: x ← LN₁(x + causal self-attention), LN₂(x + attention over all of
 * the memory), LN₃(x + feed-forward of width 4·d, GELU); Linear at every position.
 */
export const transformer = architecture({
  name: "transformer",
  className: "Transformer",
  reads: ["tokens"],
  help: "transformer decoder",
  settings: {
    layers: size(4, "layers"),
    dModel: { kind: integer({ min: 2 }), default: 32, help: "width, a multiple of the heads" },
    nhead: size(4, "attention heads"),
    replaceLn,
    weightMultiplier: { kind: number(), default: 0, help: "factor on the initial output layer" },
  },
  check: ({ dModel, nhead }) =>
    dModel % nhead === 0
      ? undefined
      : { setting: "dModel", expected: `a multiple of {nhead} = ${nhead}`, got: String(dModel) },
  build(shape, { layers, dModel, nhead, weightMultiplier }) {
    const { length, vocabulary } = tokenShape("transformer", shape);
    const positions = linePositions(length, dModel);
    const mask = causalMask(length);
    const dense = (prefix: string, outputs: number, inputs: number): Record<string, Shape> => ({
      [`${prefix}.weight`]: [outputs, inputs],
      [`${prefix}.bias`]: [outputs],
    });
    const attending = (prefix: string): Record<string, Shape> => ({
      [`${prefix}.in_proj_weight`]: [3 * dModel, dModel],
      [`${prefix}.in_proj_bias`]: [3 * dModel],
      ...dense(`${prefix}.out_proj`, dModel, dModel),
    });
    const norms = (prefix: string): Record<string, Shape> =>
      Object.fromEntries(
        [1, 2, 3].flatMap((i) => ["gamma", "beta"].map((name) => [`${prefix}.norm${i}.${name}`, [dModel]])),
      );
    const layer = (prefix: string): Record<string, Shape> => ({
      ...attending(`${prefix}.self_attn`),
      ...attending(`${prefix}.multihead_attn`),
      ...dense(`${prefix}.linear1`, 4 * dModel, dModel),
      ...dense(`${prefix}.linear2`, dModel, 4 * dModel),
      ...norms(prefix),
    });
    const prefixes = Array.from({ length: layers }, (_, i) => `decoder.layers.${i}`);
    const parameters: Record<string, Shape> = {
      "embedding.weight": [vocabulary, dModel],
      ...Object.assign({}, ...prefixes.map(layer)),
      ...dense("output_layer", shape.outputDim, dModel),
    };
    return {
      parameters,
      vocabulary,
      forward(p, tokens) {
        const embedded = multiply(gather(p["embedding.weight"], tokens), Math.sqrt(dModel));
        const memory = add(embedded, array(embedded, positions, [length, dModel]));
        let x = memory;
        for (const prefix of prefixes) x = decoderLayer(p, prefix, x, memory, nhead, mask);
        const read = shape.lastOnly ? lastPosition(x) : x;
        return linear(read, p["output_layer.weight"], p["output_layer.bias"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, size) => {
          const count = sizeOf(size);
          if (size.length === 2) {
            const drawn = uniform(random, count, Math.sqrt(6 / (size[0] + size[1])));
            return name === "output_layer.weight" ? scaled(drawn, weightMultiplier) : drawn;
          }
          if (name.endsWith("gamma")) return constants(count, 1);
          if (/beta$|in_proj_bias$|out_proj.bias$/.test(name)) return constants(count, 0);
          return uniform(random, count, fanInBound(parameters[name.replace("bias", "weight")]));
        }),
    };
  },
});

function decoderLayer(
  p: Parameters,
  prefix: string,
  input: Tensor,
  memory: Tensor,
  heads: number,
  mask: Float64Array,
): Tensor {
  const normed = (i: number, x: Tensor): Tensor =>
    layerNorm(x, p[`${prefix}.norm${i}.gamma`], p[`${prefix}.norm${i}.beta`]);
  const first = normed(1, add(input, multiHead(p, `${prefix}.self_attn`, input, input, heads, mask)));
  const second = normed(2, add(first, multiHead(p, `${prefix}.multihead_attn`, first, memory, heads)));
  const hidden = gelu(linear(second, p[`${prefix}.linear1.weight`], p[`${prefix}.linear1.bias`]));
  const forward = linear(hidden, p[`${prefix}.linear2.weight`], p[`${prefix}.linear2.bias`]);
  return normed(3, add(second, forward));
}

/** Attention of x over `source`, the projections' rows in the order q, k, v. */
function multiHead(
  p: Parameters,
  prefix: string,
  x: Tensor,
  source: Tensor,
  heads: number,
  mask?: Float64Array,
): Tensor {
  const weight = p[`${prefix}.in_proj_weight`];
  const bias = p[`${prefix}.in_proj_bias`];
  const width = weight.shape[1];
  const projected = (from: Tensor, first: number, parts: number): Tensor =>
    linear(
      from,
      slice(weight, [first * width, 0], [parts * width, width]),
      slice(bias, [first * width], [parts * width]),
    );
  const part = (joined: Tensor, i: number): Tensor =>
    splitHeads(slice(joined, [0, 0, i * width], [...joined.shape.slice(0, 2), width]), heads);
  const keys = x === source ? 1 : 0;
  const joined = projected(source, 1 - keys, 2 + keys);
  const query = keys === 1 ? part(joined, 0) : splitHeads(projected(x, 0, 1), heads);
  const seen = attention(query, part(joined, keys), part(joined, keys + 1), mask);
  return linear(mergeHeads(seen), p[`${prefix}.out_proj.weight`], p[`${prefix}.out_proj.bias`]);
}
