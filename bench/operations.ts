import { Objective, selectBackend } from "../src/autodiff/index.ts";
import type { Problem } from "./problems.ts";

/** What is measured, as calls on an objective; results are left where the fields say. */
export interface Operations {
  readonly objective: Objective;
  /** ∇L at weights that are new each time. */
  readonly gradient: () => void;
  /** Hv of one direction at weights that are new each time. */
  readonly hvp: () => void;
  /** Hv of one direction at weights where others were taken before. */
  readonly sharedHvp: () => void;
  /** ∇L, all Hu_i and all D³L[u_i, u_j, ·], at weights that are new each time. */
  readonly joint: () => void;
  /** Hu_i, a row each, after `joint`. */
  readonly products: Float64Array;
  /** D³L[u_i, u_j, ·] for i ≤ j, a row each, after `joint`. */
  readonly thirds: Float64Array;
}

/** A problem on one of our backends, with its `count` directions. */
export function operationsOf(
  { loss, weights }: Problem,
  backend: "js" | "wasm",
  vectors: Float64Array,
): Operations {
  const objective = new Objective(loss, selectBackend(backend));
  const p = objective.dimension;
  const count = vectors.length / p;
  const products = new Float64Array(count * p);
  const thirds = new Float64Array(((count * (count + 1)) / 2) * p);
  const one = new Float64Array(p);
  const gradient = (): void => {
    objective.setWeights(weights);
    objective.gradient();
  };
  return {
    objective,
    products,
    thirds,
    gradient,
    hvp() {
      objective.setWeights(weights);
      objective.hvp(vectors, one, 1);
    },
    sharedHvp: () => objective.hvp(vectors, one, 1),
    joint() {
      gradient();
      objective.hvp(vectors, products, count);
      objective.thirdDerivatives(vectors, count, thirds);
    },
  };
}

/** What one call executes, in flops. */
export function flopsOf(objective: Objective, run: () => void): number {
  const total = (): number => objective.executed().reduce((sum, { flops }) => sum + flops, 0);
  const before = total();
  run();
  return total() - before;
}
