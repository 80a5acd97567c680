import { expect, test } from "vitest";
import {
  add,
  array,
  broadcastTo,
  compile,
  concatenate,
  convolution,
  type ExampleArrays,
  gather,
  grad,
  hvp,
  jvp,
  matmul,
  max,
  multiply,
  Objective,
  oneHot,
  pad,
  recurrence,
  reshape,
  scatterAdd,
  select,
  slice,
  stack,
  sum,
  type Tensor,
  take,
  tanh,
  trace,
  transpose,
  vjp,
} from "../../../src/autodiff/index.ts";
import { isMisuse } from "../../../src/base/index.ts";

const none = undefined as unknown as Tensor;
const text = "3" as unknown as Tensor;

/** Misuses of one operation on x [2, 3] and y [4], with what the message must say. */
const misuses: readonly (readonly [string, (x: Tensor, y: Tensor) => unknown, RegExp])[] = [
  ["add", (x, y) => add(x, y), /^add: .*broadcast.*\[2, 3\] and \[4\]/],
  ["multiply", (x, y) => multiply(y, x), /^multiply: .*\[4\] and \[2, 3\]/],
  ["select", (x, y) => select(x, y, 0), /^select: .*\[2, 3\] and \[4\]/],
  ["add of numbers", () => add(1, 2), /^add: .*at least one tensor.*1, 2/],
  ["add of nothing", (x) => add(x, none), /^add: .*tensors or numbers.*undefined/],
  ["tanh of text", () => tanh(text), /^tanh: .*a tensor.*string/],
  ["reshape of nothing", () => reshape(none, [1]), /^reshape: .*a tensor.*undefined/],
  ["sum of a number", () => sum(3 as unknown as Tensor), /^sum: .*a tensor.*number/],
  ["matmul with text", (x) => matmul(x, text), /^matmul: .*a tensor.*string/],
  ["another trace", (x) => add(x, kept()), /^add: .*one traced function.*another trace.*argument/],
  ["reshape", (x) => reshape(x, [4, 2]), /^reshape: .*6 entries.*\[2, 3\].*\[4, 2\]/],
  ["reshape with a remainder", (x) => reshape(x, [-1, 4]), /^reshape: .*6 entries.*\[2, 3\].*\[-1, 4\]/],
  ["reshape, two open", (x) => reshape(x, [-1, -1]), /^reshape: .*at most one.*\[-1, -1\]/],
  ["reshape, fractional", (x) => reshape(x, [1.5, 4]), /^reshape: .*whole numbers.*1\.5/],
  ["transpose", (x) => transpose(x, [0, 0]), /^transpose: .*different.*\[0,0\]/],
  ["transpose, too few", (x) => transpose(x, [0]), /^transpose: .*permutation of 2 axes.*\[0\]/],
  ["transpose of a vector", (_, y) => transpose(y), /^transpose: .*two axes.*\[4\]/],
  ["broadcastTo", (x) => broadcastTo(x, [2, 4]), /\[2, 3\] and \[2, 4\]/],
  ["broadcastTo, fewer axes", (x) => broadcastTo(x, [3]), /^broadcastTo: .*\[3\].*\[2, 3\]/],
  ["slice", (x) => slice(x, [0, 1], [2, 3]), /^slice: .*inside \[2, 3\].*starts \[0,1\], sizes \[2,3\]/],
  ["slice, fractional", (x) => slice(x, [0.5, 0], [1, 1]), /^slice: .*starts \[0\.5,0\]/],
  ["slice, start beyond", (x) => slice(x, [3, 0], [0, 1]), /^slice: .*starts \[3,0\]/],
  ["slice, too few", (x) => slice(x, [0], [1]), /^slice: .*\[2, 3\]/],
  ["take", (x) => take(x, 2, 0), /^take: .*axes between -2 and 1.*2/],
  ["take beyond", (x) => take(x, 1, 3), /\[2, 3\]/],
  ["pad", (x) => pad(x, [1], [1]), /^pad: .*2 axes of \[2, 3\].*low \[1\]/],
  ["pad, fractional", (x) => pad(x, [0, 0.5], [0, 0]), /^pad: .*low \[0,0\.5\]/],
  ["concatenate", (x, y) => concatenate([x, y]), /^concatenate: .*\[2, 3\] and \[4\]/],
  ["concatenate of nothing", () => concatenate([]), /^concatenate: .*at least one.*none/],
  ["stack", (x, y) => stack([x, y]), /\[1, 2, 3\] and \[1, 4\]/],
  ["sum", (x) => sum(x, { axes: [2] }), /^sum: .*axes between -2 and 1.*\[2\]/],
  ["max", (x) => max(x, { axes: [0, 0] }), /^max: .*different.*\[0,0\]/],
  ["matmul", (x) => matmul(x, x), /^matmul: .*inner.*\[2, 3\] times \[2, 3\]/],
  [
    "matmul, transposed",
    (x) => matmul(x, x, { transposeA: true, transposeB: true }),
    /^matmul: .*ᵀ times .*ᵀ/,
  ],
  ["matmul of a vector", (x, y) => matmul(x, y), /^matmul: .*two axes.*\[2, 3\] and \[4\]/],
  ["gather", (x) => gather(sum(x), x), /^gather: .*at least one axis.*scalar/],
  ["scatterAdd", (x, y) => scatterAdd(x, y, 3), /^scatterAdd: .*\[4\].*\[2, 3\]/],
  ["scatterAdd, rows", (x) => scatterAdd(x, x, -1), /^scatterAdd: .*number of rows.*-1/],
  ["convolution", (x) => convolution(x, x), /^convolution: .*four axes.*\[2, 3\]/],
  ["recurrence", (x, y) => recurrence(y, x, { axis: 0 }), /^recurrence: .*\[4\] and \[2, 3\]/],
  ["oneHot", (_, y) => oneHot(y, -1), /-1/],
  ["array", (x) => array(x, new Float64Array(5), [2, 3]), /^literal: .*6 numbers.*\[2, 3\].*5/],
  ["grad", (x) => grad((z: Tensor) => tanh(z))(x), /^grad: .*scalar.*\[2, 3\].*sum or mean/],
  ["jvp", (x, y) => jvp((z: Tensor) => tanh(z))(x, y), /^jvp: .*\[2, 3\].*\[4\]/],
  ["hvp", (x, y) => hvp((z: Tensor) => sum(z))(x, y), /^jvp: .*\[2, 3\].*\[4\]/],
  ["vjp", (x, y) => vjp((z: Tensor) => tanh(z))(x, y), /^vjp: .*\[2, 3\].*\[4\]/],
  [
    "vjp, fewer cotangents",
    (x) => vjp((z: Tensor): Tensor[] => [z, z])(x, [x]),
    /^vjp: .*\[2, 3\], \[2, 3\].*got \[2, 3\]$/,
  ],
  [
    "derivative of a function without value",
    (x) => jvp((): Tensor[] => [])(x, x),
    /^derivative: .*its value.*none/,
  ],
  [
    "derivative of nothing",
    (x) => grad(() => sum(x))([] as Tensor[]),
    /^derivative: .*at least one tensor.*none/,
  ],
];

