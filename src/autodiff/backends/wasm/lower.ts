import type { PrimitiveName } from "../../graph.ts";
import type { Instruction, Placed } from "../../plan/plan.ts";
import type { Lowered } from "./call.ts";
import { lowerConvolution } from "./convolution.ts";
import { lowerElementwise } from "./elementwise.ts";
import { isElementwise } from "./elementwise-ops.ts";
import { lowerMatmul } from "./matmul.ts";
import { lowerConcatenate, lowerPad, lowerView } from "./movement.ts";
import { lowerRecurrence } from "./recurrence.ts";
import { lowerReduction } from "./reduction.ts";

type Lowerings = {
  readonly [K in PrimitiveName]?: (instruction: Instruction<K>) => Lowered | undefined;
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
  matmul: (instruction) => lowerMatmul(instruction.params, layouts(instruction), instruction.shape),
};

function renaming<K extends "reshape" | "transpose" | "broadcast" | "slice">(
  op: K,
  instruction: Instruction<K>,
): Lowered {
  return lowerView(op, instruction.params, layouts(instruction)[0], instruction.shape);
}

/** The calls that an instruction becomes, or undefined for the js backend's kernel. */
export function lowerInstruction(instruction: Instruction): Lowered | undefined {
  const { op, shape } = instruction;
  if (isElementwise(op)) return lowerElementwise(op, layouts(instruction), shape);
  const lowering = LOWERINGS[op] as ((instruction: Instruction) => Lowered | undefined) | undefined;
  return lowering?.(instruction);
}
