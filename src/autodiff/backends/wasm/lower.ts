/** From instructions and groups of them to kernel calls. */
import { type Arithmetic, type Call, type ElementwiseName, isElementwise } from "../../../wasm/index.ts";
import type { PrimitiveName } from "../../graph/graph.ts";
import { stridesOf } from "../../graph/shape.ts";
import { type Group, type Instruction, type Item, isGroup, type StridedView } from "../../plan/plan.ts";
import { lowerConvolution } from "./convolution.ts";
import { elementwiseCall, lowerElementwise, type Step } from "./elementwise.ts";
import { fusedReductionCall } from "./fused-reduction.ts";
import { lowerGather, lowerScatterAdd } from "./indexing.ts";
import { lowerMatmul } from "./matmul.ts";
import { lowerConcatenate, lowerPad, lowerView } from "./movement.ts";
import { lowerRecurrence } from "./recurrence.ts";
import { lowerReduction } from "./reduction.ts";

/** One entry per primitive: one without a kernel does not type-check. */
type Lowerings = {
  readonly [K in Exclude<PrimitiveName, ElementwiseName>]: (
    instruction: Instruction<K>,
    arithmetic: Arithmetic,
  ) => readonly Call[];
};

const layouts = (instruction: { readonly operands: readonly StridedView[] }) =>
  instruction.operands.map((operand) => operand.layout);

const LOWERINGS: Lowerings = {
  reshape: (instruction) => renaming("reshape", instruction),
  transpose: (instruction) => renaming("transpose", instruction),
  broadcast: (instruction) => renaming("broadcast", instruction),
  slice: (instruction) => renaming("slice", instruction),
  pad: (instruction) => lowerPad(instruction.params, layouts(instruction)[0], instruction.shape),
  concatenate: (instruction) => lowerConcatenate(instruction.params, layouts(instruction), instruction.shape),
  sum: (instruction) => lowerReduction("sum", instruction.params.axes, layouts(instruction)[0]),
  max: (instruction) => lowerReduction("max", instruction.params.axes, layouts(instruction)[0]),
  convolution: (instruction, arithmetic) =>
    lowerConvolution(instruction.params, layouts(instruction), instruction.shape, arithmetic),
  recurrence: (instruction) => lowerRecurrence(instruction.params, instruction.shape),
  gather: (instruction) => lowerGather(layouts(instruction)),
  scatterAdd: (instruction) => lowerScatterAdd(instruction.params, layouts(instruction), instruction.shape),
  matmul: (instruction, arithmetic) =>
    lowerMatmul(instruction.params, layouts(instruction), instruction.shape, arithmetic),
};

function renaming<K extends "reshape" | "transpose" | "broadcast" | "slice">(
  op: K,
  instruction: Instruction<K>,
): readonly Call[] {
  return lowerView(op, instruction.params, layouts(instruction)[0], instruction.shape);
}

/**
 * The kernel calls, in order, that an instruction or a group of them becomes: plain data but for the writer of the code.
 * @param arithmetic how products and convolutions add products up; everything else has one definition
 */
export function callsOf(item: Item, arithmetic: Arithmetic): readonly Call[] {
  if (isGroup(item)) return lowerGroup(item);
  const { op, shape } = item;
  if (isElementwise(op)) return lowerElementwise(op, layouts(item), shape);
  const lower = LOWERINGS[op] as (instruction: Instruction, arithmetic: Arithmetic) => readonly Call[];
  return lower(item, arithmetic);
}

function lowerGroup({ shape, inputs, steps, outputs }: Group): Call[] {
  const whole = outputs.filter(({ axes }) => !axes);
  const sums = outputs.slice(whole.length);
  const expression = {
    inputs: inputs.length,
    steps: steps.map(({ op, operands }) => ({ op, operands }) as Step),
    outputs: whole.map(({ value }) => value),
  };
  const strides = [...whole.map(() => stridesOf(shape)), ...inputs.map(({ layout }) => layout.strides)];
  const at = (count: number, start: number): Call["arrays"] =>
    Array.from({ length: count }, (_, i) => ({ at: start + i, offset: 0 }));
  const arrays = [...at(whole.length, 0), ...at(inputs.length, outputs.length)];
  const [first] = sums;
  if (!first?.axes) return elementwiseCall(expression, shape, strides, arrays);
  return fusedReductionCall(
    expression,
    { shape, axes: first.axes, values: sums.map(({ value }) => value) },
    strides,
    [...arrays, ...at(sums.length, whole.length)],
  );
}