let other: Tensor | undefined;
/** A tensor of another trace than the one that is being made. */
function kept(): Tensor {
  return other as Tensor;
}

test.each(misuses)("%s", (_, misuse, message) => {
  trace((x: Tensor) => {
    other = x;
    return x;
  }, []);
  let caught: unknown;
  try {
    trace(
      (x: Tensor, y: Tensor) => {
        misuse(x, y);
        return x;
      },
      [2, 3],
      [4],
    );
  } catch (error) {
    caught = error;
  }
  expect(caught, "a misuse that was not noticed").toBeDefined();
  expect((caught as Error).message).toMatch(message);
  expect(isMisuse(caught), String(caught)).toBe(true);
});

const compiled: readonly (readonly [string, () => unknown, RegExp])[] = [
  ["a value that is no tensor", () => trace((() => 3) as unknown as () => Tensor), /tensors.*3/],
  ["a tensor kept from another trace", () => trace((_: Tensor) => kept(), [2]), /^trace: .*another trace/],
  ["a shape that is no shape", () => trace((x: Tensor) => x, [-1]), /^input x0: .*≥ 0.*\[-1\]/],
  ["a number in place of a shape", () => trace((x: Tensor) => x, 3 as never), /^trace: .*shapes.*3/],
  ["too few numbers", () => compile((x: Tensor) => x, [[3]])([1, 2]), /argument 0.*\[3\].*got 2/],
  ["no numbers", () => compile((x: Tensor) => x, [[3]])(), /numbers for argument 0.*undefined/],
  [
    "a leaf that is missing",
    () => compile((x: { a: Tensor }) => x.a, [{ a: [] }])({}),
    /numbers for argument 0\.a/,
  ],
  [
    "an input of another size",
    () => compile((x: Tensor) => x, [[3]]).run([new Float64Array(4)], [new Float64Array(3)]),
    /^run, inputs: .*3 entries.*4/,
  ],
  [
    "an output of another size",
    () => compile((x: Tensor) => x, [[3]]).run([new Float64Array(3)], []),
    /^run, outputs: .*3 entries.*undefined/,
  ],
];

test.each(compiled)("%s", (_, misuse, message) => {
  expect(misuse).toThrow(message);
});

const examples = (count: number, shape: number[] = []) => ({
  data: new Float64Array(count),
  shape,
});
const loss = ({ a }: Record<string, Tensor>): Tensor => sum(a);
const objective = new Objective({ parameters: { a: [2] }, loss });
/** A loss over these arrays that is well written. */
const over = <E extends ExampleArrays>(arrays: E) => ({
  parameters: { a: [2] },
  examples: arrays,
  outputs: ({ a }: { a: Tensor }, { x }: { x: Tensor }) => multiply(x, sum(a)),
  criterion: (outputs: Tensor) => outputs,
});

const objectives: readonly (readonly [string, () => unknown, RegExp])[] = [
  ["weights", () => objective.setWeights(new Float64Array(3)), /^setWeights: .*2 weights.*3/],
  ["vectors", () => objective.hvp(new Float64Array(3), new Float64Array(4), 2), /^hvp: .*4 .*3/],
  [
    "rows",
    () => objective.thirdDerivatives(new Float64Array(4), 2, new Float64Array(4)),
    /^thirdDerivatives: .*6 .*4/,
  ],
  [
    "room for both",
    () => objective.joint(new Float64Array(4), 2, new Float64Array(4), new Float64Array(5)),
    /^joint: .*6 .*5/,
  ],
  [
    "examples of different number",
    () => new Objective(over({ x: examples(2), y: examples(3) })),
    /^examples: .*2, 3/,
  ],
  [
    "broken examples",
    () => new Objective(over({ x: examples(5, [2]) })),
    /^examples\.x: .*whole example.*\[2\].*5 numbers/,
  ],
  ["a chunk", () => new Objective(over({ x: examples(2) }), { chunk: 0 }), /^chunk: .*≥ 1.*0/],
  ["a vector loss", () => new Objective({ parameters: { a: [2] }, loss: ({ a }) => a }), /scalar.*\[2\]/],
];

test.each(objectives)("objective: %s", (_, misuse, message) => {
  expect(misuse).toThrow(message);
});
