/** Forward mode. */
import { isSource, type PrimitiveName } from "../graph/graph.ts";
import { ancestors, dependents } from "../graph/reach.ts";
import { RULES } from "../primitives/registry.ts";
import type { PrimitiveRule } from "../primitives/rule.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Forward mode, inside one trace: the tangents of `outputs` when each tensor of `wrt` moves along its entry of
 * `tangents` (undefined: it does not move). Undefined where an output's tangent is structurally zero.
 * Appends nodes to the trace; only paths through `wrt` are differentiated.
 */
export function pushForward(
  outputs: readonly Tensor[],
  wrt: readonly Tensor[],
  tangents: readonly (Tensor | undefined)[],
): (Tensor | undefined)[] {
  if (outputs.length === 0) return [];
  const { trace } = outputs[0];
  const moved = new Map<number, Tensor>();
  wrt.forEach((x, i) => {
    const tangent = tangents[i];
    if (tangent) moved.set(x.id, tangent);
  });
  const fixed = new Set(wrt.map((x) => x.id));
  for (const id of between(wrt, outputs)) {
    if (fixed.has(id)) continue;
    const node = trace.nodes[id];
    if (isSource(node)) continue;
    const dx = node.operands.map((operand) => moved.get(operand));
    if (dx.every((tangent) => tangent === undefined)) continue;
    const rule = RULES[node.op] as PrimitiveRule<PrimitiveName>;
    const tangent = rule.jvp({
      params: node.params,
      primals: node.operands.map((operand) => trace.tensor(operand)),
      result: trace.tensor(id),
      tangents: dx,
    });
    if (tangent) moved.set(id, tangent);
  }
  return outputs.map((output) => moved.get(output.id));
}

/** Ids, ascending, of the nodes that depend on `sources` (these included) and that `outputs` depend on. */
export function between(sources: readonly Tensor[], outputs: readonly Tensor[]): number[] {
  const { nodes } = outputs[0].trace;
  const idsOf = (tensors: readonly Tensor[]): number[] => tensors.map((tensor) => tensor.id);
  const last = Math.max(...idsOf(outputs));
  const first = Math.min(...idsOf(sources));
  const needed = ancestors(nodes, idsOf(outputs), first + 1);
  const moved = dependents(nodes, idsOf(sources), last);
  const ids: number[] = [];
  for (let id = first; id <= last; id++) if (moved[id] && needed[id]) ids.push(id);
  return ids;
}
