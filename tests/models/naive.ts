import { erf } from "../../src/base/index.ts";

/** Layers and networks once more, as plain loops over nested arrays that share no code with src/models. */

export type Rows = number[][];
/** [channel][row][column] */
export type Image = number[][][];
export type Weights = Readonly<Record<string, Float64Array>>;

export const rowsOf = (flat: ArrayLike<number>, width: number): Rows =>
  Array.from({ length: flat.length / width }, (_, i) =>
    Array.from({ length: width }, (_, j) => flat[i * width + j]),
  );

export const imageOf = (flat: ArrayLike<number>, height: number, width: number): Image =>
  rowsOf(flat, height * width).map((plane) => rowsOf(plane, width));

const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
const siluOf = (x: number): number => x * sigma(x);
export const geluOf = (x: number): number => 0.5 * x * (1 + erf(x / Math.sqrt(2)));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const meanOf = (values: readonly number[]): number => total(values) / values.length;
const unbiasedVariance = (values: readonly number[]): number => {
  const m = meanOf(values);
  return total(values.map((x) => (x - m) ** 2)) / (values.length - 1);
};

export function dense(x: Rows, weight: ArrayLike<number>, bias?: ArrayLike<number>): Rows {
  const matrix = rowsOf(weight, x[0].length);
  return x.map((row) =>
    matrix.map((filter, o) => total(filter.map((w, i) => w * row[i])) + (bias ? bias[o] : 0)),
  );
}

export function layerNormOf(x: Rows, gamma?: ArrayLike<number>, beta?: ArrayLike<number>): Rows {
  return x.map((row) => {
    const m = meanOf(row);
    const deviation = Math.sqrt(unbiasedVariance(row)) + 1e-6;
    return row.map((value, i) => (gamma ? gamma[i] : 1) * ((value - m) / deviation) + (beta ? beta[i] : 0));
  });
}

export const rmsNormOf = (x: Rows, weight: ArrayLike<number>): Rows =>
  x.map((row) => {
    const scale = Math.sqrt(meanOf(row.map((value) => value * value)) + 1e-5);
    return row.map((value, i) => (weight[i] * value) / scale);
  });

export function groupNormOf(
  x: Image,
  groups: number,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
): Image {
  const size = x.length / groups;
  return x.map((plane, c) => {
    const first = Math.floor(c / size) * size;
    const group = x.slice(first, first + size).flat(2);
    const m = meanOf(group);
    const deviation = Math.sqrt(unbiasedVariance(group) + 1e-6);
    return plane.map((row) => row.map((value) => ((value - m) / deviation) * weight[c] + bias[c]));
  });
}

/** kernel [outputs, channels, size, size], one image. */
export function conv(
  x: Image,
  kernel: ArrayLike<number>,
  size: number,
  stride: number,
  padding: number,
): Image {
  const channels = x.length;
  const filters = rowsOf(kernel, channels * size * size);
  const places = (length: number): number => Math.floor((length + 2 * padding - size) / stride) + 1;
  const pixel = (c: number, y: number, z: number): number => x[c][y]?.[z] ?? 0;
  return filters.map((filter) =>
    Array.from({ length: places(x[0].length) }, (_, row) =>
      Array.from({ length: places(x[0][0].length) }, (_, column) => {
        let value = 0;
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < size; i++)
            for (let j = 0; j < size; j++)
              value +=
                filter[(c * size + i) * size + j] *
                pixel(c, row * stride + i - padding, column * stride + j - padding);
        return value;
      }),
    ),
  );
}

export const pool = (x: Image, size: number): Image =>
  x.map((plane) =>
    Array.from({ length: Math.floor(plane.length / size) }, (_, row) =>
      Array.from({ length: Math.floor(plane[0].length / size) }, (_, column) =>
        meanOf(
          plane
            .slice(row * size, (row + 1) * size)
            .flatMap((line) => line.slice(column * size, (column + 1) * size)),
        ),
      ),
    ),
  );

