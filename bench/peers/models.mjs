// The problems' losses for libraries of arrays: `ops` has the library's operations under the names used here. Layouts
// and formulas are those of src/models.

const HEAD_WIDTH = 64;
const NORM_EPS = 1e-6;

/** L(w) for parameters by name: the weighted sum over rows of half the squared error. */
export function loss(ops, problem, parameters) {
  const p = Object.fromEntries(problem.parameters.map(({ name }, i) => [name, parameters[i]]));
  const outputs = NETWORKS[problem.architecture](ops, p, problem);
  const { targets, rowWeights } = ops.arrays;
  const rows = ops.reshape(outputs, problem.arrays.targets.shape);
  return ops.sum(ops.multiply(ops.square(ops.subtract(rows, targets)), rowWeights));
}

const linear = (ops, x, weight, bias) => {
  const y = ops.matmul(x, ops.transpose(weight, [1, 0]));
  return bias ? ops.add(y, bias) : y;
};

const NETWORKS = {
  mlp(ops, p, { options }) {
    const act = ops[options.activation];
    const first = act(linear(ops, ops.arrays.inputs, p["1.weight"], p["1.bias"]));
    const second = act(linear(ops, first, p["3.weight"], p["3.bias"]));
    return linear(ops, second, p["5.weight"], p["5.bias"]);
  },

  cnn(ops, p, { n, shape, options }) {
    const [, height] = shape.inputShape;
    const pool = (x, channels, size) =>
      ops.mean(ops.mean(ops.reshape(x, [n * channels, size / 2, 2, size / 2, 2]), 4), 2);
    const block = (x, weight, channels, size) =>
      ops.reshape(pool(ops.gelu(ops.convolution(x, weight)), channels, size), [
        n,
        channels,
        size / 2,
        size / 2,
      ]);
    const { width } = options;
    const first = block(ops.arrays.inputs, p["0.weight"], width, height);
    const second = block(first, p["3.weight"], 2 * width, height / 2);
    const hidden = ops.gelu(linear(ops, ops.reshape(second, [n, -1]), p["7.weight"]));
    return linear(ops, hidden, p["9.weight"], p["9.bias"]);
  },

  vit(ops, p, { n, options }) {
    const { depth, numHeads, dim } = options;
    const { patches, positions } = ops.arrays;
    const tokens = positions.shape[0];
    const norm = (x, prefix) => layerNorm(ops, x, p[`${prefix}.gamma`], p[`${prefix}.beta`]);
    const rows = (x) => ops.reshape(x, [n * tokens, -1]);
    const embedded = linear(
      ops,
      rows(norm(patches, "to_patch_embedding.1")),
      p["to_patch_embedding.2.weight"],
      p["to_patch_embedding.2.bias"],
    );
    let x = rows(ops.add(ops.reshape(norm(embedded, "to_patch_embedding.3"), [n, tokens, dim]), positions));
    for (let i = 0; i < depth; i++) {
      const layer = `transformer.layers.${i}`;
      const joined = linear(ops, norm(x, `${layer}.0.norm`), p[`${layer}.0.to_qkv.weight`]);
      const inner = numHeads * HEAD_WIDTH;
      const heads = (at) =>
        ops.transpose(
          ops.reshape(ops.slice(joined, at * inner, inner), [n, tokens, numHeads, HEAD_WIDTH]),
          [0, 2, 1, 3],
        );
      const scores = ops.matmul(
        ops.scale(heads(0), HEAD_WIDTH ** -0.5),
        ops.transpose(heads(1), [0, 1, 3, 2]),
      );
      const seen = ops.transpose(ops.matmul(ops.softmax(scores), heads(2)), [0, 2, 1, 3]);
      x = ops.add(x, linear(ops, rows(seen), p[`${layer}.0.to_out.weight`]));
      const hidden = ops.gelu(
        linear(ops, norm(x, `${layer}.1.net.0`), p[`${layer}.1.net.1.weight`], p[`${layer}.1.net.1.bias`]),
      );
      x = ops.add(x, linear(ops, hidden, p[`${layer}.1.net.3.weight`], p[`${layer}.1.net.3.bias`]));
    }
    const pooled = ops.mean(ops.reshape(norm(x, "transformer.norm"), [n, tokens, dim]), 1);
    return linear(ops, pooled, p["linear_head.weight"], p["linear_head.bias"]);
  },

  lstm(ops, p, { n, shape, options }) {
    const [length] = shape.inputShape;
    const { layers, hiddenDim } = options;
    let inputs = Array.from({ length }, (_, t) => ops.matmul(ops.arrays.oneHotTokens[t], p["embed.weight"]));
    for (let i = 0; i < layers; i++) {
      const weight = (name) => p[`lstm.layers.${i}.${name}`];
      const outputs = [];
      let cell;
      for (let t = 0; t < length; t++) {
        const drive = ops.add(ops.add(ops.matmul(inputs[t], weight("Wih")), weight("bih")), weight("bhh"));
        const gates = t === 0 ? drive : ops.add(drive, ops.matmul(outputs[t - 1], weight("Whh")));
        const gate = (g) => ops.slice(gates, g * hiddenDim, hiddenDim);
        const entering = ops.multiply(ops.sigmoid(gate(0)), ops.tanh(gate(2)));
        cell = cell ? ops.add(ops.multiply(ops.sigmoid(gate(1)), cell), entering) : entering;
        outputs.push(ops.multiply(ops.sigmoid(gate(3)), ops.tanh(cell)));
      }
      inputs = outputs;
    }
    const rows = ops.reshape(ops.stack(inputs, 1), [n * length, hiddenDim]);
    return linear(ops, rows, p["linear.weight"], p["linear.bias"]);
  },
};

/** gamma·(x − mean)/(std + 1e-6) + beta over the last axis, std the unbiased deviation. */
function layerNorm(ops, x, gamma, beta) {
  const last = x.shape.length - 1;
  const kept = [...x.shape.slice(0, last), 1];
  const centred = ops.subtract(x, ops.reshape(ops.mean(x, last), kept));
  const variance = ops.scale(ops.mean(ops.square(centred), last), x.shape[last] / (x.shape[last] - 1));
  const deviation = ops.addNumber(ops.reshape(ops.sqrt(variance), kept), NORM_EPS);
  return ops.add(ops.multiply(ops.divide(centred, deviation), gamma), beta);
}
