import { setFlagsFromString } from "node:v8";
import { beforeAll, expect, test } from "vitest";
import { fusedBackend } from "../../../src/autodiff/backends/wasm/wasm.ts";
import {
  type Backend,
  compile,
  jsBackend,
  Objective,
  type Shape,
  sizeOf,
  type Tensor,
} from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { createModel, supervisedLoss } from "../../../src/models/index.ts";
import { fusedObstacle } from "../../../src/wasm/index.ts";
import { firstDifference, wasm } from "./bits.ts";
import { convolutionOf, productOf } from "./exact-sums.ts";

const SEED = 52;
let fused: Backend;

beforeAll(() => {
  // Node 20 has relaxed SIMD behind a flag, later ones without.
  if (Number(process.versions.node.split(".")[0]) < 22)
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  expect(fusedObstacle(), "these tests need a processor with a fused multiply-and-add").toBeUndefined();
  fused = fusedBackend() as Backend;
});

/** Normal numbers of many sizes, some of them 0. */
function numbers(shape: Shape, random: Random): Float64Array {
  return Float64Array.from({ length: sizeOf(shape) }, () => {
    if (random.integer(30) === 0) return 0;
    return random.normal() * 2 ** (random.integer(60) - 30);
  });
}

const BOTH = [false, true];

test("products are sums of 64 terms, each rounded once, added up in order", () => {
  const random = new Random(SEED, "products");
  for (const [m, n, k] of [
    [1, 1, 1],
    [3, 5, 7],
    [4, 4, 64],
    [5, 9, 65],
    [2, 3, 0],
    [9, 6, 300],
  ])
    for (const transposeA of BOTH)
      for (const transposeB of BOTH) {
        const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]] as const;
        const [a, b] = shapes.map((shape) => numbers(shape, random));
        const product = compile(
          (x: Tensor, y: Tensor) => x.trace.emit("matmul", [x, y], { transposeA, transposeB }),
          shapes,
          { backend: fused },
        )(a, b);
        const exact = productOf({ m, n, k, transposeA, transposeB }, a, b);
        expect(firstDifference(exact, product), `${m}×${n}×${k}, seed ${SEED}`).toBeUndefined();
      }
});

const ROLES = ["input", "kernel", "output"] as const;

test("convolutions are single sums, each term rounded once, for every role", () => {
  const random = new Random(SEED, "convolutions");
  for (const [stride, padding] of [
    [
      [1, 1],
      [1, 1],
    ],
    [
      [2, 1],
      [0, 2],
    ],
  ] as const) {
    const [images, channels, outputs] = [2, 3, 9];
    const [input, kernel] = [[5, 6] as const, [3, 2] as const];
    const along = (axis: 0 | 1): number =>
      Math.floor((input[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
    const shapes = {
      input: [images, channels, ...input],
      kernel: [outputs, channels, ...kernel],
      output: [images, outputs, along(0), along(1)],
    };
    for (const wanted of ROLES) {
      const [first, second] = ROLES.filter((role) => role !== wanted);
      const [, , height, width] = shapes[wanted];
      const params = { wanted, stride, padding, size: [height, width] as const };
      const operands = [numbers(shapes[first], random), numbers(shapes[second], random)] as const;
      const found = compile(
        (x: Tensor, y: Tensor) => x.trace.emit("convolution", [x, y], params),
        [shapes[first], shapes[second]],
        { backend: fused },
      )(...operands);
      const exact = convolutionOf({ ...params, shapes }, { [first]: operands[0], [second]: operands[1] });
      expect(firstDifference(exact, found), `${wanted}, stride ${stride}, seed ${SEED}`).toBeUndefined();
    }
  }
});

/** Loss, gradient, products and third derivatives of a small network. */
function everything(name: "mlp" | "cnn", backend: Backend, threads: number): Float64Array[] {
  const random = new Random(SEED, name);
  const [n, shape] = [80, [1, 8, 8]];
  const model = createModel(
    name,
    { inputShape: shape, outputDim: 3 },
    name === "mlp" ? { width: 24 } : { width: 4 },
  );
  const inputs = random.fillNormal(new Float64Array(n * 64));
  const labels = Float64Array.from({ length: n }, () => random.integer(3));
  const loss = supervisedLoss(model, "ce", { inputs, shape, labels, labelShape: [] });
  const objective = new Objective(loss, { backend, threads, chunk: 20 });
  const p = objective.dimension;
  const vectors = random.fillNormal(new Float64Array(2 * p));
  const [products, thirds] = [new Float64Array(2 * p), new Float64Array(3 * p)];
  objective.setWeights(model.initialWeights(random));
  objective.joint(vectors, 2, products, thirds);
  const found = [Float64Array.of(objective.loss()), objective.gradient().slice(), products, thirds];
  objective.dispose();
  return found;
}

test.each(["mlp", "cnn"] as const)(
  "a %s has the same bits on 1, 2 and 7 threads, near those of wasm but others",
  (name) => {
    const alone = everything(name, fused, 1);
    for (const threads of [2, 7])
      everything(name, fused, threads).forEach((values, i) => {
        expect(firstDifference(alone[i], values), `quantity ${i}, ${threads} threads`).toBeUndefined();
      });
    const separate = everything(name, wasm, 1);
    const size = (values: Float64Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    separate.forEach((values, i) => {
      const gap = size(values.map((value, j) => value - alone[i][j]));
      expect(gap, `quantity ${i}`).toBeLessThan(1e-12 * size(values));
    });
    expect(firstDifference(separate[1], alone[1])).toBeDefined();
  },
);

test("what is no product has the bits of the js backend", () => {
  const random = new Random(SEED, "elementwise");
  const x = random.fillNormal(new Float64Array(101));
  const f = (a: Tensor): Tensor => a.trace.emit("multiply", [a.trace.emit("tanh", [a], {}), a], {});
  const [expected, found] = [jsBackend, fused].map((backend) => compile(f, [[101]], { backend })(x));
  expect(firstDifference(expected, found)).toBeUndefined();
});
