import { type Shape, sameShape, sizeOf, stridesOf } from "../graph/shape.ts";
import { coalesce } from "../primitives/loops.ts";
import { RULES } from "../primitives/registry.ts";
import { isContiguous } from "../primitives/rule.ts";
import { closingSplit } from "./closing.ts";
import type { Instruction, Location, Placed, Plan } from "./plan.ts";

/** One operation of a group; operands are numbers of values: first the group's inputs, then its steps in order. */
export interface GroupStep {
  readonly op: Instruction["op"];
  readonly operands: readonly number[];
}

/** What a group stores: a value, or its sum over axes. */
export interface GroupOutput {
  readonly value: number;
  readonly result: Location;
  readonly axes?: readonly number[];
}

/**
 * Elementwise instructions that follow one another, over one shape, to be done entry by entry in one pass, and sums of
 * their results over the same axes: what only the group itself reads is never stored. Measured on the wasm backend: gradient, Hv and third derivatives of mlp,
 * transformer and a state-space network take 4 to 16 % less time.
 */
export interface Group {
  readonly shape: Shape;
  readonly inputs: readonly Placed[];
  readonly steps: readonly GroupStep[];
  /** Whole values first, then sums. */
  readonly outputs: readonly GroupOutput[];
}

/** Arrays per group that are sure to be read or stored: each takes a register for its address. */
const MOST_ARRAYS = 12;
/** Steps per group: more would only lengthen the code. */
const MOST_STEPS = 24;
/** Axes of a group: a kernel's description of its loops has a fixed room. */
export const MOST_AXES = 4;
/** Sums per group: each takes registers. */
const MOST_SUMS = 2;
/** Innermost loops shorter than this cost more to enter than a pass over memory saves. */
const SHORT_RUN = 16;
/** Partial sums of a reduction: a run of entries of this multiple ends where it began, at the first of them. */
const LANES = 4;

/**
 * A segment with groups in place of elementwise instructions that can be done together. Values and their order of
 * evaluation per entry stay as they are. Cost: linear in the plan, for each segment.
 */
export function fuseSegment(plan: Plan, segment: number): (Instruction | Group)[] {
  const readers = readersOf(plan);
  const fused: (Instruction | Group)[] = [];
  let builder: GroupBuilder | undefined;
  for (const instruction of plan.segments[segment]) {
    if (builder?.accepts(instruction)) continue;
    if (builder) fused.push(...builder.finish());
    builder = undefined;
    const { op, shape } = instruction;
    if (RULES[op].access === "elementwise" && sizeOf(shape) > 0 && shape.length <= MOST_AXES) {
      builder = new GroupBuilder(shape, readers, new Set(plan.graph.outputs));
      builder.accepts(instruction);
    } else fused.push(instruction);
  }
  return builder ? [...fused, ...builder.finish()] : fused;
}

export const isGroup = (item: Instruction | Group): item is Group => "steps" in item;

/** What the addresses given to an item's kernel are those of, in order: outputs, then inputs. */
export function placesOf(item: Instruction | Group): readonly Location[] {
  return isGroup(item)
    ? [...item.outputs.map(({ result }) => result), ...item.inputs]
    : [item.result, ...item.operands];
}

/** Bytes that an item's kernel reads and writes: every entry of its operands and results once. */
export function bytesOf(item: Instruction | Group): number {
  const read = (isGroup(item) ? item.inputs : item.operands).reduce(
    (total, { layout: { shape, strides } }) =>
      total + shape.reduce((size, length, axis) => size * (strides[axis] === 0 ? 1 : length), 1),
    0,
  );
  const results = isGroup(item) ? item.outputs.length : 1;
  return 8 * (read + results * sizeOf(item.shape));
}

/** The instructions that read the buffer of each node. */
function readersOf(plan: Plan): ReadonlyMap<number, readonly Instruction[]> {
  const readers = new Map<number, Instruction[]>();
  for (const instruction of plan.segments.flat())
    for (const owner of new Set(instruction.owners)) {
      const list = readers.get(owner);
      if (list) list.push(instruction);
      else readers.set(owner, [instruction]);
    }
  return readers;
}

class GroupBuilder {
  private readonly shape: Shape;
  private readonly readers: ReadonlyMap<number, readonly Instruction[]>;
  private readonly graphOutputs: ReadonlySet<number>;
  private readonly members: Instruction[] = [];
  /** For each member's operands, an input (position) or an earlier member. */
  private readonly sources: { readonly input?: number; readonly member?: number }[][] = [];
  private readonly inputs: Placed[] = [];
  private readonly sums: { readonly member: number; readonly instruction: Instruction<"sum"> }[] = [];

  constructor(
    shape: Shape,
    readers: ReadonlyMap<number, readonly Instruction[]>,
    graphOutputs: ReadonlySet<number>,
  ) {
    this.shape = shape;
    this.readers = readers;
    this.graphOutputs = graphOutputs;
  }

