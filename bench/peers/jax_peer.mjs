// node jax_peer.mjs FOLDER float64|float32: @jax-js/jax on its wasm device, everything under jit.
import { measure, readProblem } from "./exchange.mjs";
import { loss } from "./models.mjs";

// Node 20 has no Float16Array, and the library names it when it is loaded.
globalThis.Float16Array ??= class {};
const { grad, init, jit, jvp, lax, linearize, nn, numpy: np, defaultDevice } = await import("@jax-js/jax");

const [folder, dtype] = process.argv.slice(2);
await init("wasm");
defaultDevice("wasm");
const problem = readProblem(folder);
const arrayOf = ({ data, shape }) =>
  np.array(dtype === "float32" ? Float32Array.from(data) : data, { shape, dtype: np[dtype] });

// Every operation of this library consumes its arguments; `.ref` gives it one to consume.
const number = (value) => np.array([value], { dtype: np[dtype] });
const ops = {
  add: (a, b) => np.add(a.ref, b.ref),
  subtract: (a, b) => np.subtract(a.ref, b.ref),
  multiply: (a, b) => np.multiply(a.ref, b.ref),
  divide: (a, b) => np.divide(a.ref, b.ref),
  matmul: (a, b) => np.matmul(a.ref, b.ref),
  // As arrays: a product with a JavaScript number has wrong derivatives under jit in float64.
  scale: (x, factor) => np.multiply(x.ref, number(factor)),
  addNumber: (x, term) => np.add(x.ref, number(term)),
  square: (x) => np.square(x.ref),
  sqrt: (x) => np.sqrt(x.ref),
  sum: (x) => np.sum(x.ref),
  mean: (x, axis) => np.multiply(np.sum(x.ref, axis), number(1 / x.shape[axis])),
  reshape: (x, shape) => np.reshape(x.ref, shape),
  transpose: (x, axes) => np.transpose(x.ref, axes),
  tanh: (x) => np.tanh(x.ref),
  sigmoid: (x) => nn.sigmoid(x.ref),
  softmax: (x) => nn.softmax(x.ref, -1),
  gelu: (x) =>
    np.multiply(
      np.multiply(x.ref, number(0.5)),
      np.add(lax.erf(np.multiply(x.ref, number(Math.SQRT1_2))), number(1)),
    ),
  convolution: (x, weight) => lax.convGeneralDilated(x.ref, weight.ref, [1, 1], "SAME"),
  slice: (x, start, length) => x.ref.slice([], [start, start + length]),
  stack: (xs, axis) =>
    np.stack(
      xs.map((x) => x.ref),
      axis,
    ),
  arrays: {},
};
for (const [name, array] of Object.entries(problem.arrays)) ops.arrays[name] = arrayOf(array);
ops.arrays.oneHotTokens = problem.tokenPlanes?.map(arrayOf);

const weights = problem.parameters.map(arrayOf);
const directions = problem.directions.map((direction) => direction.map(arrayOf));
const count = weights.length;
const refs = (...lists) => lists.flat().map((array) => array.ref);
/** Results as numbers; taking them makes the library compute and frees them. */
const settle = (arrays) => arrays.flat().map((array) => array.dataSync());

const f = (...w) => loss(ops, problem, w);
const all = weights.map((_, i) => i);
const g = grad(f, { argnums: all });
/** A list of arguments as lists of `count`: weights, then directions. */
const groups = (all) =>
  Array.from({ length: all.length / count }, (_, i) => all.slice(i * count, (i + 1) * count));
const dot = (a, b) =>
  a.map((part, i) => np.sum(np.multiply(part, b[i]))).reduce((total, part) => np.add(total, part));
/** L'[v] as a function of the weights. */
const slope =
  (v) =>
  (...at) =>
    jvp(f, at, refs(v))[1];
const jitted = (make) => jit((...args) => make(...groups(args)));

const gradient = () => jit(g);
const products = {
  "jvp of grad": () => jitted((w, v) => jvp(g, w, v)[1]),
  "grad of jvp": () => jitted((w, v) => grad(slope(v), { argnums: all })(...w)),
  "grad of g·v": () => jitted((w, v) => grad((...at) => dot(g(...at), refs(v)), { argnums: all })(...w)),
};
const thirds = {
  "jvp of jvp of grad": () => jitted((w, u, v) => jvp((...at) => jvp(g, at, refs(u))[1], w, v)[1]),
  "grad of jvp of jvp": () =>
    jitted((w, u, v) => grad((...at) => jvp(slope(u), at, refs(v))[1], { argnums: all })(...w)),
};
const pairs = directions.flatMap((u, i) => directions.slice(i).map((v) => [u, v]));

measure(folder, "gradient", "grad", () => {
  const run = gradient();
  return () => settle(run(...refs(weights)));
});
for (const [method, make] of Object.entries(products))
  measure(folder, "hvp", method, () => {
    const run = make();
    return () => settle(run(...refs(weights, directions[0])));
  });
measure(folder, "shared", "linearize", () => {
  const [, product] = linearize(g, refs(weights));
  return () => settle(product(...refs(directions[0])));
});
for (const [method, make] of Object.entries(thirds))
  measure(folder, "joint", method, () => {
    const first = gradient();
    const second = products[method.replace("jvp of jvp", "jvp")]();
    const third = make();
    return () => [
      ...settle(first(...refs(weights))),
      ...directions.flatMap((u) => settle(second(...refs(weights, u)))),
      ...pairs.flatMap(([u, v]) => settle(third(...refs(weights, u, v)))),
    ];
  });
