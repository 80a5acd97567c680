import fc from "fast-check";
import {
  absolute,
  add,
  array,
  broadcastTo,
  concatenate,
  cos,
  divide,
  equal,
  erf,
  exp,
  full,
  type Graph,
  gather,
  less,
  lessEqual,
  log,
  matmul,
  max,
  multiply,
  negate,
  pad,
  power,
  recurrence,
  reshape,
  type Shape,
  scatterAdd,
  select,
  sigmoid,
  sign,
  sin,
  sizeOf,
  slice,
  softplus,
  sqrt,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tanh,
  transpose,
} from "../../src/autodiff/index.ts";
import { newPlainTrace, newTrace, verifyGraph } from "../../src/autodiff/transforms/simplify.ts";
import { Random } from "../../src/base/index.ts";

export interface RandomGraph {
  readonly seed: number;
  /** How many operations were composed. */
  readonly size: number;
  /** Without the simplifications that tracing makes. */
  readonly plain: boolean;
}

export const randomGraphs: fc.Arbitrary<RandomGraph> = fc.record({
  seed: fc.nat(2 ** 31 - 1),
  size: fc.integer({ min: 5, max: 40 }),
  plain: fc.boolean(),
});

const UNARY = [negate, exp, log, sin, cos, tanh, erf, sqrt, sigmoid, softplus, absolute, sign, stopGradient];
const BINARY = [add, subtract, multiply, divide, power, less, lessEqual, equal];
const SMOOTH_UNARY = [negate, sin, cos, tanh, erf, sigmoid, softplus];
const SMOOTH_BINARY = [add, subtract, multiply];
const CONSTANTS = [0, -0, 1, -1, 2, 0.5, -0.25, 3, 0.1, Number.NaN, Number.POSITIVE_INFINITY];
const SMOOTH_CONSTANTS = [0, 1, -1, 2, 0.5, -0.25];
const LENGTHS = [0, 1, 2, 3, 4, 5];

const literals = new Map<string, Float64Array>();
function literal(random: Random, shape: Shape): Float64Array {
  const key = `${shape}|${random.integer(2)}`;
  const data = literals.get(key) ?? Float64Array.from({ length: sizeOf(shape) }, (_, i) => 0.5 * i - 1);
  literals.set(key, data);
  return data;
}

/** Composes random operations on what is there so far, operands reshaped, sliced or repeated to fit each other. */
class Composer {
  readonly tensors: Tensor[] = [];
  private readonly random: Random;
  private readonly smooth: boolean;