  /** Adds an instruction if it fits; false leaves the group as it was. */
  accepts(instruction: Instruction): boolean {
    const { op, shape, operands, owners, result } = instruction;
    if (op === "sum") return this.acceptsSum(instruction as Instruction<"sum">);
    if (RULES[op].access !== "elementwise" || !sameShape(shape, this.shape)) return false;
    if (this.members.length === MOST_STEPS || this.sums.length > 0) return false;
    const inputs = [...this.inputs];
    const sources: { readonly input?: number; readonly member?: number }[] = [];
    for (let i = 0; i < operands.length; i++) {
      const member = this.members.findIndex(({ node }) => node === owners[i]);
      if (member >= 0) {
        if (!this.isWhole(operands[i], this.members[member].result)) return false;
        sources.push({ member });
        continue;
      }
      const known = inputs.findIndex((input) => samePlace(input, operands[i]));
      sources.push({ input: known >= 0 ? known : inputs.push(operands[i]) - 1 });
    }
    const related =
      this.members.length === 0 ||
      sources.some(({ member, input }) => member !== undefined || (input as number) < this.inputs.length);
    const stored = [...this.members, instruction].filter(({ node }) => this.isSurelyStored(node));
    const arrays = inputs.length + stored.length;
    if (!related || arrays > MOST_ARRAYS || inputs.some((input) => this.clashes(result, input))) return false;
    if (this.breaksRuns(inputs, operands)) return false;
    this.inputs.splice(0, this.inputs.length, ...inputs);
    this.members.push(instruction);
    this.sources.push(sources);
    return true;
  }

  /** A sum of a member, over the same axes as those before it, whose partial sums come in the order of computation. */
  private acceptsSum(instruction: Instruction<"sum">): boolean {
    const { params, operands, owners, result, shape } = instruction;
    const member = this.members.findIndex(({ node }) => node === owners[0]);
    const split = closingSplit(this.shape, params.axes);
    if (member < 0 || !split || !this.isWhole(operands[0], this.members[member].result)) return false;
    const [first] = this.sums;
    const alike = !first || String(first.instruction.params.axes) === String(params.axes);
    const arrays = this.inputs.length + this.members.length + this.sums.length + 1;
    if (!alike || this.sums.length === MOST_SUMS || arrays > MOST_ARRAYS) return false;
    if (this.inputs.some((input) => overlap(result, sizeOf(shape), input))) return false;
    if (sizeOf(split.inner) === 1) {
      const { lengths } = coalesce(
        split.reduced,
        this.inputs.map(({ layout }) =>
          layout.strides.slice(split.outer.length).slice(0, split.reduced.length),
        ),
      );
      if (lengths.length > 1 && lengths[lengths.length - 1] % LANES !== 0) return false;
    }
    this.sums.push({ member, instruction });
    return true;
  }

  /** The group, or its members where there is nothing to gain. */
  finish(): (Instruction | Group)[] {
    const { members, inputs, sums } = this;
    const whole: GroupOutput[] = members.flatMap(({ node, result }, step) =>
      this.isReadOutside(node) ? [{ value: inputs.length + step, result }] : [],
    );
    const closing = sums.map(({ member, instruction: { result, params } }): GroupOutput => {
      return { value: inputs.length + member, result, axes: params.axes };
    });
    const outputs = [...whole, ...closing];
    if (members.length + sums.length === 1 || outputs.length === 0) return [...members];
    const steps = members.map(({ op }, step) => ({
      op,
      operands: this.sources[step].map(({ input, member }) =>
        member === undefined ? (input as number) : inputs.length + member,
      ),
    }));
    return [{ shape: this.shape, inputs: [...inputs], steps, outputs }];
  }

  /** True if together the arrays are walked in short runs, though the members' or the new operands alone are not. */
  private breaksRuns(inputs: readonly Placed[], operands: readonly Placed[]): boolean {
    const run = (arrays: readonly Placed[]): number =>
      Math.min(
        SHORT_RUN,
        innermost(
          this.shape,
          arrays.map(({ layout }) => layout.strides),
        ),
      );
    return this.members.length > 0 && run(inputs) < Math.max(run(this.inputs), run(operands));
  }

  private isReadOutside(node: number): boolean {
    const readers = this.readers.get(node) ?? [];
    const isInside = (reader: Instruction): boolean =>
      this.members.includes(reader) || this.sums.some(({ instruction }) => instruction === reader);
    return this.graphOutputs.has(node) || !readers.every(isInside);
  }

  /** As far as can be said before the group is complete: read by what no group over this shape can hold. */
  private isSurelyStored(node: number): boolean {
    const outside = ({ op, shape }: Instruction): boolean =>
      RULES[op].access !== "elementwise" || !sameShape(shape, this.shape);
    return this.graphOutputs.has(node) || (this.readers.get(node) ?? []).some(outside);
  }

  private isWhole(operand: Placed, result: Location): boolean {
    return (
      operand.region === result.region &&
      operand.offset === result.offset &&
      sameShape(operand.layout.shape, this.shape) &&
      isContiguous(operand.layout)
    );
  }

  /**
   * True if writing entries of the result while later entries are still to be read would change those: an overlap,
   * unless the input is the very same entries.
   */
  private clashes(result: Location, input: Placed): boolean {
    return !this.isWhole(input, result) && overlap(result, sizeOf(this.shape), input);
  }
}

/** Whether some of `size` entries from `result` on may be entries of the input. */
function overlap(result: Location, size: number, input: Placed): boolean {
  if (input.region !== result.region) return false;
  const { shape, strides } = input.layout;
  const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis], input.offset);
  return input.offset < result.offset + size && result.offset <= last;
}

/** The length of the innermost loop over contiguous results and arrays of these strides. */
function innermost(shape: Shape, strides: readonly (readonly number[])[]): number {
  const { lengths } = coalesce(shape, [stridesOf(shape), ...strides]);
  return lengths[lengths.length - 1];
}

function samePlace(a: Placed, b: Placed): boolean {
  return (
    a.region === b.region &&
    a.offset === b.offset &&
    a.layout.strides.every((stride, axis) => stride === b.layout.strides[axis])
  );
}
