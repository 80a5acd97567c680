import { describe, expect, test } from "vitest";
import {
  add,
  array,
  broadcastTo,
  concatenate,
  divide,
  type ExampleLoss,
  full,
  gather,
  logSumExp,
  matmul,
  max,
  mean,
  multiply,
  Objective,
  recurrence,
  reshape,
  scatterAdd,
  select,
  slice,
  sqrt,
  square,
  stack,
  subtract,
  sum,
  type Tensor,
  take,
  tanh,
  transpose,
} from "../../../src/autodiff/index.ts";
import { isMisuse } from "../../../src/base/index.ts";
import {
  type ArchitectureName,
  type ArchitectureOptions,
  type createModel,
  modelNamed,
} from "../../../src/models/index.ts";

const N = 7;
const F = 4;
const examples = {
  x: { data: Float64Array.from({ length: N * F }, (_, i) => Math.sin(i)), shape: [F] },
  y: { data: Float64Array.from({ length: N }, (_, i) => i % 2), shape: [] },
} as const;

type Given = ExampleLoss<{ w: number[] }, typeof examples>;
type Parts = Partial<Pick<Given, "outputs" | "criterion" | "rowWeights">>;

/** A loss over four features that is well written, but for what is given. */
const lossWith = (parts: Parts): Given => ({
  parameters: { w: [F, 1] },
  examples,
  outputs: ({ w }, { x }) => reshape(matmul(x, w), [-1]),
  criterion: (outputs, { y }) => square(subtract(outputs, y)),
  ...parts,
});

function refusal(construct: () => unknown): string {
  try {
    construct();
  } catch (error) {
    expect(isMisuse(error), String(error)).toBe(true);
    return (error as Error).message;
  }
  return "";
}

/** Subtracts the mean of each feature over the examples: a batch norm without its scale. */
const centred = (x: Tensor): Tensor => subtract(x, mean(x, { axes: [0], keepAxes: true }));

describe("rows that depend on other examples are refused, with what mixes them", () => {
  test.each<[string, Parts, RegExp]>([
    [
      "a mean of rows",
      { criterion: (f, { y }) => mean(square(subtract(f, y))) },
      /^criterion: .*one value per row.*a scalar.*1\/N/,
    ],
    ["a sum of rows", { criterion: (f) => sum(f) }, /^criterion: .*a scalar/],
    ["a number", { criterion: () => 3 as unknown as Tensor }, /^criterion: .*a tensor.*number/],
    ["outputs without rows", { outputs: ({ w }) => w }, /^outputs: .*one row per example.*\[4, 1\]/],
    [
      "a batch norm",
      {
        outputs: ({ w }, { x }) =>
          reshape(
            matmul(
              divide(centred(x), sqrt(add(mean(square(centred(x)), { axes: [0], keepAxes: true }), 1e-5))),
              w,
            ),
            [-1],
          ),
      },
      /^outputs: .*a sum that mixes.*batch norm/,
    ],
    [
      "columns against rows",
      { criterion: (f, { y }) => sum(square(subtract(reshape(f, [-1, 1]), y)), { axes: [1] }) },
      /^criterion: .*a subtract that mixes/,
    ],
    ["a largest row", { criterion: (f) => subtract(f, max(f)) }, /^criterion: .*a max that mixes/],
    [
      "a softmax over examples",
      { criterion: (f) => subtract(f, logSumExp(f, 0)) },
      /^criterion: .*a (max|sum) that mixes/,
    ],
    [
      "a product of examples",
      { outputs: (_, { x }) => matmul(x, x, { transposeB: true }) },
      /^outputs: .*(a matmul that mixes|shape)/,
    ],
    [
      "a running sum",
      { criterion: (f) => recurrence(full(f, 1, f.shape), f, { axis: 0 }) },
      /^criterion: .*a recurrence that mixes/,
    ],
    ["a table of examples", { criterion: (f, { y }) => gather(f, y) }, /^criterion: .*a gather that mixes/],
    [
      "a histogram",
      { criterion: (f, { y }) => reshape(gather(scatterAdd(f, y, 2), y), y.shape) },
      /^criterion: .*a scatterAdd that mixes/,
    ],
    [
      "rows in another order",
      { criterion: (f) => concatenate([slice(f, [1], [f.shape[0] - 1]), slice(f, [0], [1])]) },
      /^criterion: .*rows in another order/,
    ],
    ["transposed outputs", { outputs: (_, { x }) => transpose(x) }, /^outputs: /],
    [
      "the number of examples",
      { criterion: (f) => multiply(f, 1 / f.shape[0]) },
      /^criterion: .*how many examples/,
    ],
    [
      "an array of the first examples",
      { criterion: (f) => subtract(f, array(f, examples.y.data.slice(0, f.shape[0]), f.shape)) },
      /^loss definition: .*arrays of numbers.*examples/,
    ],
    [
      "targets of all examples at once",
      { criterion: (f) => subtract(f, array(f, examples.y.data, [N])) },
      /^subtract: .*broadcast.*tried with 3 examples.*any number/,
    ],
    ["weights of another number", { rowWeights: new Float64Array(N + 1) }, /^rowWeights: .*7 numbers.*8/],
    ["weights that are all 0", { rowWeights: new Float64Array(N) }, /^rowWeights: .*not 0/],
    [
      "a weight that is none",
      { rowWeights: new Float64Array(N).fill(Number.NaN) },
      /^rowWeights: .*NaN at position 0/,
    ],
  ])("%s", (_, parts, message) => {
    expect(refusal(() => new Objective(lossWith(parts)))).toMatch(message);
  });

  test("a loss in place of outputs and criterion is told what to write", () => {
    const old = { parameters: { w: [1] }, examples, loss: ({ w }: { w: Tensor }) => sum(w) };
    const message = refusal(() => new Objective(old as never));
    expect(message).toMatch(/^loss definition: .*outputs: \(w, x\) => .*criterion: .*one value per row/);
    expect(refusal(() => new Objective({ parameters: { w: [1] } } as never))).toMatch(/none of them/);
    expect(refusal(() => new Objective(null as never))).toMatch(/^loss definition: .*a record.*null/);
    expect(refusal(() => new Objective({ parameters: { w: [1] }, loss: () => 3 } as never))).toMatch(
      /^loss: .*a tensor.*number/,
    );
    for (const x of [{ data: [1, 2], shape: [] }, { data: new Float64Array(2) }])
      expect(refusal(() => new Objective({ ...lossWith({}), examples: { x } } as never))).toMatch(
        /^examples\.x: .*Float64Array.*shape: \[\] for one number/,
      );
    expect(refusal(() => new Objective({ ...lossWith({}), examples: {} } as never))).toMatch(
      /^examples: .*one array/,
    );
  });
});

