/** Which nodes are buffers and which are views of buffers. */
import { type Graph, isSource, type PrimitiveName } from "../graph/graph.ts";
import { sizeOf } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { contiguous, isContiguous, type Layout, type PrimitiveRule } from "../primitives/rule.ts";

/** Where a node's entries are: in the buffer of node `root`, `offset` entries in, laid out so. */
export interface Resolved {
  readonly root: number;
  readonly offset: number;
  readonly layout: Layout;
}

/**
 * Decides for every node whether it is computed into a buffer of its own or is a view of another node's buffer.
 * Reshapes, transposes, broadcasts and slices are views unless someone who reads them needs contiguous entries.
 * A constant is one number with strides 0 unless someone needs it contiguous.
 */
export function resolveLayouts(graph: Graph): Resolved[] {
  const owned = new Set<number>();
  for (;;) {
    const resolved = resolve(graph, owned);
    const before = owned.size;
    graph.nodes.forEach((node) => {
      if (isSource(node) || RULES[node.op].access !== "contiguous") return;
      for (const operand of node.operands)
        if (sizeOf(graph.nodes[operand].shape) > 0 && !isContiguous(resolved[operand].layout))
          owned.add(operand);
    });
    // A node that gets a buffer of its own changes the layouts of its views, perhaps from contiguous ones.
    if (owned.size === before) return resolved;
  }
}

function resolve(graph: Graph, owned: ReadonlySet<number>): Resolved[] {
  const resolved: Resolved[] = [];
  graph.nodes.forEach((node, id) => {
    const own: Resolved = { root: id, offset: 0, layout: contiguous(node.shape) };
    if (owned.has(id)) resolved.push(own);
    else if (node.op === "constant")
      resolved.push({ ...own, layout: { shape: node.shape, strides: node.shape.map(() => 0) } });
    else if (!isSource(node)) {
      const rule = RULES[node.op] as PrimitiveRule<PrimitiveName>;
      const source = resolved[node.operands[0]];
      const view = rule.view?.(node.params, source.layout, node.shape);
      resolved.push(
        view ? { root: source.root, offset: source.offset + view.offset, layout: view.layout } : own,
      );
    } else resolved.push(own);
  });
  return resolved;
}
