import { expect, test } from "vitest";
import {
  add,
  compile,
  exp,
  type Graph,
  type Instruction,
  matmul,
  multiply,
  type Plan,
  printPlan,
  sum,
  type Tensor,
  tanh,
  trace,
  transpose,
  verifyGraph,
  verifyPlan,
} from "../../../src/autodiff/index.ts";
import { type Group, type Item, isGroup } from "../../../src/autodiff/plan/plan.ts";
import { wasm } from "../backends/bits.ts";

const { graph, plan } = compile(
  (x: Tensor, w: Tensor) => sum(add(exp(matmul(tanh(x), transpose(w))), matmul(x, transpose(w)))),
  [
    [4, 3],
    [2, 3],
  ],
);
const instructions = plan.segments[0].filter((item): item is Instruction => !isGroup(item));
const indexOf = (op: string): number => instructions.findIndex((instruction) => instruction.op === op);

/** The plan with one instruction changed. */
function broken(op: string, change: (instruction: Instruction) => Partial<Instruction>): Plan {
  const at = indexOf(op);
  return {
    ...plan,
    segments: [
      instructions.map((instruction, i) =>
        i === at ? ({ ...instruction, ...change(instruction) } as Instruction) : instruction,
      ),
    ],
  };
}

test("a plan that was made is accepted", () => {
  expect(() => verifyPlan(plan)).not.toThrow();
  expect(graph.outputs.length).toBe(1);
});

const plans: readonly (readonly [string, () => Plan, RegExp])[] = [
  [
    "an operand read elsewhere",
    () => broken("sum", ({ operands: [x] }) => ({ operands: [{ ...x, offset: x.offset + 1 }] })),
    /operand 0 of %\d+ to hold %\d+, got/,
  ],
  [
    "an instruction before what it reads",
    () => ({ ...plan, segments: [[...instructions].reverse()] }),
    /to hold %\d+, got nothing/,
  ],
  [
    "a value overwritten while it is needed",
    () => broken("exp", () => ({ result: { region: 0, offset: 0 } })),
    /to hold %\d+, got %\d+/,
  ],
  [
    "a product that overwrites its operand",
    () => broken("matmul", ({ operands: [a] }) => ({ result: { region: a.region, offset: a.offset } })),
    /the result of %\d+ \(matmul\) beside operand 0, got an overlap/,
  ],
  [
    "a product of a strided operand",
    () =>
      broken("matmul", ({ operands: [a, b] }) => ({
        operands: [{ ...a, layout: { ...a.layout, strides: [1, 4] } }, b],
      })),
    /operand 0 of %\d+ \(matmul\) to be contiguous/,
  ],
  [
    "a result outside its region",
    () => broken("sum", ({ result }) => ({ result: { ...result, offset: 1 } })),
    /results inside their region/,
  ],
];

test.each(plans)("verifyPlan refuses %s", (_, make, message) => {
  expect(() => verifyPlan(make())).toThrow(message);
});

/** x·eˣ and its square, whose sum is fused; eˣ alone is stored by nobody. */
const fused = compile(
  (x: Tensor) => {
    const y = multiply(x, exp(x));
    return [y, sum(multiply(y, y), { axes: [1] })];
  },
  [[3, 20]],
  { backend: wasm },
).plan;
const group = fused.segments[0].find(isGroup) as Group;

/** The fused plan with its group changed, and perhaps more after it. */
const regrouped = (change: Partial<Group>, ...after: readonly Item[]): Plan => ({
  ...fused,
  segments: [
    [...fused.segments[0].map((item) => (item === group ? { ...group, ...change } : item)), ...after],
  ],
});
const [stored, total] = group.outputs;

