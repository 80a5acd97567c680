import { expect, test } from "vitest";
import {
  add,
  compile,
  exp,
  type Graph,
  type Instruction,
  matmul,
  type Plan,
  sum,
  type Tensor,
  tanh,
  trace,
  transpose,
  verifyGraph,
  verifyPlan,
} from "../../../src/autodiff/index.ts";

const { graph, plan } = compile(
  (x: Tensor, w: Tensor) => sum(add(exp(matmul(tanh(x), transpose(w))), matmul(x, transpose(w)))),
  [
    [4, 3],
    [2, 3],
  ],
);
const places = [
  { region: 0, offset: 0 },
  { region: 0, offset: 12 },
];
const [instructions] = plan.segments;
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
  verifyPlan(plan, places);
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
  expect(() => verifyPlan(make(), places)).toThrow(message);
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
