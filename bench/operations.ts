import { availableParallelism } from "node:os";
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

/** How we compute: a backend, and threads where it has them. */
export interface Engine {
  readonly backend: "js" | "wasm";
  readonly threads: number;
}

/** Our ways to compute on this machine: wasm on one thread, on two where there are two, and js. */
export const ENGINES: readonly Engine[] = [
  { backend: "wasm", threads: 1 },
  ...(availableParallelism() > 1 ? ([{ backend: "wasm", threads: 2 }] as const) : []),
  { backend: "js", threads: 1 },
];

export const nameOf = ({ backend, threads }: Engine): string =>
  threads > 1 ? `${backend}, ${threads} threads` : backend;

/** A problem on one of our engines, with the `count` directions that the vectors hold. */
export function operationsOf(
  { loss, weights }: Problem,
  { backend, threads }: Engine,
  vectors: Float64Array,
): Operations {
  const objective = new Objective(loss, { ...selectBackend(backend), threads });
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
      objective.joint(vectors, count, products, thirds);
    },
  };
}

/** What one call executes, in flops. */
export function flopsOf(objective: Objective, run: () => void): number {
  const total = (): number => objective.profile().reduce((sum, { flops }) => sum + flops, 0);
  const before = total();
  run();
  return total() - before;
}