test("a fused plan is accepted and printed with its group", () => {
  expect(() => verifyPlan(fused)).not.toThrow();
  expect(printPlan(fused)).toBe(
    [
      "regions: 60, 63, 60, 0 entries",
      "segment 0: 4 instructions, 0 products, 240 flops",
      "  fused over [3, 20]: v0 = r0+0",
      "    v1 = exp(v0)  %1",
      "    v2 = multiply(v0, v1)  %2",
      "    v3 = multiply(v2, v2)  %3",
      "    r1+0 = v2  %2",
      "    r1+60 = sum(v3, axes 1)  %4",
    ].join("\n"),
  );
});

const groups: readonly (readonly [string, () => Plan, RegExp])[] = [
  [
    "an input elsewhere",
    () => regrouped({ inputs: [{ ...group.inputs[0], offset: 1 }] }),
    /to hold %0, got nothing/,
  ],
  [
    "a step that uses a later value",
    () => regrouped({ steps: group.steps.map((step) => ({ ...step, operands: [3, 3] })) }),
    /values of %1 before it in its group/,
  ],
  [
    "a step that is not elementwise",
    () => regrouped({ steps: group.steps.map((step) => ({ ...step, op: "sum" as const })) }),
    /elementwise steps in a group, got %1 \(sum\)/,
  ],
  [
    "a value it does not have",
    () => regrouped({ outputs: [{ ...stored, value: 4 }] }),
    /a value of its group for %2/,
  ],
  [
    "a sum over what is still to be read",
    () => regrouped({ outputs: [stored, { ...total, result: { region: 0, offset: 5 } }] }),
    /the result %4 of a group beside input 0, got an overlap/,
  ],
  [
    "a result that is not the same entries as the input below it",
    () => regrouped({ outputs: [{ ...stored, result: { region: 0, offset: 1 } }] }),
    /the result %2 of a group beside input 0, got an overlap/,
  ],
  [
    "two results in one place",
    () => regrouped({ outputs: [stored, { ...total, result: { region: 1, offset: 59 } }] }),
    /the results %2 and %4 of a group apart, got an overlap/,
  ],
  [
    "a result outside its region",
    () => regrouped({ outputs: [stored, { ...total, result: { region: 1, offset: 61 } }] }),
    /results inside their region/,
  ],
  [
    "a reader of what a group does not store",
    () => {
      const { outputs, shape, inputs } = group;
      const operand = { ...inputs[0], ...outputs[0].result };
      const common = { node: 9, params: {}, shape, cost: { flops: 0, products: 0 } };
      return regrouped(
        {},
        {
          ...common,
          op: "exp",
          operands: [operand],
          owners: [1],
          result: { region: 0, offset: 0 },
        },
      );
    },
    /operand 0 of %9 to hold %1, got %2/,
  ],
];

test.each(groups)("verifyPlan refuses a group with %s", (_, make, message) => {
  expect(() => verifyPlan(make())).toThrow(message);
});

const small = trace((x: Tensor) => sum(tanh(x)), [3]).graph;
const changed = (id: number, change: object): Graph => ({
  ...small,
  nodes: small.nodes.map((node, i) => (i === id ? ({ ...node, ...change } as typeof node) : node)),
});

const graphs: readonly (readonly [string, Graph, RegExp])[] = [
  ["an operand that comes later", changed(1, { operands: [2] }), /operand %2 not before it at %1/],
  ["an operand that is the node itself", changed(1, { operands: [1] }), /operand %1 not before it at %1/],
  [
    "a shape that its rule does not give",
    changed(2, { shape: [1] }),
    /shape \[1\] where its rule gives scalar at %2/,
  ],
  ["a source with operands", changed(0, { operands: [0] }), /at %0/],
  ["an input that is no input node", { ...small, inputs: [1] }, /an input that is no input node at %1/],
  ["an input named twice", { ...small, inputs: [0, 0] }, /an input named twice/],
  ["an output that is missing", { ...small, outputs: [7] }, /a missing output at %7/],
];

test.each(graphs)("verifyGraph refuses %s", (_, bad, message) => {
  expect(() => verifyGraph(bad)).toThrow(message);
});