const mapImage = (x: Image, f: (value: number) => number): Image =>
  x.map((plane) => plane.map((row) => row.map(f)));
const mapRows = (x: Rows, f: (value: number) => number): Rows => x.map((row) => row.map(f));
const plus = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((value, j) => value + b[i][j]));

/** softmax(q·kᵀ/√d)·v, one head; with `causal`, query t sees keys 0, …, t. */
export function attend(q: Rows, k: Rows, v: Rows, causal: boolean): Rows {
  return q.map((query, t) => {
    const seen = causal ? k.slice(0, t + 1) : k;
    const powers = seen.map((key) =>
      Math.exp(total(key.map((x, i) => x * query[i])) / Math.sqrt(query.length)),
    );
    const sum = total(powers);
    return v[0].map((_, j) => total(powers.map((power, s) => (power / sum) * v[s][j])));
  });
}

/** Heads side by side in the columns of q, k and v. */
function attendHeads(q: Rows, k: Rows, v: Rows, heads: number, causal: boolean): Rows {
  const width = q[0].length / heads;
  const part = (x: Rows, head: number): Rows => x.map((row) => row.slice(head * width, (head + 1) * width));
  const results = Array.from({ length: heads }, (_, h) => attend(part(q, h), part(k, h), part(v, h), causal));
  return q.map((_, t) => results.flatMap((result) => result[t]));
}

const columns = (x: Rows, from: number, to: number): Rows => x.map((row) => row.slice(from, to));

/** y_t = Σ_j w_j x_{t−width+1+j} + b for each column by itself. */
export function causalFilter(x: Rows, weight: ArrayLike<number>, bias: ArrayLike<number>): Rows {
  const filters = rowsOf(weight, weight.length / x[0].length);
  return x.map((row, t) =>
    row.map((_, c) => {
      const width = filters[c].length;
      return bias[c] + total(filters[c].map((w, j) => w * (x[t - width + 1 + j]?.[c] ?? 0)));
    }),
  );
}

export function scan(x: Rows, delta: Rows, a: Rows, b: Rows, c: Rows, d: ArrayLike<number>): Rows {
  const h = a.map((row) => row.map(() => 0));
  return x.map((row, t) =>
    row.map((value, e) => {
      for (let s = 0; s < h[e].length; s++)
        h[e][s] = Math.exp(delta[t][e] * a[e][s]) * h[e][s] + delta[t][e] * b[t][s] * value;
      return total(h[e].map((state, s) => state * c[t][s])) + d[e] * value;
    }),
  );
}

export function mlpOf(w: Weights, input: Float64Array): Rows {
  let x = mapRows(dense([[...input]], w["1.weight"], w["1.bias"]), geluOf);
  x = mapRows(dense(x, w["3.weight"], w["3.bias"]), geluOf);
  return dense(x, w["5.weight"], w["5.bias"]);
}

export function cnnOf(w: Weights, input: Float64Array, height: number, width: number): Rows {
  let x = imageOf(input, height, width);
  x = pool(mapImage(conv(x, w["0.weight"], 3, 1, 1), siluOf), 2);
  x = pool(mapImage(conv(x, w["3.weight"], 3, 1, 1), siluOf), 2);
  return dense(mapRows(dense([x.flat(2)], w["7.weight"]), siluOf), w["9.weight"], w["9.bias"]);
}

