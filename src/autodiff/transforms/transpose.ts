/** Reverse mode, as the transpose of forward mode. */
import { kindError, valueError } from "../../base/index.ts";
import { isSource, type PrimitiveName } from "../graph/graph.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import type { PrimitiveRule } from "../primitives/rule.ts";
import { add, full } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { between, pushForward } from "./jvp.ts";

/**
 * The transpose of a linear map inside one trace. `outputs` must depend linearly on `inputs`; given a cotangent for
 * each output (undefined: zero), returns one for each input (undefined: structurally zero), such that
 * ⟨cotangent, A x⟩ = ⟨Aᵀ cotangent, x⟩.
 */
export function pullBackLinear(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  cotangents: readonly (Tensor | undefined)[],
): (Tensor | undefined)[] {
  const { trace } = outputs[0];
  const collected = new Map<number, Tensor>();
  const collect = (id: number, cotangent: Tensor | undefined): void => {
    if (!cotangent) return;
    const before = collected.get(id);
    collected.set(id, before ? add(before, cotangent) : cotangent);
  };
  outputs.forEach((output, i) => {
    collect(output.id, cotangents[i]);
  });
  const ids = between(inputs, outputs);
  const linear = new Set(ids);
  const stop = new Set(inputs.map((input) => input.id));
  for (let at = ids.length - 1; at >= 0; at--) {
    const id = ids[at];
    const cotangent = collected.get(id);
    const node = trace.nodes[id];
    if (!cotangent || stop.has(id) || isSource(node)) continue;
    const rule = RULES[node.op] as PrimitiveRule<PrimitiveName>;
    if (!rule.transpose)
      throw valueError("transpose", "a function that is linear in its inputs", `a ${node.op} of an input`);
    const shares = rule.transpose({
      params: node.params,
      operands: node.operands.map((operand) => trace.tensor(operand)),
      linear: node.operands.map((operand) => linear.has(operand)),
      cotangent,
    });
    node.operands.forEach((operand, i) => {
      if (linear.has(operand)) collect(operand, shares[i]);
    });
  }
  return inputs.map((input) => collected.get(input.id));
}

/**
 * Reverse mode = linearize, then transpose: pushes placeholder tangents forward and transposes the linear map they
 * went through. Returns, for each tensor of `wrt`, Σ over outputs of (∂output/∂wrt)ᵀ cotangent; zeros where there is
 * no dependence. The placeholders end as dead nodes.
 */
export function pullBack(
  outputs: readonly Tensor[],
  wrt: readonly Tensor[],
  cotangents: readonly Tensor[],
): Tensor[] {
  if (outputs.length === 0)
    throw kindError("vjp", "a function with at least one tensor as its value", "none");
  if (
    outputs.length !== cotangents.length ||
    outputs.some((output, i) => !sameShape(output.shape, cotangents[i].shape))
  )
    throw valueError(
      "vjp",
      `a cotangent like the value: ${outputs.map((output) => formatShape(output.shape)).join(", ")}`,
      cotangents.map((cotangent) => formatShape(cotangent.shape)).join(", "),
    );
  const { trace } = outputs[0];
  const placeholders = wrt.map((x) => trace.input("tangent", x.shape));
  const tangents = pushForward(outputs, wrt, placeholders);
  const moving = tangents.flatMap((tangent, i) => (tangent ? [{ tangent, cotangent: cotangents[i] }] : []));
  const gradients =
    moving.length === 0
      ? []
      : pullBackLinear(
          moving.map((entry) => entry.tangent),
          placeholders,
          moving.map((entry) => entry.cotangent),
        );
  return wrt.map((x, i) => gradients[i] ?? full(x, 0, x.shape));
}

/** The gradient of one scalar tensor. */
export function gradientOf(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.shape.length !== 0)
    throw kindError(
      "grad",
      "a function whose value is a scalar",
      formatShape(loss.shape),
      "sum or mean it first",
    );
  return pullBack([loss], wrt, [full(loss, 1, [])]);
}
