/** Graphs as text. */
import type { Graph, Node } from "./graph.ts";
import { formatShape, sizeOf } from "./shape.ts";

function formatParams(node: Node): string {
  if (node.op === "literal") return ` ${sizeOf(node.shape)} numbers`;
  const entries = Object.entries(node.params as Record<string, unknown>);
  return entries.length === 0
    ? ""
    : ` {${entries.map(([key, value]) => `${key}: ${formatParam(value)}`).join(", ")}}`;
}

/** JSON, but for the numbers that JSON cannot write: NaN, infinities and −0. */
function formatParam(value: unknown): string {
  if (typeof value !== "number") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The graph as text, a node a line: `%3 = add %1 %2 : [4, 8]`. */
export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map(
    (node, id) =>
      `%${id} = ${node.op}${node.operands.map((operand) => ` %${operand}`).join("")}${formatParams(node)} : ${formatShape(node.shape)}`,
  );
  return [...lines, `return ${graph.outputs.map((id) => `%${id}`).join(" ")}`].join("\n");
}
