import type { Objective, Shapes } from "../../autodiff/index.ts";
import { kindError, valueError } from "../../base/index.ts";

/** Weights as a program has them at hand: all in a row, or by the name of their parameter, each row-major. */
export type Weights<P extends Shapes = Shapes> =
  | ArrayLike<number>
  | { readonly [Name in keyof P]: number | ArrayLike<number> };

/**
 * Weights as one vector, a copy.
 *
 * @param lengths how many numbers each parameter has, in the order in which they lie
 * @throws InputKindError or InputValueError naming the parameter that is missing, not asked for, or of another length
 */
export function flatWeights(weights: Weights, lengths: ReadonlyMap<string, number>): Float64Array {
  const total = [...lengths.values()].reduce((sum, length) => sum + length, 0);
  if (typeof weights !== "object" || weights === null)
    throw kindError("weights", `${total} numbers, or a record of parameters`, String(weights));
  if ("length" in weights && typeof weights.length === "number") {
    const flat = Float64Array.from(weights as ArrayLike<number>);
    if (flat.length !== total) throw valueError("weights", `${total} numbers`, `${flat.length}`);
    return flat;
  }
  const named = weights as Readonly<Record<string, number | ArrayLike<number>>>;
  const unknown = Object.keys(named).find((name) => !lengths.has(name));
  if (unknown !== undefined)
    throw valueError("weights", `the parameters ${[...lengths.keys()].join(", ")}`, unknown);
  const flat = new Float64Array(total);
  let at = 0;
  for (const [name, length] of lengths) {
    const given = named[name];
    const numbers = typeof given === "number" ? [given] : given;
    if (numbers?.length !== length)
      throw valueError(`weights.${name}`, `${length} numbers`, numbers ? `${numbers.length}` : "none");
    flat.set(Float64Array.from(numbers), at);
    at += length;
  }
  return flat;
}

/**
 * The loss at weights from which processes can start; leaves the objective there. What is no number before the first step
 * is no divergence, and no learning rate mends it.
 *
 * @param curvature whether the Hessian is wanted: it is then looked at by one product, with ones
 * @throws InputValueError where loss, gradient or Hessian is no number
 */
export function finiteStart(objective: Objective, weights: Float64Array, curvature: boolean): number {
  objective.setWeights(weights);
  const loss = objective.loss();
  const fault = Number.isFinite(loss)
    ? (notFinite("gradient", objective.gradient()) ?? (curvature ? faultyCurvature(objective) : undefined))
    : `a loss of ${loss}`;
  if (fault === undefined) return loss;
  throw valueError(
    "run",
    `a finite loss${curvature ? ", gradient and Hessian" : " and gradient"} at the initial weights`,
    fault,
    "before the first step the learning rate is not to blame: look for rows of equal numbers under a norm, whose deviation 0 has no derivative, and for data or weights that are too large",
  );
}

function faultyCurvature(objective: Objective): string | undefined {
  const product = new Float64Array(objective.dimension);
  objective.hvp(new Float64Array(objective.dimension).fill(1), product, 1);
  return notFinite("Hessian's row", product);
}

function notFinite(what: string, values: Float64Array): string | undefined {
  const bad = values.findIndex((entry) => !Number.isFinite(entry));
  return bad < 0 ? undefined : `a ${what} of ${values[bad]} for weight ${bad}`;
}
