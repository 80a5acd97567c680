/** What it means that a graph is well formed. */
import { valueError } from "../../base/index.ts";
import { type Graph, isSource, type PrimitiveNode } from "./graph.ts";
import { formatShape, type Shape } from "./shape.ts";

/**
 * Checks what every transform must leave true: operands come earlier, inputs are input nodes named once, outputs
 * exist, and each node's shape is what its primitive's shape rule says. Throws on the first violation.
 * @param shapeRule the shape of a node, from its operands' shapes
 */
export function verifyGraphBy(
  graph: Graph,
  shapeRule: (node: PrimitiveNode, shapes: readonly Shape[]) => Shape,
): void {
  const fail = (id: number, what: string): never => {
    throw valueError("verifyGraph", "a well-formed graph", `${what} at %${id}`);
  };
  graph.nodes.forEach((node, id) => {
    for (const operand of node.operands)
      if (!(operand >= 0 && operand < id)) fail(id, `operand %${operand} not before it`);
    if (isSource(node)) {
      if (node.operands.length > 0) fail(id, "a source with operands");
      return;
    }
    const shape = shapeRule(
      node,
      node.operands.map((operand) => graph.nodes[operand].shape),
    );
    if (shape.length !== node.shape.length || shape.some((length, axis) => length !== node.shape[axis]))
      fail(id, `shape ${formatShape(node.shape)} where its rule gives ${formatShape(shape)}`);
  });
  for (const id of graph.inputs)
    if (graph.nodes[id]?.op !== "input") fail(id, "an input that is no input node");
  if (new Set(graph.inputs).size !== graph.inputs.length) fail(graph.inputs[0], "an input named twice");
  for (const id of graph.outputs) if (graph.nodes[id] === undefined) fail(id, "a missing output");
}
