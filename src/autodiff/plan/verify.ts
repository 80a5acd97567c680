/**
 * Checks a plan without running it. A program checks what it is going to run, so a fault of the planner or of fusion is an
 * error at the start and never a wrong number.
 */
import { valueError } from "../../base/index.ts";
import { sameShape, sizeOf } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { isContiguous } from "../primitives/rule.ts";
import {
  type Group,
  type Instruction,
  isGroup,
  type Location,
  lastEntry,
  overlaps,
  type Plan,
  type StridedView,
} from "./plan.ts";

/**
 * Runs a plan on owners instead of numbers: whenever an operand is read, the range it lies in must still belong to the
 * node that the plan says it belongs to. Catches wrong lifetimes, overlaps, reads before writes and reads of what a group
 * does not store, in one pass over all segments; also layouts and overwritten operands that a primitive's `access` does not
 * allow, and groups that would overwrite what they have still to read. Throws on the first violation.
 * Cost: per operand the logarithm of the number of buffers, whatever their sizes.
 */
export function verifyPlan(plan: Plan): void {
  const regions = plan.regionSizes.map(() => new Owners());
  plan.graph.inputs.forEach((id, i) => {
    const { region, offset } = plan.inputs[i];
    regions[region].write(offset, offset + sizeOf(plan.graph.nodes[id].shape), id);
  });
  const read = (arrays: readonly StridedView[], owners: readonly number[], reader: string): void =>
    arrays.forEach((array, i) => {
      if (array.region === plan.constantsRegion || sizeOf(array.layout.shape) === 0) return;
      const found = regions[array.region].foreign(array.offset, lastEntry(array) + 1, owners[i]);
      if (found !== undefined)
        throw valueError(
          "verifyPlan",
          `operand ${i} of ${reader} to hold %${owners[i]}`,
          found < 0 ? "nothing" : `%${found}`,
        );
    });
  const write = ({ region, offset }: Location, size: number, node: number): void => {
    const end = offset + size;
    if (end > plan.regionSizes[region])
      throw valueError("verifyPlan", "results inside their region", `%${node} ending at ${end}`);
    regions[region].write(offset, end, node);
  };
  for (const item of plan.segments.flat()) {
    if (isGroup(item)) {
      checkGroup(item);
      read(item.inputs, item.owners, `the group of %${item.steps[0].node}`);
      for (const { node, result, axes } of item.outputs) write(result, storedSize(item, axes), node);
    } else {
      checkAccess(item);
      read(item.operands, item.owners, `%${item.node}`);
      write(item.result, sizeOf(item.shape), item.node);
    }
  }
}

function checkAccess({ node, op, operands, result, shape }: Instruction): void {
  const { access } = RULES[op];
  operands.forEach((operand, i) => {
    if (sizeOf(operand.layout.shape) === 0) return;
    if (access === "contiguous" && !isContiguous(operand.layout))
      throw valueError("verifyPlan", `operand ${i} of %${node} (${op}) to be contiguous`, "a strided view");
    const inPlace = operand.offset === result.offset && isContiguous(operand.layout);
    if (overlaps(result, sizeOf(shape), operand) && !(access === "elementwise" && inPlace))
      throw valueError("verifyPlan", `the result of %${node} (${op}) beside operand ${i}`, "an overlap");
  });
}

/** Entries that a group stores for an output. */
const storedSize = ({ shape }: Group, axes: readonly number[] | undefined): number =>
  sizeOf(axes ? shape.filter((_, axis) => !axes.includes(axis)) : shape);

/** Steps use values before them; what is stored lies beside all inputs, or whole where an input of the same entries is. */
function checkGroup(group: Group): void {
  const { shape, inputs, steps, outputs } = group;
  steps.forEach(({ node, op, operands }, i) => {
    if (RULES[op].access !== "elementwise")
      throw valueError("verifyPlan", "elementwise steps in a group", `%${node} (${op})`);
    if (operands.some((value) => !(value >= 0 && value < inputs.length + i)))
      throw valueError("verifyPlan", `values of %${node} before it in its group`, `${operands}`);
  });
  outputs.forEach(({ node, value, result, axes }, i) => {
    if (!(value >= 0 && value < inputs.length + steps.length))
      throw valueError("verifyPlan", `a value of its group for %${node}`, `${value}`);
    const size = storedSize(group, axes);
    inputs.forEach((input, j) => {
      const same =
        !axes &&
        input.offset === result.offset &&
        sameShape(input.layout.shape, shape) &&
        isContiguous(input.layout);
      if (overlaps(result, size, input) && !same)
        throw valueError("verifyPlan", `the result %${node} of a group beside input ${j}`, "an overlap");
    });
    for (const other of outputs.slice(0, i)) {
      const end = other.result.offset + storedSize(group, other.axes);
      if (
        other.result.region === result.region &&
        result.offset < end &&
        other.result.offset < result.offset + size
      )
        throw valueError(
          "verifyPlan",
          `the results %${other.node} and %${node} of a group apart`,
          "an overlap",
        );
    }
  });
}

/** Which node owns each entry of a region, as disjoint ranges in ascending order. */
class Owners {
  private readonly ranges: { start: number; end: number; node: number }[] = [];

  write(start: number, end: number, node: number): void {
    if (start >= end) return;
    const { ranges } = this;
    const first = this.firstAfter(start);
    let last = first;
    while (last < ranges.length && ranges[last].start < end) last++;
    const kept = [];
    if (last > first) {
      const before = ranges[first];
      const after = ranges[last - 1];
      if (before.start < start) kept.push({ ...before, end: start });
      kept.push({ start, end, node });
      if (after.end > end) kept.push({ ...after, start: end });
    } else kept.push({ start, end, node });
    ranges.splice(first, last - first, ...kept);
  }

  /** The first owner in a range that is not the given node, −1 for none; undefined where the range is all the node's. */
  foreign(start: number, end: number, node: number): number | undefined {
    let at = start;
    for (let i = this.firstAfter(start); at < end; i++) {
      const range = this.ranges[i];
      if (!range || range.start > at) return -1;
      if (range.node !== node) return range.node;
      at = range.end;
    }
    return undefined;
  }

  /** The position of the first range that ends after an entry. */
  private firstAfter(entry: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle].end > entry) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
