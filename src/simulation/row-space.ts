import { array, concatenate, type Tensor } from "../autodiff/index.ts";
import { type ShouldStop, sizeOf, valueError } from "../base/index.ts";
import type { Dataset, Examples } from "../data/index.ts";
import { selectedIndices, type UpdateRule } from "../flows/index.ts";
import { addFromCoordinates, crossProducts, type RowSpace, rowSpace } from "../linalg/index.ts";
import type { Model } from "../models/index.ts";
import type { RunConfig } from "../settings/index.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Training in the row space of the inputs. Where a network meets an example x first by W x, gradients of W are combinations of
 * the training examples: with a rule that treats all directions alike, W moves in the space that these span, and what it
 * has beside that stays as it began, unseen by the training loss. So W = W⊥ + A Q, with orthonormal rows Q of that space, and the
 * run moves A, which has as many columns as there are independent examples. A ↦ A Q keeps lengths and angles: every
 * eigenvalue but zeros, every distance and inner product is that of W (docs/derivations.md, section 20).
 */

/** Multiplications of one product of the first layer from which the basis is worth its time. */
const WORTH = 2 ** 24;
/** The most of the inputs' dimensions that may be left. */
const MOST_LEFT = 0.75;

/** The weights that a run moves, beside those of its network. */
export interface Coordinates {
  /** Weights of the network. */
  readonly dimension: number;
  /** Dimensions of an example, and of the space that the training examples span. */
  readonly inputs: number;
  readonly rank: number;
  /** The network's weights. */
  toNetwork(weights: Float64Array): Float64Array;
  /** The entries that are logged, of a vector like the gradient. */
  selected(vector: Float64Array): Float64Array;
}

/** A network on real inputs that may be taken over their row space. */
export interface Reducible {
  readonly model: Model;
  readonly dataset: Dataset;
  /** The same network on so many inputs. */
  readonly withInputs: (count: number) => Model;
}

/** What a run moves in place of its network's weights. */
export interface Reduced {
  readonly coordinates: Coordinates;
  /** The start of the run. */
  readonly weights: Float64Array;
  readonly train: { readonly model: Model; readonly examples: Examples };
  readonly test: { readonly model: Model; readonly examples: Examples } | undefined;
}

/** Why a rule does not keep to the row space; undefined where it does. */
export function leavesRowSpace(rule: UpdateRule): string | undefined {
  const { decay, direction, projection } = rule;
  if (decay) return "weight decay, which shrinks all weights";
  if (projection) return "a projection of gradients";
  const perWeight = Object.values(rule.state(2)).some((shape) => sizeOf(shape) > 1);
  return direction || perWeight ? `${rule.name}, which keeps numbers for each weight` : undefined;
}

/**
 * A network and its start over the row space of the training inputs.
 *
 * @param weights of the network, at the start @param always also where it saves too little to be worth it
 * @returns undefined where it does not pay
 * @throws InputValueError where `always` and the network does not meet its inputs by a matrix first; Stopped where `shouldStop`
 *   answers true
 * Cost: 2.5·n·r·d multiplications for n examples of d numbers and rank r, some 2.5·n/units products of the first layer; 8·r·d bytes
 * that stay.
 */
export function overRowSpace(
  { model, dataset, withInputs }: Reducible,
  weights: Float64Array,
  always: boolean,
  shouldStop?: ShouldStop,
): Reduced | undefined {
  const name = model.inputWeights;
  if (name === undefined) {
    if (!always) return undefined;
    throw valueError("--row-space", "a network that multiplies its inputs by a matrix first", model.name);
  }
  const { train, test } = dataset;
  const [units, inputs] = model.parameters[name];
  const pays = train.n * inputs * units >= WORTH && train.n <= MOST_LEFT * inputs;
  if (!always && !pays) return undefined;
  const space = rowSpace(train.inputs, train.n, inputs, shouldStop);
  const { rank, coordinates: examples } = space;
  if (rank === 0) {
    if (!always) return undefined;
    throw valueError("--row-space", "an input that is not zero", "zeros alone");
  }
  const from = Object.keys(model.parameters)
    .slice(0, Object.keys(model.parameters).indexOf(name))
    .reduce((total, before) => total + sizeOf(model.parameters[before]), 0);
  const first = weights.subarray(from, from + units * inputs);
  // A = W Qᵀ and W⊥ = W − A Q.
  const moved = crossProducts(first, units, space.basis, rank, inputs);
  const resting = first.slice();
  addFromCoordinates(
    space,
    moved.map((entry) => -entry),
    units,
    resting,
  );
  const shrunk = withInputs(rank);
  return {
    coordinates: coordinatesOf(space, resting, { from, units, inputs, dimension: weights.length }),
    weights: replaced(weights, from, units * inputs, moved),
    train: { model: shrunk, examples: { ...train, inputs: examples, shape: [rank] } },
    test: test && {
      model: withRest(shrunk, withInputs(rank + units), name, units),
      examples: withRests(test, space, resting, units),
    },
  };
}

