/**
 * Derivatives as functions of functions, for callers: jvp, vjp, grad, hvp and their compositions. Each works inside a trace, so
 * they nest to any order.
 */
import { kindError, valueError } from "../../base/index.ts";
import { ancestors } from "../graph/reach.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { full } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leavesOf, type Tree, withLeaves } from "../tensor/tree.ts";
import { pushForward } from "./jvp.ts";
import { inline } from "./simplify.ts";
import { gradientOf, pullBack } from "./transpose.ts";

/** A traced function of one differentiable argument (a tree of tensors) and others that are held fixed. */
export type Traced<X extends Tree, R extends readonly Tree[], Y extends Tree> = (x: X, ...rest: R) => Y;

/**
 * Runs `body` on fresh inputs in place of the leaves of x and substitutes x afterwards. Without this, a node that
 * the function reaches through its closure could be shared with x itself and be differentiated by mistake.
 */
function withFreshInputs<X extends Tree, Y extends Tree>(x: X, body: (fresh: X) => Y): Y {
  const leaves = leavesOf(x);
  if (leaves.length === 0) throw kindError("derivative", "an argument with at least one tensor", "none");
  const { trace } = leaves[0];
  const fresh = leaves.map((leaf) => trace.input("argument", leaf.shape));
  const result = body(withLeaves(x, fresh));
  const outputs = leavesOf(result);
  if (outputs.length === 0)
    throw kindError("derivative", "a function with at least one tensor as its value", "none");
  const others = freeInputs(outputs, fresh);
  const graph = trace.graph([...fresh, ...others], outputs);
  return withLeaves(result, inline(trace, graph, [...leaves, ...others]));
}

/** Input nodes, other than `bound`, that the outputs depend on. */
function freeInputs(outputs: readonly Tensor[], bound: readonly Tensor[]): Tensor[] {
  const { trace } = outputs[0];
  const known = new Set(bound.map((tensor) => tensor.id));
  const needed = ancestors(
    trace.nodes,
    outputs.map((output) => output.id),
  );
  return trace.nodes.flatMap((node, id) =>
    node.op === "input" && needed[id] && !known.has(id) ? [trace.tensor(id)] : [],
  );
}

function checkTangents(operation: string, leaves: readonly Tensor[], tangents: readonly Tensor[]): void {
  if (
    leaves.length !== tangents.length ||
    leaves.some((leaf, i) => !sameShape(leaf.shape, tangents[i].shape))
  )
    throw valueError(
      operation,
      `a tangent like the argument: ${leaves.map((leaf) => formatShape(leaf.shape)).join(", ")}`,
      tangents.map((tangent) => formatShape(tangent.shape)).join(", "),
    );
}

/** (x, v, …rest) ↦ [f(x), f′(x)·v]: forward mode. v is a tree like x. */
export function jvp<X extends Tree, R extends readonly Tree[], Y extends Tree>(f: Traced<X, R, Y>) {
  return (x: X, v: X, ...rest: R): [Y, Y] =>
    withFreshInputs(x, (fresh) => {
      const leaves = leavesOf(fresh);
      const directions = leavesOf(v);
      checkTangents("jvp", leaves, directions);
      const value = f(fresh, ...rest);
      const outputs = leavesOf(value);
      const tangents = pushForward(outputs, leaves, directions);
      const filled = outputs.map((output, i) => tangents[i] ?? full(output, 0, output.shape));
      return [value, withLeaves(value, filled)] as [Y, Y];
    });
}

/** (x, cotangent, …rest) ↦ [f(x), f′(x)ᵀ·cotangent]: reverse mode. The cotangent is a tree like f(x). */
export function vjp<X extends Tree, R extends readonly Tree[], Y extends Tree>(f: Traced<X, R, Y>) {
  return (x: X, cotangent: Y, ...rest: R): [Y, X] =>
    withFreshInputs(x, (fresh) => {
      const value = f(fresh, ...rest);
      const gradients = pullBack(leavesOf(value), leavesOf(fresh), leavesOf(cotangent));
      return [value, withLeaves(fresh, gradients)] as [Y, X];
    });
}

/** (x, …rest) ↦ [f(x), ∇f(x)] for a scalar f; the gradient is a tree like x. */
export function valueAndGrad<X extends Tree, R extends readonly Tree[]>(f: Traced<X, R, Tensor>) {
  return (x: X, ...rest: R): [Tensor, X] =>
    withFreshInputs(x, (fresh) => {
      const value = f(fresh, ...rest);
      return [value, withLeaves(fresh, gradientOf(value, leavesOf(fresh)))] as [Tensor, X];
    });
}

/** (x, …rest) ↦ ∇f(x) for a scalar f. */
export function grad<X extends Tree, R extends readonly Tree[]>(f: Traced<X, R, Tensor>) {
  const both = valueAndGrad(f);
  return (x: X, ...rest: R): X => both(x, ...rest)[1];
}

/** (x, v, …rest) ↦ ∇²f(x)·v: forward over reverse. */
export function hvp<X extends Tree, R extends readonly Tree[]>(f: Traced<X, R, Tensor>) {
  const directional = jvp<X, R, X>(grad(f));
  return (x: X, v: X, ...rest: R): X => directional(x, v, ...rest)[1];
}

/** (x, u, v, …rest) ↦ ∇_x(uᵀ∇²f(x)v) with u and v held fixed: forward over forward over reverse. */
export function thirdDirectional<X extends Tree, R extends readonly Tree[]>(f: Traced<X, R, Tensor>) {
  const product = hvp(f);
  return (x: X, u: X, v: X, ...rest: R): X => {
    const alongV = (point: X, ...others: R): X => product(point, v, ...others);
    return jvp<X, R, X>(alongV)(x, u, ...rest)[1];
  };
}
