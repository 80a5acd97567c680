import { isSource, type PrimitiveName } from "../graph/graph.ts";
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
  for (const id of dependents(outputs, wrt)) {
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
export function dependents(outputs: readonly Tensor[], sources: readonly Tensor[]): number[] {
  const { trace } = outputs[0];
  const last = Math.max(...outputs.map((output) => output.id));
  const first = Math.min(...sources.map((source) => source.id));
  const needed = new Uint8Array(last + 1);
  for (const output of outputs) needed[output.id] = 1;
  for (let id = last; id > first; id--)
    if (needed[id]) for (const operand of trace.nodes[id].operands) needed[operand] = 1;
  const depends = new Uint8Array(last + 1);
  for (const source of sources) if (source.id <= last) depends[source.id] = 1;
  const ids: number[] = [];
  for (let id = first; id <= last; id++) {
    if (!depends[id] && trace.nodes[id].operands.some((operand) => depends[operand])) depends[id] = 1;
    if (depends[id] && needed[id]) ids.push(id);
  }
  return ids;
}
