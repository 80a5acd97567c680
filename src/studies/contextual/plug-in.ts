import { cholesky, choleskySolve } from "../../linalg/index.ts";
import { type Examples, type Model, REGRESSORS } from "./data.ts";
import { cheapestPath, costOf, EDGES } from "./grid.ts";

/** The penalties among which the authors choose. */
export const PENALTIES: readonly number[] = [
  0, 0.001, 0.01, 0.1, 0.22, 0.46, 1, 2.15, 4.64, 10, 21.54, 46.42, 100,
];

/** A linear model of the costs, 40 × regressors: and the penalty it was fitted with. */
export interface Fit {
  readonly weights: Float64Array;
  readonly penalty: number;
}

/** The costs that a linear model predicts of one example. @param into 40 numbers, overwritten */
export function predict(
  weights: Float64Array,
  regressors: Float64Array,
  at: number,
  size: number,
  into: Float64Array,
): void {
  for (let edge = 0; edge < into.length; edge++) {
    let sum = 0;
    for (let r = 0; r < size; r++) sum += weights[edge * size + r] * regressors[at + r];
    into[edge] = sum;
  }
}

/**
 * Ridge regression of the costs seen: min Σ‖B x − c‖² + (λ/2)‖B‖² for each penalty λ, of which that is taken whose
 * squared error on the holdout set is least, the first of equals.
 */
export function plugIn(model: Model, train: Examples, holdout: Examples): Fit {
  const size = REGRESSORS[model];
  const edges = EDGES.length;
  const x = train.regressors[model];
  const gram = new Float64Array(size * size);
  const moments = new Float64Array(edges * size);
  for (let i = 0; i < train.count; i++)
    for (let r = 0; r < size; r++) {
      const value = x[i * size + r];
      for (let s = 0; s < size; s++) gram[r * size + s] += value * x[i * size + s];
      for (let edge = 0; edge < edges; edge++)
        moments[edge * size + r] += value * train.observed[i * edges + edge];
    }
  const predicted = new Float64Array(edges);
  let best: Fit | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const penalty of PENALTIES) {
    const system = gram.slice();
    for (let r = 0; r < size; r++) system[r * (size + 1)] += penalty / 2;
    const { factor, status } = cholesky(system, size);
    if (status !== "solved") continue;
    const weights = moments.slice();
    for (let edge = 0; edge < edges; edge++)
      choleskySolve(factor, size, weights.subarray(edge * size, (edge + 1) * size));
    let loss = 0;
    for (let i = 0; i < holdout.count; i++) {
      predict(weights, holdout.regressors[model], i * size, size, predicted);
      for (let edge = 0; edge < edges; edge++)
        loss += (predicted[edge] - holdout.observed[i * edges + edge]) ** 2;
    }
    if (loss < least) {
      least = loss;
      best = { weights, penalty };
    }
  }
  if (!best) throw new Error("plugIn: no penalty gave a finite fit");
  return best;
}

/**
 * By how much the paths that look cheapest to a model cost more, on average, than the cheapest.
 *
 * @param costs the examples' true costs, or those seen, 40 a row
 * @param optima what the best path costs in each example
 */
export function meanRegret(
  model: Model,
  weights: Float64Array,
  examples: Examples,
  costs: Float64Array,
  optima: Float64Array,
): number {
  const size = REGRESSORS[model];
  const edges = EDGES.length;
  const predicted = new Float64Array(edges);
  let sum = 0;
  for (let i = 0; i < examples.count; i++) {
    predict(weights, examples.regressors[model], i * size, size, predicted);
    sum += costOf(cheapestPath(predicted).edges, costs, i * edges) - optima[i];
  }
  return sum / examples.count;
}
