import type { Call } from "../../../wasm/index.ts";
import type { PrimitiveName } from "../../graph/graph.ts";
import { type Group, isGroup } from "../../plan/fuse.ts";
import type { Instruction, Placed } from "../../plan/plan.ts";
import { lowerConvolution } from "./convolution.ts";
import { lowerElementwise } from "./elementwise.ts";
import { type ElementwiseName, isElementwise } from "./elementwise-ops.ts";
import { lowerGroup } from "./group.ts";
import { lowerGather, lowerScatterAdd } from "./indexing.ts";
import { lowerMatmul } from "./matmul.ts";
import { lowerConcatenate, lowerPad, lowerView } from "./movement.ts";
import { lowerRecurrence } from "./recurrence.ts";
import { lowerReduction } from "./reduction.ts";

/** One entry per primitive: one without a kernel does not type-check. */
type Lowerings = {
  readonly [K in Exclude<PrimitiveName, ElementwiseName>]: (instruction: Instruction<K>) => readonly Call[];
};

const layouts = (instruction: { readonly operands: readonly Placed[] }) =>
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
  convolution: (instruction) => lowerConvolution(instruction.params, layouts(instruction), instruction.shape),
  recurrence: (instruction) => lowerRecurrence(instruction.params, instruction.shape),
  gather: (instruction) => lowerGather(layouts(instruction)),
  scatterAdd: (instruction) => lowerScatterAdd(instruction.params, layouts(instruction), instruction.shape),
  matmul: (instruction) => lowerMatmul(instruction.params, layouts(instruction), instruction.shape),
};

function renaming<K extends "reshape" | "transpose" | "broadcast" | "slice">(
  op: K,
  instruction: Instruction<K>,
): readonly Call[] {
  return lowerView(op, instruction.params, layouts(instruction)[0], instruction.shape);
}

/** The kernel calls, in order, that an instruction or a group of them becomes: plain data but for the writer of the code. */
export function callsOf(item: Instruction | Group): readonly Call[] {
  if (isGroup(item)) return lowerGroup(item);
  const { op, shape } = item;
  if (isElementwise(op)) return lowerElementwise(op, layouts(item), shape);
  return (LOWERINGS[op] as (instruction: Instruction) => readonly Call[])(item);
}
