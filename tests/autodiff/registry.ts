import fc from "fast-check";
import {
  broadcastTo,
  type Graph,
  type PrimitiveName,
  reshape,
  type Shape,
  sizeOf,
  slice,
  type Tensor,
  transpose,
} from "../../src/autodiff/index.ts";
import { Random } from "../../src/base/index.ts";

export const SEED = 7;

type ParamsOf<K extends PrimitiveName> = Extract<Graph["nodes"][number], { op: K }>["params"];

/** How the numbers of an operand are drawn; all magnitudes are of order one and away from kinks and poles. */
type Draw =
  | "any"
  | "positive"
  /** Away from 0, both signs. */
  | "nonzero"
  /** Pairwise different by more than any step of a difference quotient. */
  | "distinct"
  /** Whole numbers and whole numbers plus one half: never equal between the two. */
  | "whole"
  | "half"
  /** 0 or 1. */
  | "flag"
  /** Whole numbers that are rows of the table of the sample. */
  | "row";

/** One valid application of a primitive. */
export interface Sample<K extends PrimitiveName = PrimitiveName> {
  readonly params: ParamsOf<K>;
  readonly shapes: readonly Shape[];
  readonly draws: readonly Draw[];
  /** The number of rows that "row" draws may name. */
  readonly rows?: number;
}

