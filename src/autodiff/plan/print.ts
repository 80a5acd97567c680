/** Plans as text. */
import { formatShape } from "../graph/shape.ts";
import {
  type Group,
  type Instruction,
  type Item,
  isGroup,
  type Location,
  type Plan,
  totalCost,
} from "./plan.ts";

const at = ({ region, offset }: Location): string => `r${region}+${offset}`;

/**
 * A plan as text: an instruction a line with where it reads and writes (`r2+8`: eight entries into region 2) and the node
 * that it computes. A group's first line names its inputs; a line for each step and for each value that it stores follows.
 */
export function printPlan(plan: Plan): string {
  const lines = plan.segments.flatMap((items, segment) => {
    const { products, flops } = totalCost(items);
    const count = items.reduce((total, item) => total + instructionsIn(item), 0);
    return [
      `segment ${segment}: ${count} instructions, ${products} products, ${flops} flops`,
      ...items.flatMap((item) => (isGroup(item) ? groupLines(item) : [instructionLine(item)])),
    ];
  });
  return [`regions: ${plan.regionSizes.join(", ")} entries`, ...lines].join("\n");
}

const instructionsIn = (item: Item): number =>
  isGroup(item) ? item.steps.length + item.outputs.filter(({ axes }) => axes).length : 1;

function instructionLine({ node, op, operands, result, shape }: Instruction): string {
  return `  ${at(result)} = ${op}(${operands.map(at).join(", ")}) : ${formatShape(shape)}  %${node}`;
}

function groupLines({ shape, inputs, steps, outputs }: Group): string[] {
  const value = (i: number): string => `v${i}`;
  return [
    `  fused over ${formatShape(shape)}: ${inputs.map((input, i) => `${value(i)} = ${at(input)}`).join(", ")}`,
    ...steps.map(
      ({ node, op, operands }, i) =>
        `    ${value(inputs.length + i)} = ${op}(${operands.map(value).join(", ")})  %${node}`,
    ),
    ...outputs.map(({ node, value: stored, result, axes }) =>
      axes
        ? `    ${at(result)} = sum(${value(stored)}, axes ${axes.join(", ")})  %${node}`
        : `    ${at(result)} = ${value(stored)}  %${node}`,
    ),
  ];
}
