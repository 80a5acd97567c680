import { valueError } from "../../base/index.ts";
import { sizeOf } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { isContiguous } from "../primitives/rule.ts";
import type { Instruction, Location, Placed, Plan } from "./plan.ts";

/**
 * Runs a plan on tags instead of numbers: whenever an operand is read, every entry of it must still belong to the
 * node that the planner says it belongs to. Catches wrong lifetimes, overlaps and reads before writes, in one pass
 * over all segments; also layouts and overwritten operands that a primitive's `access` does not allow. Throws on the
 * first violation. Cost: entries read plus entries written.
 */
export function verifyPlan(plan: Plan, inputs: readonly Location[]): void {
  const tags = plan.regionSizes.map((size) => new Int32Array(size).fill(-1));
  plan.graph.inputs.forEach((id, i) => {
    const { region, offset } = inputs[i];
    tags[region].fill(id, offset, offset + sizeOf(plan.graph.nodes[id].shape));
  });
  for (const instruction of plan.segments.flat()) {
    const { node, operands, owners, result, shape } = instruction;
    checkAccess(instruction);
    operands.forEach((operand, i) => {
      if (operand.region === plan.constantsRegion) return;
      const found = foreignTag(tags[operand.region], operand, owners[i]);
      if (found !== undefined)
        throw valueError(
          "verifyPlan",
          `operand ${i} of %${node} to hold %${owners[i]}`,
          found < 0 ? "nothing" : `%${found}`,
        );
    });
    const end = result.offset + sizeOf(shape);
    if (end > tags[result.region].length)
      throw valueError("verifyPlan", "results inside their region", `%${node} ending at ${end}`);
    tags[result.region].fill(node, result.offset, end);
  }
}

function checkAccess({ node, op, operands, result, shape }: Instruction): void {
  const { access } = RULES[op];
  operands.forEach((operand, i) => {
    const size = sizeOf(operand.layout.shape);
    if (size === 0) return;
    if (access === "contiguous" && !isContiguous(operand.layout))
      throw valueError("verifyPlan", `operand ${i} of %${node} (${op}) to be contiguous`, "a strided view");
    const last = operand.layout.shape.reduce(
      (at, length, axis) => at + (length - 1) * operand.layout.strides[axis],
      operand.offset,
    );
    const overlaps =
      operand.region === result.region &&
      operand.offset < result.offset + sizeOf(shape) &&
      result.offset <= last;
    const inPlace = operand.offset === result.offset && isContiguous(operand.layout);
    if (overlaps && !(access === "elementwise" && inPlace))
      throw valueError("verifyPlan", `the result of %${node} (${op}) beside operand ${i}`, "an overlap");
  });
}

/** The first tag in a view that is not the owner's; undefined when all are. */
function foreignTag(tags: Int32Array, { offset, layout }: Placed, owner: number): number | undefined {
  const walk = (axis: number, at: number): number | undefined => {
    if (axis === layout.shape.length) return tags[at] === owner ? undefined : (tags[at] ?? -1);
    for (let i = 0; i < layout.shape[axis]; i++) {
      const found = walk(axis + 1, at + i * layout.strides[axis]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(0, offset);
}