  constructor(random: Random, inputs: readonly Tensor[], smooth: boolean) {
    this.random = random;
    this.smooth = smooth;
    this.tensors.push(...inputs);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.random.integer(list.length)];
  }

  /** Any earlier value, the recent ones more often. */
  any(): Tensor {
    const back = this.random.integer(this.random.integer(this.tensors.length) + 1);
    return this.tensors[this.tensors.length - 1 - back];
  }

  /** An earlier value of this shape, or one made to fit: a constant, a literal, or a view of something smaller. */
  like(shape: Shape): Tensor {
    const equalShape = this.tensors.filter((tensor) => `${tensor.shape}` === `${shape}`);
    if (equalShape.length > 0 && this.random.integer(4) > 0) return this.pick(equalShape);
    const [first] = this.tensors;
    if (this.random.integer(3) === 0)
      return full(first, this.pick(this.smooth ? SMOOTH_CONSTANTS : CONSTANTS), shape);
    if (this.random.integer(4) === 0) return array(first, literal(this.random, shape), shape);
    const fitting = this.tensors.filter(
      (tensor) =>
        tensor.shape.length <= shape.length &&
        tensor.shape.every((n, i) => n === 1 || n === shape[shape.length - tensor.shape.length + i]),
    );
    return fitting.length > 0
      ? broadcastTo(this.pick(fitting), shape)
      : full(first, this.random.uniform(), shape);
  }

  step(): void {
    const x = this.any();
    const rank = x.shape.length;
    const result = this.pick([
      () => this.pick(this.smooth ? SMOOTH_UNARY : UNARY)(x),
      () => this.bounded(this.pick(this.smooth ? SMOOTH_BINARY : BINARY)(x, this.like(x.shape))),
      () => this.bounded(this.pick(this.smooth ? SMOOTH_BINARY : BINARY)(this.like(x.shape), x)),
      () => select(less(this.like(x.shape), x), x, this.like(x.shape)),
      () => this.move(x),
      () => this.move(x),
      () => this.bounded(this.reduce(x)),
      () => this.bounded(this.product(x)),
      () => (rank > 0 ? concatenate([x, this.like(x.shape), x].slice(this.random.integer(2)), rank - 1) : x),
      () => this.bounded(this.indexed(x)),
      () =>
        rank > 0 && x.shape[rank - 1] > 0
          ? this.bounded(
              recurrence(this.like(x.shape), x, { axis: rank - 1, reversed: this.random.integer(2) === 0 }),
            )
          : x,
    ])();
    if (sizeOf(result.shape) <= 300 && result.shape.length <= 4) this.tensors.push(result);
  }

  /** What may grow without end is bounded in smooth functions, so that their derivatives stay of moderate size. */
  private bounded(x: Tensor): Tensor {
    return this.smooth ? sin(x) : x;
  }

  private move(x: Tensor): Tensor {
    const rank = x.shape.length;
    const small = (): number[] => x.shape.map(() => this.random.integer(2));
    return this.pick([
      () => transpose(x, this.random.permutation(rank)),
      () =>
        reshape(
          x,
          this.random.permutation(rank).map((axis) => x.shape[axis]),
        ),
      () => reshape(x, [sizeOf(x.shape)]),
      () => broadcastTo(x, [this.pick([1, 2, 3]), ...x.shape]),
      () => pad(x, small(), small(), small()),
      () => {
        const starts = x.shape.map((n) => this.random.integer(n + 1));
        const steps = x.shape.map(() => 1 + this.random.integer(2));
        const sizes = x.shape.map((n, axis) => Math.ceil((n - starts[axis]) / steps[axis]));
        return slice(x, starts, sizes, steps);
      },
    ])();
  }

  private reduce(x: Tensor): Tensor {
    if (x.shape.length === 0) return x;
    const axes = x.shape.map((_, axis) => axis).filter(() => this.random.integer(2) === 0);
    const chosen = { axes: axes.length > 0 ? axes : [0], keepAxes: this.random.integer(2) === 0 };
    return this.smooth || this.random.integer(2) === 0 ? sum(x, chosen) : max(x, chosen);
  }

  private product(x: Tensor): Tensor {
    const rank = x.shape.length;
    if (rank < 2) return x;
    const transposeA = this.random.integer(2) === 0;
    const transposeB = this.random.integer(2) === 0;
    const inner = x.shape[transposeA ? rank - 2 : rank - 1];
    const n = this.pick(LENGTHS);
    const batch = this.random.integer(2) === 0 ? x.shape.slice(0, -2) : [];
    return matmul(x, this.like([...batch, ...(transposeB ? [n, inner] : [inner, n])]), {
      transposeA,
      transposeB,
    });
  }

  private indexed(x: Tensor): Tensor {
    const [rows] = x.shape;
    if (rows === undefined || rows === 0) return x;
    const indices = array(
      x,
      Float64Array.from({ length: rows }, () => this.random.integer(this.smooth ? rows : 3)),
      [rows],
    );
    return this.random.integer(2) === 0 ? gather(x, indices) : scatterAdd(x, indices, 3);
  }
}

export interface BuiltGraph {
  readonly graph: Graph;
  readonly inputs: Float64Array[];
}

/** A verified graph of three inputs; its outputs are the last values, an input, a constant, and one value twice. */
export function build({ seed, size, plain }: RandomGraph): BuiltGraph {
  const random = new Random(seed, "graph");
  const trace = plain ? newPlainTrace() : newTrace();
  const shapes = [[], [3, 4], [2, 3, 4], [4], [1, 3], [5, 1, 2], [0, 3]];
  const inputs = Array.from({ length: 3 }, (_, i) => trace.input(`x${i}`, shapes[random.integer(7)]));
  const composer = new Composer(random, inputs, false);
  for (let i = 0; i < size; i++) composer.step();
  const tensors = composer.tensors.slice(-4);
  const outputs = [...tensors, composer.any(), tensors[0], inputs[1], full(inputs[0], 1.5, [2, 2])];
  return {
    graph: verifyGraph(trace.graph(inputs, outputs)),
    inputs: inputs.map((input) =>
      Float64Array.from({ length: sizeOf(input.shape) }, () => 3 * random.normal()),
    ),
  };
}

/** A smooth scalar function of a [3, 4] tensor, composed of operations without kinks or poles. */
export function smoothFunction(seed: number, size: number): (x: Tensor) => Tensor {
  return (x) => {
    const random = new Random(seed, "function");
    const composer = new Composer(random, [x, tanh(x), sin(multiply(x, 0.5))], true);
    for (let i = 0; i < size; i++) composer.step();
    const parts = composer.tensors.slice(-4).map((tensor) => sum(tanh(multiply(tensor, 0.25))));
    return parts.reduce((total, part) => add(total, part));
  };
}
