// node tfjs_peer.mjs FOLDER cpu|wasm: TensorFlow.js, float32. Higher derivatives as gradients of gradients: it has no
// forward mode.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { measure, readProblem } from "./exchange.mjs";
import { loss } from "./models.mjs";

const [folder, backend] = process.argv.slice(2);
await tf.setBackend(backend);
await tf.ready();
const problem = readProblem(folder);
const arrayOf = ({ data, shape }) => tf.tensor(Float32Array.from(data), shape, "float32");

const ops = {
  add: tf.add,
  subtract: tf.sub,
  multiply: tf.mul,
  divide: tf.div,
  matmul: (a, b) => tf.matMul(a, b),
  scale: (x, factor) => tf.mul(x, factor),
  addNumber: (x, term) => tf.add(x, term),
  square: tf.square,
  sqrt: tf.sqrt,
  sum: (x) => tf.sum(x),
  mean: (x, axis) => tf.mean(x, axis),
  reshape: tf.reshape,
  transpose: tf.transpose,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  softmax: (x) => tf.softmax(x),
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  // Images as [n, height, width, channels], the only layout that these backends have.
  convolution: (x, weight) =>
    tf.transpose(
      tf.conv2d(tf.transpose(x, [0, 2, 3, 1]), tf.transpose(weight, [2, 3, 1, 0]), 1, "same"),
      [0, 3, 1, 2],
    ),
  slice: (x, start, length) => tf.slice(x, [0, start], [-1, length]),
  stack: (xs, axis) => tf.stack(xs, axis),
  arrays: Object.fromEntries(Object.entries(problem.arrays).map(([name, array]) => [name, arrayOf(array)])),
};
ops.arrays.oneHotTokens = problem.tokenPlanes.map(arrayOf);

const weights = problem.parameters.map(arrayOf);
const directions = problem.directions.map((direction) => direction.map(arrayOf));
const f = (...w) => loss(ops, problem, w);
const dot = (a, b) => tf.addN(a.map((part, i) => tf.sum(tf.mul(part, b[i]))));
const gradient = tf.grads(f);
const product = (v) => tf.grads((...w) => dot(gradient(w), v));
const third = (u, v) => tf.grads((...w) => dot(product(u)(w), v));
const pairs = directions.flatMap((u, i) => directions.slice(i).map((v) => [u, v]));
const settle = (run) => tf.tidy(() => run().map((array) => array.dataSync()));

measure(folder, "gradient", "grads", () => () => settle(() => gradient(weights)));
measure(folder, "hvp", "grads of g·v", () => () => settle(() => product(directions[0])(weights)));
measure(folder, "joint", "grads of grads of grads", () => () => [
  ...settle(() => gradient(weights)),
  ...directions.flatMap((u) => settle(() => product(u)(weights))),
  ...pairs.flatMap(([u, v]) => settle(() => third(u, v)(weights))),
]);