export function resnetOf(
  w: Weights,
  input: Float64Array,
  side: number,
  groups: number,
  stageSizes: readonly number[],
): Rows {
  let x = mapImage(conv(imageOf(input, side, side), w["in_proj.0.weight"], 3, 1, 1), geluOf);
  const scale = total(stageSizes) ** -0.5;
  stageSizes.forEach((size, stage) => {
    for (let i = 0; i < size; i++) {
      const of = (name: string): Float64Array => w[`stages.${stage}.${i}.${name}`];
      const norm = (y: Image, name: string): Image =>
        groupNormOf(y, groups, of(`${name}.weight`), of(`${name}.bias`));
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const inner = mapImage(norm(conv(x, of("conv1.weight"), 3, stride, 1), "bn1"), geluOf);
      const branch = norm(conv(inner, of("conv2.weight"), 3, 1, 1), "bn2");
      const shortcut = stride === 2 ? norm(conv(x, of("shortcut.0.weight"), 3, 2, 1), "shortcut.1") : x;
      x = branch.map((plane, c) =>
        plane.map((row, y) => row.map((value, z) => shortcut[c][y][z] + scale * value)),
      );
    }
  });
  return dense([pool(x, 4).flat(2)], w["out_proj.weight"], w["out_proj.bias"]);
}

export interface VitSizes {
  readonly height: number;
  readonly width: number;
  readonly patch: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
}

export function vitOf(w: Weights, input: Float64Array, sizes: VitSizes): Rows {
  const { height, width, patch, dim, depth, heads } = sizes;
  const pixels = imageOf(input, height, width);
  const norm = (x: Rows, name: string): Rows => layerNormOf(x, w[`${name}.gamma`], w[`${name}.beta`]);
  const patches: Rows = [];
  const places: [number, number][] = [];
  for (let y = 0; y < height; y += patch)
    for (let x = 0; x < width; x += patch) {
      const entries: number[] = [];
      for (let i = 0; i < patch; i++)
        for (let j = 0; j < patch; j++) for (const plane of pixels) entries.push(plane[y + i][x + j]);
      patches.push(entries);
      places.push([x / patch, y / patch]);
    }
  const embedded = dense(
    norm(patches, "to_patch_embedding.1"),
    w["to_patch_embedding.2.weight"],
    w["to_patch_embedding.2.bias"],
  );
  const frequencies = Array.from({ length: dim / 4 }, (_, i) => 10000 ** (-i / (dim / 4 - 1)));
  const positions = places.map(([x, y]) =>
    [x, y].flatMap((at) => [
      ...frequencies.map((frequency) => Math.sin(at * frequency)),
      ...frequencies.map((frequency) => Math.cos(at * frequency)),
    ]),
  );
  let x = plus(norm(embedded, "to_patch_embedding.3"), positions);
  for (let i = 0; i < depth; i++) {
    const layer = `transformer.layers.${i}`;
    const qkv = dense(norm(x, `${layer}.0.norm`), w[`${layer}.0.to_qkv.weight`]);
    const inner = qkv[0].length / 3;
    const seen = attendHeads(
      columns(qkv, 0, inner),
      columns(qkv, inner, 2 * inner),
      columns(qkv, 2 * inner, 3 * inner),
      heads,
      false,
    );
    x = plus(x, dense(seen, w[`${layer}.0.to_out.weight`]));
    const net = `${layer}.1.net`;
    const hidden = mapRows(dense(norm(x, `${net}.0`), w[`${net}.1.weight`], w[`${net}.1.bias`]), geluOf);
    x = plus(x, dense(hidden, w[`${net}.3.weight`], w[`${net}.3.bias`]));
  }
  const last = norm(x, "transformer.norm");
  const pooled = last[0].map((_, j) => meanOf(last.map((row) => row[j])));
  return dense([pooled], w["linear_head.weight"], w["linear_head.bias"]);
}

export function lstmOf(
  w: Weights,
  tokens: Float64Array,
  embedding: number,
  hidden: number,
  layers: number,
): Rows {
  const table = rowsOf(w["embed.weight"], embedding);
  let x = [...tokens].map((token) => table[token]);
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): Float64Array => w[`lstm.layers.${layer}.${name}`];
    const [fromInput, fromHidden] = [rowsOf(of("Wih"), 4 * hidden), rowsOf(of("Whh"), 4 * hidden)];
    let h = new Array<number>(hidden).fill(0);
    let c = new Array<number>(hidden).fill(0);
    x = x.map((input) => {
      const gates = Array.from(
        { length: 4 * hidden },
        (_, g) =>
          total(input.map((value, i) => value * fromInput[i][g])) +
          of("bih")[g] +
          total(h.map((value, i) => value * fromHidden[i][g])) +
          of("bhh")[g],
      );
      c = c.map(
        (value, j) => sigma(gates[hidden + j]) * value + sigma(gates[j]) * Math.tanh(gates[2 * hidden + j]),
      );
      h = c.map((value, j) => sigma(gates[3 * hidden + j]) * Math.tanh(value));
      return h;
    });
  }
  return dense(x, w["linear.weight"], w["linear.bias"]);
}