export interface Entry<K extends PrimitiveName> {
  readonly sample: fc.Arbitrary<Sample<K>>;
  /** The sets of operands in which the primitive is linear, the others held fixed. */
  readonly linearIn: (arity: number) => number[][];
  /** Operands that may be moved a little: all but conditions, indices and what is compared with 0 steps. */
  readonly movable: (arity: number) => number[];
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const length = fc.constantFrom(0, 1, 1, 2, 3, 4, 5);
const positiveLength = fc.constantFrom(1, 2, 3, 5);

/** Shapes of rank 0 to 4 with at most 60 entries, axes of length 0 and 1 among them. */
export const shape = (minimumRank = 0, axis = length): fc.Arbitrary<number[]> =>
  fc
    .array(axis, { minLength: minimumRank, maxLength: 4 })
    .map((lengths) => lengths.map((n, i) => (sizeOf(lengths.slice(0, i + 1)) > 60 ? 1 : n)));

const never = (): number[][] => [];
const alone =
  (...operands: number[]) =>
  (): number[][] =>
    operands.map((operand) => [operand]);
const everyOperand = (arity: number): number[] => range(arity);
const only =
  (...operands: number[]) =>
  (): number[] =>
    operands;

type NoParams =
  | "negate"
  | "exp"
  | "log"
  | "sin"
  | "cos"
  | "tanh"
  | "sechSquared"
  | "erf"
  | "erfc"
  | "sqrt"
  | "sigmoid"
  | "softplus";
type Elementwise =
  | NoParams
  | "absolute"
  | "sign"
  | "stopGradient"
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "power"
  | "less"
  | "lessEqual"
  | "equal"
  | "select";

function elementwise<K extends Elementwise>(
  draws: readonly Draw[],
  linearIn: Entry<K>["linearIn"] = never,
  movable: Entry<K>["movable"] = everyOperand,
): Entry<K> {
  const sample = shape().map((operand): Sample<K> => {
    return { params: {} as ParamsOf<K>, shapes: draws.map(() => operand), draws };
  });
  return { sample, linearIn, movable };
}

const shuffled = (n: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(range(n), { minLength: n, maxLength: n });
const someOf = (n: number): fc.Arbitrary<number[]> => fc.subarray(range(n));

/** A movement or reduction: one operand, any numbers, linear. */
function linear<K extends PrimitiveName>(
  sample: fc.Arbitrary<readonly [Shape, ParamsOf<K>]>,
  draw: Draw = "any",
): Entry<K> {
  return {
    sample: sample.map(([operand, params]) => ({ params, shapes: [operand], draws: [draw] })),
    linearIn: alone(0),
    movable: everyOperand,
  };
}

/** Another shape with as many entries: factors of the size in random order. */
const reshaped = (from: readonly number[]): fc.Arbitrary<number[]> =>
  fc.tuple(shuffled(from.length), fc.boolean(), fc.boolean()).map(([order, one, flat]) => {
    const lengths = flat ? [sizeOf(from)] : order.map((axis) => from[axis]);
    return one ? [...lengths, 1] : lengths;
  });

const reduction = shape(1).chain((operand) =>
  fc
    .subarray(range(operand.length), { minLength: 1 })
    .map((axes) => [operand, { axes: axes.sort((a, b) => a - b) }] as const),
);

const slices = shape().chain((operand) =>
  fc
    .tuple(
      ...operand.map((n) =>
        fc.tuple(fc.nat(n), fc.constantFrom(1, 1, 2, 3), fc.nat(5)).map(([start, step, wanted]) => {
          const most = start >= n ? 0 : Math.ceil((n - start) / step);
          return { start, step, size: Math.min(wanted, most) };
        }),
      ),
    )
    .map((cuts) => {
      const params = {
        starts: cuts.map((cut) => cut.start),
        sizes: cuts.map((cut) => cut.size),
        steps: cuts.map((cut) => cut.step),
      };
      return [operand, params] as const;
    }),
);

const pads = shape(0, fc.constantFrom(0, 1, 2, 3)).chain((operand) => {
  const counts = fc.array(fc.nat(2), { minLength: operand.length, maxLength: operand.length });
  return fc
    .tuple(counts, counts, counts)
    .map(([low, high, interior]) => [operand, { low, high, interior }] as const);
});

const broadcasts = shape().chain((result) =>
  someOf(result.length).map((axes) => {
    const kept = axes.sort((a, b) => a - b);
    return [kept.map((axis) => result[axis]), { shape: result, axes: kept }] as const;
  }),
);

const products = fc
  .tuple(
    fc.array(fc.constantFrom(0, 1, 2), { maxLength: 2 }),
    fc.constantFrom(0, 1, 2, 3, 5),
    fc.constantFrom(0, 1, 3, 4, 6),
    fc.constantFrom(0, 1, 2, 5, 130),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([batch, m, n, k, transposeA, transposeB]): Sample<"matmul"> => {
    const a = transposeA ? [k, m] : [m, k];
    const b = transposeB ? [n, k] : [k, n];
    return {
      params: { transposeA, transposeB },
      shapes: [
        [...batch, ...a],
        [...batch, ...b],
      ],
      draws: ["any", "any"],
    };
  });

const tables = fc.tuple(
  positiveLength,
  shape(0, fc.constantFrom(0, 1, 2, 3)).map((lengths) => lengths.slice(0, 2)),
  shape(0, fc.constantFrom(0, 1, 2, 3)).map((lengths) => lengths.slice(0, 2)),
);

/** Convolutions by which of the three arrays is wanted; the other two come in the order input, kernel, output. */
const convolutions = fc
  .record({
    wanted: fc.constantFrom("input", "kernel", "output"),
    images: fc.constantFrom(0, 1, 2),
    channels: fc.constantFrom(1, 2, 3),
    outputs: fc.constantFrom(0, 1, 2, 5),
    kernel: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2)),
    input: fc.tuple(fc.constantFrom(1, 3, 4, 5), fc.constantFrom(1, 2, 4)),
    stride: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
    padding: fc.tuple(fc.constantFrom(0, 1, 2), fc.constantFrom(0, 1)),
  })
  .map((c): Sample<"convolution"> => {
    const output = [0, 1].map((axis) =>
      Math.max(0, Math.floor((c.input[axis] + 2 * c.padding[axis] - c.kernel[axis]) / c.stride[axis]) + 1),
    );
    const arrays = {
      input: [c.images, c.channels, ...c.input],
      kernel: [c.outputs, c.channels, ...c.kernel],
      output: [c.images, c.outputs, ...output],
    };
    const roles = (["input", "kernel", "output"] as const).filter((role) => role !== c.wanted);
    const [, , height, width] = arrays[c.wanted];
    return {
      params: { wanted: c.wanted, stride: c.stride, padding: c.padding, size: [height, width] },
      shapes: roles.map((role) => arrays[role]),
      draws: ["any", "any"],
    };
  });