/** Where the first layer's weights lie among the network's. */
interface Place {
  readonly from: number;
  readonly units: number;
  readonly inputs: number;
  readonly dimension: number;
}

function coordinatesOf(
  space: RowSpace,
  resting: Float64Array,
  { from, units, inputs, dimension }: Place,
): Coordinates {
  const { rank, basis } = space;
  const whole = units * inputs;
  const shrinkage = whole - units * rank;
  return {
    dimension,
    inputs,
    rank,
    toNetwork(weights) {
      const first = resting.slice();
      addFromCoordinates(space, weights.subarray(from, from + units * rank), units, first);
      return replaced(weights, from, units * rank, first);
    },
    selected: (vector) =>
      Float64Array.from(selectedIndices(dimension), (l) => {
        if (l < from) return vector[l];
        if (l >= from + whole) return vector[l - shrinkage];
        const unit = Math.floor((l - from) / inputs);
        const input = (l - from) % inputs;
        let total = 0;
        for (let j = 0; j < rank; j++) total += vector[from + unit * rank + j] * basis[j * inputs + input];
        return total;
      }),
  };
}

/** A vector with another stretch in place of the `length` entries from `from` on. */
function replaced(vector: Float64Array, from: number, length: number, stretch: Float64Array): Float64Array {
  const out = new Float64Array(vector.length - length + stretch.length);
  out.set(vector.subarray(0, from));
  out.set(stretch, from);
  out.set(vector.subarray(from + length), from + stretch.length);
  return out;
}

/**
 * Test examples are not in the space: x = Qᵀ(Q x) + x⊥, and W x = A Q x + W⊥ x⊥. They carry W⊥ x⊥ = W⊥ x behind their
 * coordinates Q x, and meet the matrix [A, 1].
 */
function withRests(test: Examples, space: RowSpace, resting: Float64Array, units: number): Examples {
  const { rank, basis } = space;
  const d = basis.length / rank;
  const inside = crossProducts(test.inputs, test.n, basis, rank, d);
  const rests = crossProducts(test.inputs, test.n, resting, units, d);
  const width = rank + units;
  const inputs = new Float64Array(test.n * width);
  for (let i = 0; i < test.n; i++) {
    inputs.set(inside.subarray(i * rank, (i + 1) * rank), i * width);
    inputs.set(rests.subarray(i * units, (i + 1) * units), i * width + rank);
  }
  return { ...test, inputs, shape: [width] };
}

/** The network on such examples, of the parameters that the run moves. */
function withRest(shrunk: Model, wide: Model, name: string, units: number): Model {
  return {
    ...shrunk,
    forward: (parameters, inputs) =>
      wide.forward({ ...parameters, [name]: withIdentity(parameters[name], units) }, inputs),
  };
}

/** [A, 1]. */
function withIdentity(matrix: Tensor, units: number): Tensor {
  const identity = new Float64Array(units * units);
  for (let i = 0; i < units; i++) identity[i * units + i] = 1;
  return concatenate([matrix, array(matrix, identity, [units, units])], 1);
}

/** The configuration of a run whose weights are the network's own, as its files hold them. */
export const inNetworkWeights = (config: RunConfig): RunConfig => ({ ...config, rowSpace: "off" });

/** A snapshot as files hold it: `w` of each process the network's weights, and what the run moves as `moved`. */
export function outward(snapshot: Snapshot, { toNetwork }: Coordinates): Snapshot {
  const arrays = new Map(snapshot.arrays);
  for (const [key, data] of snapshot.arrays)
    if (key.endsWith(".w")) arrays.set(key, toNetwork(data)).set(`${key.slice(0, -1)}moved`, data);
  return { ...snapshot, arrays };
}

/** The other way: a part without `moved` is left as it is. */
export function inward<S extends Pick<Snapshot, "arrays">>(saved: S): S {
  const arrays = new Map(saved.arrays);
  for (const [key, data] of saved.arrays)
    if (key.endsWith(".moved")) {
      arrays.set(`${key.slice(0, -"moved".length)}w`, data);
      arrays.delete(key);
    }
  return { ...saved, arrays };
}
