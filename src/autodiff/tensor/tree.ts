/** Trees of tensors: arguments and results of traced functions in arrays and records. */
import { kindError } from "../../base/index.ts";
import { Tensor } from "./tensor.ts";

/** Tensors in arrays and records, nested at will: what traced functions take and return. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree };

/** The tensors of a tree, depth first, record entries in their order of insertion. */
export function leavesOf(tree: Tree): Tensor[] {
  if (tree instanceof Tensor) return [tree];
  if (tree === null || typeof tree !== "object")
    throw kindError("trace", "tensors in arrays or records", String(tree));
  return Object.values(tree).flatMap(leavesOf);
}

/** The same tree with other leaves, in the order of `leavesOf`. */
export function withLeaves<T extends Tree>(tree: T, leaves: readonly Tensor[]): T {
  let next = 0;
  const build = (part: Tree): Tree => {
    if (part instanceof Tensor) return leaves[next++];
    if (Array.isArray(part)) return part.map(build);
    return Object.fromEntries(
      Object.entries(part as Record<string, Tree>).map(([key, value]) => [key, build(value)]),
    );
  };
  return build(tree) as T;
}