/** Every primitive with valid applications of it; one without an entry fails type checking. */
export const REGISTRY: { readonly [K in PrimitiveName]: Entry<K> } = {
  negate: elementwise(["any"], alone(0)),
  exp: elementwise(["any"]),
  log: elementwise(["positive"]),
  sin: elementwise(["any"]),
  cos: elementwise(["any"]),
  tanh: elementwise(["any"]),
  sechSquared: elementwise(["any"]),
  erf: elementwise(["any"]),
  erfc: elementwise(["any"]),
  sqrt: elementwise(["positive"]),
  sigmoid: elementwise(["any"]),
  softplus: elementwise(["any"]),
  absolute: elementwise(["nonzero"]),
  sign: elementwise(["nonzero"]),
  stopGradient: elementwise(["any"], never, only()),
  add: elementwise(["any", "any"], () => [[0], [1], [0, 1]]),
  subtract: elementwise(["any", "any"], () => [[0], [1], [0, 1]]),
  multiply: elementwise(["any", "any"], alone(0, 1)),
  divide: elementwise(["any", "nonzero"], alone(0)),
  power: elementwise(["positive", "any"]),
  less: elementwise(["whole", "half"]),
  lessEqual: elementwise(["whole", "half"]),
  equal: elementwise(["whole", "half"]),
  select: elementwise(["flag", "any", "any"], () => [[1], [2], [1, 2]], only(1, 2)),
  reshape: linear(shape().chain((from) => reshaped(from).map((to) => [from, { shape: to }] as const))),
  transpose: linear(
    shape().chain((from) => shuffled(from.length).map((permutation) => [from, { permutation }] as const)),
  ),
  broadcast: linear(broadcasts),
  slice: linear(slices),
  pad: linear(pads),
  concatenate: {
    sample: shape(1, fc.constantFrom(0, 1, 2, 3)).chain((first) =>
      fc
        .tuple(fc.nat(first.length - 1), fc.array(fc.constantFrom(0, 1, 2), { maxLength: 2 }))
        .map(([axis, others]): Sample<"concatenate"> => {
          const shapes = [first, ...others.map((n) => first.map((old, i) => (i === axis ? n : old)))];
          return { params: { axis }, shapes, draws: shapes.map(() => "any") };
        }),
    ),
    linearIn: (arity) => [range(arity), ...range(arity).map((operand) => [operand])],
    movable: everyOperand,
  },
  sum: linear(reduction),
  max: {
    ...linear(
      reduction.filter(([operand, { axes }]) => axes.every((axis) => operand[axis] > 0)),
      "distinct",
    ),
    linearIn: never,
  },
  matmul: { sample: products, linearIn: alone(0, 1), movable: everyOperand },
  gather: {
    sample: tables.map(([rows, width, indices]) => ({
      params: {},
      shapes: [[rows, ...width], indices],
      draws: ["any", "row"],
      rows,
    })),
    linearIn: alone(0),
    movable: only(0),
  },
  scatterAdd: {
    sample: tables.map(([rows, width, indices]) => ({
      params: { rows },
      shapes: [[...indices, ...width], indices],
      draws: ["any", "row"],
      // One index beyond the last row: its updates are dropped.
      rows: rows + 1,
    })),
    linearIn: alone(0),
    movable: only(0),
  },
  convolution: { sample: convolutions, linearIn: alone(0, 1), movable: everyOperand },
  recurrence: {
    sample: shape(1, positiveLength).chain((operand) =>
      fc.tuple(fc.nat(operand.length - 1), fc.boolean()).map(([axis, reversed]): Sample<"recurrence"> => {
        return { params: { axis, reversed }, shapes: [operand, operand], draws: ["any", "any"] };
      }),
    ),
    linearIn: alone(1),
    movable: everyOperand,
  },
};

export const PRIMITIVES = Object.keys(REGISTRY) as PrimitiveName[];

/** An operand as a view of an input: how the input is shaped, and the way from it to the operand. */
export interface Operand {
  readonly view: "plain" | "transposed" | "sliced" | "repeated" | "spread";
  readonly inputShape: Shape;
  readonly apply: (input: Tensor) => Tensor;
}

