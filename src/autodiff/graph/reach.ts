/** Which nodes depend on which. Nodes stand in topological order, so one pass answers. */

/** A list of nodes of which only the operands matter here: a graph's, or those of a trace that still grows. */
type Nodes = readonly { readonly operands: readonly number[] }[];

/**
 * Marks (1) the nodes that some of `ids` depend on, these included, among those from position `first` on.
 * Cost: linear in the nodes from `first` to the last of `ids`.
 */
export function ancestors(nodes: Nodes, ids: readonly number[], first = 0): Uint8Array {
  const marked = new Uint8Array(nodes.length);
  let last = -1;
  for (const id of ids) {
    marked[id] = 1;
    last = Math.max(last, id);
  }
  for (let id = last; id >= first; id--)
    if (marked[id]) for (const operand of nodes[id].operands) marked[operand] = 1;
  return marked;
}

/**
 * Marks (1) the nodes that depend on some of `ids`, these included, among those up to position `last`.
 * Cost: linear in the nodes from the first of `ids` to `last`.
 */
export function dependents(nodes: Nodes, ids: readonly number[], last = nodes.length - 1): Uint8Array {
  const marked = new Uint8Array(nodes.length);
  let first = nodes.length;
  for (const id of ids) {
    marked[id] = 1;
    first = Math.min(first, id);
  }
  for (let id = first; id <= last; id++)
    if (!marked[id] && nodes[id].operands.some((operand) => marked[operand])) marked[id] = 1;
  return marked;
}
