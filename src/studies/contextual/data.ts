import { cheapestPath, EDGES } from "./grid.ts";
import { NumpyRandom } from "./mersenne.ts";

const INPUTS = 5;
/** Subsets of the five inputs without the empty one: those of one, of two, …, each in lexicographic order. */
const SUBSETS: readonly (readonly number[])[] = [1, 2, 3, 4, 5].flatMap((size) => subsets(size, 0));

function subsets(size: number, from: number): number[][] {
  if (size === 0) return [[]];
  const found: number[][] = [];
  for (let first = from; first < INPUTS; first++)
    for (const rest of subsets(size - 1, first + 1)) found.push([first, ...rest]);
  return found;
}

/** Regressors of a model of the costs, the constant included: all products of distinct inputs, or the inputs. */
export type Model = "right" | "wrong";

/** How many regressors each model has. */
export const REGRESSORS: Readonly<Record<Model, number>> = { right: 1 + SUBSETS.length, wrong: 1 + INPUTS };

/** Examples, in rows. */
export interface Examples {
  readonly count: number;
  /** count × 32 and count × 6 */
  readonly regressors: Readonly<Record<Model, Float64Array>>;
  /** count × 40: the costs seen, with noise */
  readonly observed: Float64Array;
  /** count × 40: their means given the inputs */
  readonly expected: Float64Array;
}

/** The data of one experiment. */
export interface GridData {
  /** One set for fitting, one for choosing the penalty, for each replication. */
  readonly replications: readonly { readonly train: Examples; readonly holdout: Examples }[];
  readonly test: Examples;
  /** What the best path costs in each example of the test set, and the mean. */
  readonly optima: Float64Array;
  readonly optimum: number;
}

/** The size of the authors' experiment: replications, examples drawn for each set, and those of the test set. */
const DRAWN = { replications: 50, examples: 1000, test: 10000 } as const;

/**
 * The authors' data, number for number (seed 10; of each set as many examples as are used are kept): inputs are standard
 * normal, costs (Bφ + 3)·U[¾, 1¼] with B uniform on [0, 1).
 *
 * @param replications how many of the 50 are kept
 * @param examples how many of the 1000 of each set are kept
 */
export function gridData(replications: number, examples: number): GridData {
  const random = new NumpyRandom(10);
  const edges = EDGES.length;
  const weights = new Float64Array(edges * SUBSETS.length).map(() => random.uniform());
  const draw = (count: number, keep: number): Examples => {
    const inputs = new Float64Array(INPUTS * count).map(() => random.normal());
    const right = new Float64Array(keep * REGRESSORS.right);
    const wrong = new Float64Array(keep * REGRESSORS.wrong);
    const expected = new Float64Array(keep * edges);
    const observed = new Float64Array(keep * edges);
    for (let i = 0; i < keep; i++) {
      const at = i * REGRESSORS.right;
      right[at] = 1;
      SUBSETS.forEach((subset, s) => {
        right[at + 1 + s] = subset.reduce((product, input) => product * inputs[input * count + i], 1);
      });
      wrong.set(right.subarray(at, at + REGRESSORS.wrong), i * REGRESSORS.wrong);
      for (let edge = 0; edge < edges; edge++) {
        let sum = 3;
        for (let s = 0; s < SUBSETS.length; s++)
          sum += weights[edge * SUBSETS.length + s] * right[at + 1 + s];
        expected[i * edges + edge] = sum;
      }
    }
    for (let edge = 0; edge < edges; edge++)
      for (let i = 0; i < count; i++) {
        const factor = 0.75 + 0.5 * random.uniform();
        if (i < keep) observed[i * edges + edge] = expected[i * edges + edge] * factor;
      }
    return { count: keep, regressors: { right, wrong }, observed, expected };
  };
  const kept = (index: number): number => (index < replications ? examples : 0);
  const indices = Array.from({ length: DRAWN.replications }, (_, index) => index);
  const train = indices.map((index) => draw(DRAWN.examples, kept(index)));
  const holdout = indices.map((index) => draw(DRAWN.examples, kept(index)));
  const test = draw(DRAWN.test, DRAWN.test);
  const optima = bestCosts(test.expected);
  return {
    replications: indices.slice(0, replications).map((i) => ({ train: train[i], holdout: holdout[i] })),
    test,
    optima,
    optimum: optima.reduce((sum, cost) => sum + cost, 0) / test.count,
  };
}

/** The first examples of a set. */
export function firstOf({ regressors, observed, expected }: Examples, count: number): Examples {
  const edges = EDGES.length;
  return {
    count,
    regressors: {
      right: regressors.right.subarray(0, count * REGRESSORS.right),
      wrong: regressors.wrong.subarray(0, count * REGRESSORS.wrong),
    },
    observed: observed.subarray(0, count * edges),
    expected: expected.subarray(0, count * edges),
  };
}

/** What the best path costs in each example. @param costs 40 a row */
export function bestCosts(costs: Float64Array): Float64Array {
  return Float64Array.from(
    { length: costs.length / EDGES.length },
    (_, i) => cheapestPath(costs, i * EDGES.length).cost,
  );
}