/** Ways to get an operand of this shape: itself, axes reversed, every second entry, an axis or all of them repeated. */
export function operandOf(view: Operand["view"], wanted: Shape): Operand {
  const rank = wanted.length;
  if (view === "transposed" && rank > 1) {
    const order = range(rank).reverse();
    return {
      view,
      inputShape: order.map((axis) => wanted[axis]),
      apply: (input) => transpose(input, order),
    };
  }
  if (view === "sliced" && rank > 0) {
    const starts = wanted.map(() => 1);
    const steps = wanted.map((_, axis) => (axis === rank - 1 ? 2 : 1));
    const inputShape = wanted.map((n, axis) => 2 + n * steps[axis]);
    return { view, inputShape, apply: (input) => slice(input, starts, wanted, steps) };
  }
  if (view === "repeated" && rank > 0) {
    const inputShape = wanted.map((n, axis) => (axis === rank - 1 ? 1 : n));
    return { view, inputShape, apply: (input) => broadcastTo(input, wanted) };
  }
  if (view === "spread")
    return { view, inputShape: [], apply: (input) => broadcastTo(reshape(input, []), wanted) };
  return { view: "plain", inputShape: wanted, apply: (input) => input };
}

/** A sample with a view for each operand and a seed for its numbers. */
export interface Case<K extends PrimitiveName = PrimitiveName> {
  readonly sample: Sample<K>;
  readonly operands: readonly Operand[];
  readonly seed: number;
}

const views = fc.constantFrom<Operand["view"]>(
  "plain",
  "plain",
  "transposed",
  "sliced",
  "repeated",
  "spread",
);

export function cases<K extends PrimitiveName>(op: K): fc.Arbitrary<Case<K>> {
  const { sample } = REGISTRY[op] as Entry<K>;
  return fc
    .tuple(sample, fc.array(views, { minLength: 4, maxLength: 4 }), fc.nat(2 ** 31 - 1))
    .map(([drawn, chosen, seed]) => ({
      sample: drawn,
      operands: drawn.shapes.map((wanted, i) => operandOf(chosen[i], wanted)),
      seed,
    }));
}

/** Numbers for an operand's input. */
export function draw(kind: Draw, size: number, random: Random, rows = 1): Float64Array {
  const order = random.permutation(size);
  const sign = (): number => (random.uniform() < 0.5 ? -1 : 1);
  return Float64Array.from({ length: size }, (_, i) => {
    switch (kind) {
      case "any":
        return 4 * random.uniform() - 2;
      case "positive":
        return 0.6 + 1.8 * random.uniform();
      case "nonzero":
        return sign() * (0.7 + random.uniform());
      case "distinct":
        return 0.25 * (order[i] - size / 2) + 0.05 * random.uniform();
      case "whole":
        return random.integer(5) - 2;
      case "half":
        return random.integer(5) - 1.5;
      case "flag":
        return random.integer(2);
      case "row":
        return random.integer(rows);
    }
  });
}

/** Whole numbers of two bits, with which linear algebra is exact; what divides is ±1 or ±2, flags and rows stay. */
export function drawExact(kind: Draw, size: number, random: Random, rows = 1): Float64Array {
  if (kind === "flag" || kind === "row") return draw(kind, size, random, rows);
  return Float64Array.from({ length: size }, () =>
    kind === "nonzero" ? [-2, -1, 1, 2][random.integer(4)] : random.integer(7) - 3,
  );
}

export const inputsOf = (test: Case, numbers: typeof draw): Float64Array[] => {
  const random = new Random(test.seed, "operands");
  return test.operands.map(({ inputShape }, i) =>
    numbers(test.sample.draws[i], sizeOf(inputShape), random, test.sample.rows),
  );
};

/** The primitive applied to the inputs of a case, through their views. */
export function applied(op: PrimitiveName, test: Case, inputs: readonly Tensor[]): Tensor {
  const operands = test.operands.map((operand, i) => operand.apply(inputs[i]));
  return operands[0].trace.emit(op, operands, test.sample.params as never);
}

export const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
export const absoluteDot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, x, i) => sum + Math.abs(x * b[i]), 0);