describe("rows that depend on their own example alone are taken", () => {
  test.each<[string, Parts]>([
    ["several rows an example", { outputs: (_, { x }) => x, criterion: (f) => square(f) }],
    ["a softmax over the features", { outputs: (_, { x }) => x, criterion: (f) => logSumExp(f) }],
    [
      "a state that starts from zeros in as many rows",
      {
        outputs: ({ w }, { x }) =>
          add(reshape(matmul(x, w), [-1]), array(x, new Float64Array(x.shape[0]), [x.shape[0]])),
      },
    ],
    [
      "row by row, in a loop",
      {
        outputs: ({ w }, { x }) =>
          stack(Array.from({ length: x.shape[0] }, (_, i) => sum(multiply(take(x, 0, i), reshape(w, [F]))))),
      },
    ],
    [
      "attention within an example",
      {
        outputs: (_, { x }) => {
          const tokens = reshape(x, [-1, 2, 2]);
          return reshape(matmul(tanh(matmul(tokens, tokens, { transposeB: true })), tokens), x.shape);
        },
        criterion: (f) => sum(f, { axes: [1] }),
      },
    ],
    ["a choice by the label", { criterion: (f, { y }) => select(y, f, square(f)) }],
    [
      "weights repeated for every example",
      {
        outputs: ({ w }, { x }) => multiply(x, broadcastTo(reshape(w, [F]), x.shape)),
        criterion: (f) => sum(f, { axes: [1] }),
      },
    ],
  ])("%s", (_, parts) => {
    const objective = new Objective(lossWith(parts), { chunk: 3 });
    objective.setWeights(Float64Array.of(1, 2, 3, 4));
    expect(Number.isFinite(objective.loss())).toBe(true);
  });
});

test("row by row, in a loop that divides by the number of rows: refused by its values", () => {
  const looped = lossWith({
    outputs: ({ w }, { x }) =>
      stack(
        Array.from({ length: x.shape[0] }, (_, i) =>
          sum(multiply(take(x, 0, i), multiply(reshape(w, [F]), 1 / x.shape[0]))),
        ),
      ),
  });
  expect(refusal(() => new Objective(looped))).toMatch(/^criterion: .*how many examples/);
});

/** True where two types are the same. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;
/** Compiles where the type is true. */
const holds = <T extends true>(claim: T): T => claim;

test("the functions of a loss know the names of its parameters and arrays, and those alone", () => {
  new Objective({
    parameters: { w: [2], b: [] },
    loss(parameters) {
      holds<Same<keyof typeof parameters, "w" | "b">>(true);
      return sum(parameters.w);
    },
  });
  const objective = new Objective({
    parameters: { w: [F, 1] },
    examples,
    outputs(parameters, arrays) {
      holds<Same<keyof typeof parameters, "w">>(true);
      holds<Same<keyof typeof arrays, "x" | "y">>(true);
      return reshape(matmul(arrays.x, parameters.w), [-1]);
    },
    criterion(outputs, arrays) {
      holds<Same<keyof typeof arrays, "x" | "y">>(true);
      return subtract(outputs, arrays.y);
    },
  });
  holds<Same<keyof typeof objective.parameters, "w">>(true);
  // What compiles only by force is refused when it runs.
  const misspelt = { parameters: { w: [2] }, loss: ({ v }: { v: Tensor }) => sum(v) };
  expect(refusal(() => new Objective(misspelt as never))).toMatch(/^sum: .*a tensor.*undefined/);
});

test("architectures and their options are known by name", () => {
  holds<Same<Parameters<typeof createModel>[0], ArchitectureName>>(true);
  holds<Same<"mpl" extends ArchitectureName ? true : false, false>>(true);
  holds<Same<keyof ArchitectureOptions["mlp"], "width" | "activation" | "depth">>(true);
  holds<Same<keyof ConstructorParameters<typeof Objective>[1] & "chunks", never>>(true);
  const shape = { inputShape: [3], outputDim: 2 };
  expect(refusal(() => modelNamed("mpl", shape))).toMatch(/^arch: .*mpl/);
  expect(refusal(() => modelNamed("mlp", shape, { widht: 4 }))).toMatch(/widht/);
});
