import { kindError, valueError } from "../../base/index.ts";
import { formatShape, type Shape, sizeOf } from "../graph/shape.ts";
import { multiply, reshape, sum } from "../tensor/operations.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Name → shape. */
export type Shapes = Readonly<Record<string, Shape>>;

/** One array with a row per example. */
export interface ExampleArray {
  /** [examples, …shape], row-major. */
  readonly data: Float64Array;
  /** The shape of one example, [] for one number. */
  readonly shape: Shape;
}

/** The arrays of the examples by name. */
export type ExampleArrays = Readonly<Record<string, ExampleArray>>;

/** A tensor for each name of a record. */
export type Tensors<Names> = { readonly [Name in keyof Names]: Tensor };

/** A loss without examples: any scalar function of the parameters. */
export interface WeightLoss<P extends Shapes = Shapes> {
  /** Name → shape; the flat weight vector holds them in this order, each row-major. */
  readonly parameters: P;
  /** Traced once. Returns a scalar. */
  loss(parameters: Tensors<P>): Tensor;
  readonly examples?: undefined;
  readonly outputs?: undefined;
  readonly criterion?: undefined;
  readonly rowWeights?: undefined;
}

/**
 * A loss over examples: L(w) = Σ_r ω_r·criterion(outputs(w, x), x)_r, over the rows r of all examples. The engine calls both
 * functions with as many examples at a time as it likes, and weighs the rows: neither may take a mean or a sum over
 * examples, and no example may depend on another. Checked at construction.
 */
export interface ExampleLoss<P extends Shapes = Shapes, E extends ExampleArrays = ExampleArrays> {
  /** Name → shape; the flat weight vector holds them in this order, each row-major. */
  readonly parameters: P;
  /** At least one array; all with the same number of examples. They are copied. */
  readonly examples: E;
  /** What the network answers: every array arrives with a leading axis of n examples; returns [n, …]. */
  outputs(parameters: Tensors<P>, examples: Tensors<E>): Tensor;
  /** One value per row of the outputs [n, …]: [n], or [n, …rows] where an example has several rows. */
  criterion(outputs: Tensor, examples: Tensors<E>): Tensor;
  /**
   * ω, one number per row in the order of the criterion's values over all examples. Default: 1/N each, N the number of
   * rows: the mean. A row of weight 0 is masked; its loss must still be finite.
   */
  readonly rowWeights?: Float64Array;
  readonly loss?: undefined;
}

/** A loss of named parameters, with examples or without. */
export type LossDefinition<P extends Shapes = Shapes, E extends ExampleArrays = ExampleArrays> =
  | WeightLoss<P>
  | ExampleLoss<P, E>;

/** An array as chunks of examples hold it. */
export interface ChunkArray extends ExampleArray {
  readonly name: string;
  /** What fills the last chunk when it is short: zeros, or the first example again, whose loss is finite. */
  readonly filling: "zeros" | "first example";
}

/** What a traced loss gives: its value, and for losses over examples what it is made of. */
export interface LossParts {
  readonly value: Tensor;
  readonly examples?: {
    readonly outputs: Tensor;
    /** The arrays that the value is a function of besides the outputs. */
    readonly arrays: readonly Tensor[];
    /** The weighed criterion of other outputs. */
    valueAt(outputs: Tensor): Tensor;
  };
}

/** A loss as the engine evaluates it: a sum over chunks of examples. */
export interface ChunkLoss {
  readonly parameters: Shapes;
  /** 0 for a loss without examples. */
  readonly examples: number;
  /** Those of the definition, then the weights of rows. */
  readonly arrays: readonly ChunkArray[];
  /** Traces a chunk's contribution; arrays have a leading axis of examples. */
  trace(parameters: readonly Tensor[], arrays: readonly Tensor[]): LossParts;
}

/** Throws, saying what to write, where a definition is neither of the two kinds. */
export function checkDefinition(definition: LossDefinition): void {
  if (typeof definition !== "object" || definition === null)
    throw kindError("loss definition", "a record of parameters and functions", String(definition));
  const { examples, outputs, criterion, loss } = definition;
  const has = Object.entries({ examples, outputs, criterion, loss })
    .filter(([, part]) => part !== undefined)
    .map(([name]) => name);
  const fine = examples === undefined ? has.join() === "loss" : has.join() === "examples,outputs,criterion";
  if (fine) return;
  throw kindError(
    "loss definition",
    "examples, outputs and criterion, or (without examples) loss alone",
    has.join(", ") || "none of them",
    "write outputs: (w, x) => one row per example, and criterion: (outputs, x) => one value per row, without mean or sum " +
      "over examples: the engine weighs rows by 1/N",
  );
}

