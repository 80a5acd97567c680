/** The elementwise operations by name, two doubles at a time: what an expression of them is written from. */
import type { Caller, Code, ModuleWriter } from "../emit/assembler.ts";
import { f64x2, v128 } from "../emit/instructions.ts";
import { type Block, c, choose } from "./block.ts";
import { erf } from "./erf.ts";
import { erfc } from "./erfc.ts";
import { exp, sechSquared, sigmoid, tanh } from "./exponential.ts";
import { log, softplus } from "./logarithm.ts";
import { pow } from "./power.ts";
import { wave } from "./sine.ts";

/** The functions of base that a module may import, for arguments that its own code does not reduce. */
export interface Imports {
  readonly sin: Caller;
  readonly cos: Caller;
}

/** How one operation is written. */
export interface ElementwiseOp {
  /** The value of the operation on the values of its operands; statements that it needs go into the block. */
  readonly write: (block: Block, operands: readonly Code[], imports: Imports) => Code;
  /** Roughly how many instructions it is; short loops are unrolled. */
  readonly length: number;
  readonly imports?: true;
}

const short = (write: (...operands: Code[]) => Code): ElementwiseOp => ({
  write: (block, operands) => block.keep(write(...operands)),
  length: 1,
});

const long = (write: (block: Block, ...operands: Code[]) => Code): ElementwiseOp => ({
  write: (block, operands) => write(block, ...(operands as [Code])),
  length: 50,
});

const compared = (mask: (a: Code, b: Code) => Code): ElementwiseOp =>
  short((a, b) => v128.and(mask(a, b), c(1)));

/** Every operation, with the bits of its definition on numbers. */
export const ELEMENTWISE = {
  negate: short(f64x2.negate),
  exp: long(exp),
  log: long(log),
  sin: {
    write: (block, [x], { sin }) => wave(block, x, 0, sin),
    length: 50,
    imports: true,
  },
  cos: {
    write: (block, [x], { cos }) => wave(block, x, 1, cos),
    length: 50,
    imports: true,
  },
  tanh: long(tanh),
  sechSquared: long(sechSquared),
  erf: long(erf),
  erfc: long(erfc),
  sqrt: short(f64x2.squareRoot),
  sigmoid: long(sigmoid),
  softplus: long(softplus),
  absolute: short(f64x2.absolute),
  sign: short((x) => choose(f64x2.greater(x, c(0)), c(1), choose(f64x2.less(x, c(0)), c(-1), x))),
  stopGradient: short((x) => x),
  add: short(f64x2.add),
  subtract: short(f64x2.subtract),
  multiply: short(f64x2.multiply),
  divide: short(f64x2.divide),
  power: long(pow as (block: Block, ...operands: Code[]) => Code),
  less: compared(f64x2.less),
  lessEqual: compared(f64x2.lessEqual),
  equal: compared(f64x2.equal),
  select: short((condition, a, b) => choose(f64x2.notEqual(condition, c(0)), a, b)),
} satisfies Record<string, ElementwiseOp>;

/** The names of the operations. */
export type ElementwiseName = keyof typeof ELEMENTWISE;

/** Whether an operation of this name is elementwise. */
export const isElementwise = (op: string): op is ElementwiseName => Object.hasOwn(ELEMENTWISE, op);

/** Declares the imports that some of these operations need. */
export function declareImports(module: ModuleWriter, ops: readonly ElementwiseName[]): Imports {
  const needed = ops.some((op) => "imports" in ELEMENTWISE[op]);
  const declare = (name: string): Caller =>
    needed ? module.importFunction(name, ["f64"], ["f64"]) : () => [];
  return { sin: declare("sin"), cos: declare("cos") };
}