export function transformerOf(
  w: Weights,
  tokens: Float64Array,
  d: number,
  heads: number,
  layers: number,
): Rows {
  const table = rowsOf(w["embedding.weight"], d);
  const memory = [...tokens].map((token, t) =>
    table[token].map((value, j) => {
      const angle = t * 10000 ** (-(2 * Math.floor(j / 2)) / d);
      return value * Math.sqrt(d) + (j % 2 === 0 ? Math.sin(angle) : Math.cos(angle));
    }),
  );
  let x = memory;
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): Float64Array => w[`decoder.layers.${layer}.${name}`];
    const sublayer = (name: string, from: Rows, source: Rows, causal: boolean): Rows => {
      const projected = (rows: Rows, part: number): Rows =>
        dense(
          rows,
          of(`${name}.in_proj_weight`).subarray(part * d * d, (part + 1) * d * d),
          of(`${name}.in_proj_bias`).subarray(part * d, (part + 1) * d),
        );
      const seen = attendHeads(projected(from, 0), projected(source, 1), projected(source, 2), heads, causal);
      return dense(seen, of(`${name}.out_proj.weight`), of(`${name}.out_proj.bias`));
    };
    const norm = (rows: Rows, i: number): Rows =>
      layerNormOf(rows, of(`norm${i}.gamma`), of(`norm${i}.beta`));
    x = norm(plus(x, sublayer("self_attn", x, x, true)), 1);
    x = norm(plus(x, sublayer("multihead_attn", x, memory, false)), 2);
    const inner = mapRows(dense(x, of("linear1.weight"), of("linear1.bias")), geluOf);
    x = norm(plus(x, dense(inner, of("linear2.weight"), of("linear2.bias"))), 3);
  }
  return dense(x, w["output_layer.weight"], w["output_layer.bias"]);
}

export function mambaOf(w: Weights, tokens: Float64Array, d: number, layers: number): Rows {
  const states = 16;
  const inner = 2 * d;
  const rank = Math.ceil(d / 16);
  const table = rowsOf(w["embed.weight"], d);
  let x = [...tokens].map((token) => table[token]);
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string): Float64Array => w[`mamba.layers.${layer}.${name}`];
    const joined = dense(rmsNormOf(x, of("norm.weight")), of("mixer.in_proj.weight"));
    const filtered = causalFilter(
      columns(joined, 0, inner),
      of("mixer.conv1d.weight"),
      of("mixer.conv1d.bias"),
    );
    const u = mapRows(filtered, siluOf);
    const selected = dense(u, of("mixer.x_proj.weight"));
    const delta = mapRows(
      dense(columns(selected, 0, rank), of("mixer.dt_proj.weight"), of("mixer.dt_proj.bias")),
      (value) => Math.log1p(Math.exp(value)),
    );
    const a = mapRows(rowsOf(of("mixer.A_log"), states), (value) => -Math.exp(value));
    const b = columns(selected, rank, rank + states);
    const c = columns(selected, rank + states, rank + 2 * states);
    const y = scan(u, delta, a, b, c, of("mixer.D"));
    const gated = y.map((row, t) => row.map((value, e) => value * siluOf(joined[t][inner + e])));
    x = plus(x, dense(gated, of("mixer.out_proj.weight")));
  }
  return dense(rmsNormOf(x, w["norm_f.weight"]), w["linear.weight"]);
}