/** The number of examples of a loss, 0 without example arrays. Throws where arrays disagree or hold no whole row. */
export function exampleCount({ examples }: LossDefinition): number {
  if (examples === undefined) return 0;
  const counts = Object.entries(examples).map(([name, { data, shape }]) => {
    if (!(data instanceof Float64Array) || !Array.isArray(shape))
      throw kindError(
        `examples.${name}`,
        "data, a Float64Array, and shape, the lengths of one example's axes",
        `data: ${typeof data}, shape: ${typeof shape}`,
        "write shape: [] for one number per example",
      );
    const count = data.length / sizeOf(shape);
    if (!Number.isInteger(count) || count < 1)
      throw valueError(
        `examples.${name}`,
        `at least one whole example of shape ${formatShape(shape)}`,
        `${data.length} numbers`,
      );
    return count;
  });
  if (counts.length === 0) throw valueError("examples", "at least one array", "none");
  if (counts.some((count) => count !== counts[0]))
    throw valueError("examples", "the same number of examples in every array", counts.join(", "));
  return counts[0];
}

/** The outputs and the loss of each row, traced for arrays with a leading axis of examples. Throws where they have none. */
export function traceRows(
  definition: ExampleLoss,
  parameters: readonly Tensor[],
  arrays: readonly Tensor[],
): { readonly outputs: Tensor; readonly rows: Tensor } {
  const batch = named(Object.keys(definition.examples), arrays);
  const [count] = arrays[0].shape;
  const outputs = definition.outputs(named(Object.keys(definition.parameters), parameters), batch);
  checkRows("outputs", outputs, count);
  return { outputs, rows: traceCriterion(definition, outputs, arrays) };
}

function traceCriterion(definition: ExampleLoss, outputs: Tensor, arrays: readonly Tensor[]): Tensor {
  const rows = definition.criterion(outputs, named(Object.keys(definition.examples), arrays));
  checkRows("criterion", rows, arrays[0].shape[0]);
  return rows;
}

/**
 * A definition as a sum over chunks; its arrays are copied.
 * @param rowShape the shape of one example's rows, [] for one row per example
 */
export function chunkLoss(definition: LossDefinition, rowShape: Shape): ChunkLoss {
  const { parameters } = definition;
  if (definition.examples === undefined)
    return {
      parameters,
      examples: 0,
      arrays: [],
      trace(weights) {
        const value = definition.loss(named(Object.keys(parameters), weights));
        if (!(value instanceof Tensor))
          throw kindError("loss", "a function that returns a tensor", typeof value);
        return { value };
      },
    };
  const examples = exampleCount(definition);
  const arrays = Object.entries(definition.examples).map(
    ([name, { data, shape }]): ChunkArray => ({
      name,
      data: data.slice(),
      shape,
      filling: "first example",
    }),
  );
  const data = rowWeights(definition.rowWeights, examples * sizeOf(rowShape));
  return {
    parameters,
    examples,
    arrays: [...arrays, { name: "row weights", data, shape: rowShape, filling: "zeros" }],
    trace(weights, tensors) {
      const given = tensors.slice(0, -1);
      const { outputs, rows } = traceRows(definition, weights, given);
      const weighed = (losses: Tensor): Tensor =>
        sum(multiply(reshape(losses, [-1]), reshape(tensors[given.length], [-1])));
      const valueAt = (other: Tensor): Tensor => weighed(traceCriterion(definition, other, given));
      return { value: weighed(rows), examples: { outputs, arrays: tensors, valueAt } };
    },
  };
}

/**
 * A loss of `indices.length` of a loss's examples, repeats allowed: Σ (N/B)·ω_r·loss_r over their rows. Its average over
 * batches in which every example is as likely as any other is the whole loss.
 */
export function batchLoss(whole: ChunkLoss, indices: ArrayLike<number>): ChunkLoss {
  const weigh = whole.examples / indices.length;
  const arrays = whole.arrays.map((array, at): ChunkArray => {
    const width = sizeOf(array.shape);
    const data = new Float64Array(indices.length * width);
    for (let i = 0; i < indices.length; i++)
      data.set(array.data.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
    // The weights of rows come last.
    if (at === whole.arrays.length - 1) for (let i = 0; i < data.length; i++) data[i] *= weigh;
    return { ...array, data };
  });
  return { ...whole, examples: indices.length, arrays };
}

function named(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
}

/** Throws unless a tensor has a leading axis of `count` examples. */
function checkRows(what: "outputs" | "criterion", rows: Tensor, count: number): void {
  if (!(rows instanceof Tensor)) throw kindError(what, "a function that returns a tensor", typeof rows);
  if (rows.shape[0] === count) return;
  const wanted = what === "criterion" ? "one value per row" : "one row per example";
  throw kindError(
    what,
    `${wanted}: for ${count} examples a tensor of shape [${count}, …]`,
    rows.shape.length === 0 ? "a scalar" : `one of shape ${formatShape(rows.shape)}`,
    what === "criterion"
      ? "return the loss of each row and leave mean and sum over examples to the engine, which weighs rows by 1/N"
      : "keep examples on the first axis",
  );
}

/** Weights of `count` rows: those given, checked, or 1/count each. */
function rowWeights(given: Float64Array | undefined, count: number): Float64Array {
  if (given === undefined) return new Float64Array(count).fill(1 / count);
  if (given.length !== count)
    throw valueError("rowWeights", `${count} numbers, one per row`, `${given.length}`);
  const bad = given.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0) throw valueError("rowWeights", "finite numbers", `${given[bad]} at position ${bad}`);
  if (given.every((weight) => weight === 0))
    throw valueError("rowWeights", "at least one weight that is not 0", "none");
  return given.slice();
}
