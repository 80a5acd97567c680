/** From a function of tensors to its graph. */
import { kindError } from "../../base/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leavesOf, type Tree } from "../tensor/tree.ts";
import { newTrace, verifyGraph } from "./simplify.ts";

/** Shapes in arrays and records: what stands for a tree of tensors before there are any. */
export type ShapeTree = Shape | readonly ShapeTree[] | { readonly [key: string]: ShapeTree };

/** Whether a tree is a single shape; an empty array is a scalar's. */
export function isShape(tree: ShapeTree): tree is Shape {
  return Array.isArray(tree) && tree.every((entry) => typeof entry === "number");
}

/** The shapes of a tree, depth first, in the order of `leavesOf`. */
export function shapesOf(tree: ShapeTree): Shape[] {
  return isShape(tree) ? [tree] : (Object.values(tree) as ShapeTree[]).flatMap(shapesOf);
}

/** A function of tensors as a graph: runs it once on symbolic tensors of the given shapes. */
export interface TracedFunction<Y extends Tree> {
  readonly graph: Graph;
  /** The function's result; its leaves are the graph's outputs, in order. */
  readonly result: Y;
}

/**
 * Traces `f` on inputs of the given shapes, one tree of shapes per argument. An empty array is a scalar's shape.
 * The result is verified.
 */
export function trace<A extends readonly Tree[], Y extends Tree>(
  f: (...inputs: A) => Y,
  ...shapes: { readonly [K in keyof A]: ShapeTree }
): TracedFunction<Y> {
  const trace = newTrace();
  const inputs: Tensor[] = [];
  const build = (tree: ShapeTree, name: string): Tree => {
    if (isShape(tree)) {
      const input = trace.input(name, tree);
      inputs.push(input);
      return input;
    }
    if (tree === null || typeof tree !== "object")
      throw kindError("trace", `shapes in arrays or records for ${name}`, String(tree), "[] for a scalar");
    const entries = Object.entries(tree as Record<string, ShapeTree>).map(
      ([key, value]) => [key, build(value, `${name}.${key}`)] as const,
    );
    return Array.isArray(tree) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
  };
  const args = shapes.map((tree, i) => build(tree, `x${i}`)) as unknown as A;
  const result = f(...args);
  return { graph: verifyGraph(trace.graph(inputs, leavesOf(result))), result };
}
