/** Elementwise primitives. Loops are written out for each, because a call per entry would cost more than most operations. */
import {
  cos as cosValue,
  erfc as erfcValue,
  erf as erfValue,
  exp as expValue,
  log as logValue,
  pow as powValue,
  sechSquared as sechSquaredValue,
  sigmoid as sigmoidValue,
  sin as sinValue,
  softplus as softplusValue,
  tanh as tanhValue,
  valueError,
} from "../../base/index.ts";
import type { BinaryName, ElementwiseName, UnaryName } from "../graph/graph.ts";
import { formatShape, type Shape, sameShape } from "../graph/shape.ts";
import {
  add,
  cos,
  divide,
  equal,
  exp,
  lessEqual,
  log,
  multiply,
  negate,
  power,
  sechSquared,
  select,
  sigmoid,
  sign,
  sin,
  square,
  subtract,
  tanh,
} from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { kernel1, kernel2, kernel3, type Span1, type Span2 } from "./loops.ts";
import type { JvpCall, PrimitiveRule, RuleTable, TransposeCall } from "./rule.ts";

/** The shape rule of elementwise primitives: all operands alike (broadcasting is a primitive of its own). */
const alike =
  (op: string) =>
  (_: unknown, shapes: readonly Shape[]): Shape => {
    if (shapes.some((shape) => !sameShape(shape, shapes[0])))
      throw valueError(op, "operands of one shape", shapes.map(formatShape).join(" and "));
    return shapes[0];
  };

/** A unary primitive: its loop and, unless it is constant almost everywhere, dy/dx as a tensor. */
function unary<K extends UnaryName>(
  op: K,
  span: Span1,
  derivative?: (x: Tensor, y: Tensor) => Tensor,
): PrimitiveRule<K> {
  return {
    access: "elementwise",
    shape: alike(op),
    jvp: ({ primals, result, tangents }) =>
      derivative && tangents[0] ? multiply(derivative(primals[0], result), tangents[0]) : undefined,
    kernel: (_, operands, shape) => kernel1(span, shape, operands),
  };
}

/** A binary primitive with its tangent rule and, if it can be linear, its transpose. */
function binary<K extends BinaryName>(
  op: K,
  span: Span2,
  jvp: (call: JvpCall<K>) => Tensor | undefined,
  transpose?: (call: TransposeCall<K>) => (Tensor | undefined)[],
): PrimitiveRule<K> {
  return {
    access: "elementwise",
    shape: alike(op),
    jvp,
    ...(transpose && { transpose }),
    kernel: (_, operands, shape) => kernel2(span, shape, operands),
  };
}

const constantAlmostEverywhere = (): undefined => undefined;

/** Sum of the terms that are not structurally zero. */
function sumOf(...terms: (Tensor | undefined)[]): Tensor | undefined {
  const present = terms.filter((term) => term !== undefined);
  return present.length === 0 ? undefined : present.reduce((a, b) => add(a, b));
}

/** b − 1, but 1 where a and b are both 0. */
function reducedExponent(a: Tensor, b: Tensor): Tensor {
  const reduced = subtract(b, 1);
  return select(equal(b, 0), select(equal(a, 0), 1, reduced), reduced);
}

const TWO_OVER_SQRT_PI = 1.1283791670955126;

/** The rule of every elementwise primitive, its loop and its derivative side by side. */
export const elementwiseRules: Pick<RuleTable, ElementwiseName> = {
  negate: {
    ...unary("negate", (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = -m[a];
    }),
    jvp: ({ tangents }) => tangents[0] && negate(tangents[0]),
    transpose: ({ cotangent }) => [negate(cotangent)],
  },

  /** d eˣ = eˣ dx */
  exp: unary(
    "exp",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = expValue(m[a]);
    },
    (_, y) => y,
  ),

  /** d log x = dx / x */
  log: {
    ...unary("log", (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = logValue(m[a]);
    }),
    jvp: ({ primals, tangents }) => tangents[0] && divide(tangents[0], primals[0]),
  },

  /** d sin x = cos x dx */
  sin: unary(
    "sin",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = sinValue(m[a]);
    },
    (x) => cos(x),
  ),

  /** d cos x = −sin x dx */
  cos: unary(
    "cos",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = cosValue(m[a]);
    },
    (x) => negate(sin(x)),
  ),

  /** d tanh x = dx/cosh² x: not 1 − y², which has no digits left where y is near ±1 */
  tanh: unary(
    "tanh",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = tanhValue(m[a]);
    },
    (x) => sechSquared(x),
  ),

  /** d(1/cosh² x) = −2 tanh x/cosh² x dx */
  sechSquared: unary(
    "sechSquared",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = sechSquaredValue(m[a]);
    },
    (x, y) => multiply(multiply(tanh(x), -2), y),
  ),

  /** d erf x = (2/√π) e^{−x²} dx */
  erf: unary(
    "erf",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = erfValue(m[a]);
    },
    (x) => multiply(exp(negate(square(x))), TWO_OVER_SQRT_PI),
  ),

  /** d erfc x = −(2/√π) e^{−x²} dx */
  erfc: unary(
    "erfc",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = erfcValue(m[a]);
    },
    (x) => multiply(exp(negate(square(x))), -TWO_OVER_SQRT_PI),
  ),

  /** d √x = dx / (2y) */
  sqrt: {
    ...unary("sqrt", (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = Math.sqrt(m[a]);
    }),
    jvp: ({ result, tangents }) => tangents[0] && divide(tangents[0], multiply(result, 2)),
  },

  /** d σ(x) = σ(x)·σ(−x) dx; written with σ(−x), not 1 − σ(x), so that it keeps its digits for large x. */
  sigmoid: unary(
    "sigmoid",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = sigmoidValue(m[a]);
    },
    (x, y) => multiply(y, sigmoid(negate(x))),
  ),

  /** d log(1 + eˣ) = σ(x) dx */
  softplus: unary(
    "softplus",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = softplusValue(m[a]);
    },
    (x) => sigmoid(x),
  ),

  /** d |x| = sign(x) dx */
  absolute: unary(
    "absolute",
    (m, o, n, a, as) => {
      for (let i = 0; i < n; i++, a += as) m[o + i] = Math.abs(m[a]);
    },
    (x) => sign(x),
  ),

  sign: unary("sign", (m, o, n, a, as) => {
    for (let i = 0; i < n; i++, a += as) {
      const x = m[a];
      m[o + i] = x > 0 ? 1 : x < 0 ? -1 : x;
    }
  }),

  stopGradient: unary("stopGradient", (m, o, n, a, as) => {
    for (let i = 0; i < n; i++, a += as) m[o + i] = m[a];
  }),

  add: binary(
    "add",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] + m[b];
    },
    ({ tangents }) => sumOf(...tangents),
    ({ linear, cotangent }) => linear.map((isLinear) => (isLinear ? cotangent : undefined)),
  ),

  subtract: binary(
    "subtract",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] - m[b];
    },
    ({ tangents: [a, b] }) => (a && b ? subtract(a, b) : (a ?? (b && negate(b)))),
    ({ linear, cotangent }) => [linear[0] ? cotangent : undefined, linear[1] ? negate(cotangent) : undefined],
  ),

  /** d(ab) = da·b + a·db */
  multiply: binary(
    "multiply",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] * m[b];
    },
    ({ primals: [a, b], tangents: [da, db] }) => sumOf(da && multiply(da, b), db && multiply(a, db)),
    ({ operands: [a, b], linear, cotangent }) => [
      linear[0] ? multiply(cotangent, b) : undefined,
      linear[1] ? multiply(a, cotangent) : undefined,
    ],
  ),

  /** d(a/b) = (da − y·db)/b */
  divide: binary(
    "divide",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] / m[b];
    },
    ({ primals: [, b], result, tangents: [da, db] }) => {
      const change = sumOf(da, db && negate(multiply(result, db)));
      return change && divide(change, b);
    },
    ({ operands: [, b], linear, cotangent }) => [linear[0] ? divide(cotangent, b) : undefined, undefined],
  ),

  /**
   * d(aᵇ) = b·a^{b−1} da + aᵇ·log a db, with the limits 0·0^{−1} = 0 and 0ᵇ·log 0 = 0. Both are taken by replacing an
   * operand rather than the result, so that the reverse mode of this rule meets no 0·∞ either. The exponent b − 1 is
   * replaced only where a and b are both 0: where b alone is, a^{b−1} must go on depending on b, since
   * ∂²aᵇ/∂a∂b = a^{b−1}(1 + b·log a) is 1/a there. Where a < 0 the second term is 0 (whole b) or NaN.
   */
  power: binary(
    "power",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = powValue(m[a], m[b]);
    },
    ({ primals: [a, b], result, tangents: [da, db] }) =>
      sumOf(
        da && multiply(multiply(b, power(a, reducedExponent(a, b))), da),
        db && multiply(multiply(result, log(select(lessEqual(a, 0), 1, a))), db),
      ),
  ),

  less: binary(
    "less",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] < m[b] ? 1 : 0;
    },
    constantAlmostEverywhere,
  ),

  lessEqual: binary(
    "lessEqual",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] <= m[b] ? 1 : 0;
    },
    constantAlmostEverywhere,
  ),

  equal: binary(
    "equal",
    (m, o, n, a, as, b, bs) => {
      for (let i = 0; i < n; i++, a += as, b += bs) m[o + i] = m[a] === m[b] ? 1 : 0;
    },
    constantAlmostEverywhere,
  ),

  /**
   * The condition has no tangent. In forward mode the branch not taken contributes an exact 0, whatever it holds. In reverse
   * mode it is sent an exact 0, which becomes NaN further up where a derivative is infinite: 0·∞.
   */
  select: {
    access: "elementwise",
    shape: alike("select"),
    jvp: ({ primals: [condition], tangents: [, a, b] }) =>
      a || b ? select(condition, a ?? 0, b ?? 0) : undefined,
    transpose: ({ operands: [condition], linear, cotangent }) => [
      undefined,
      linear[1] ? select(condition, cotangent, 0) : undefined,
      linear[2] ? select(condition, 0, cotangent) : undefined,
    ],
    kernel: (_, operands, shape) =>
      kernel3(
        (m, o, n, a, as, b, bs, c, cs) => {
          for (let i = 0; i < n; i++, a += as, b += bs, c += cs) m[o + i] = m[a] !== 0 ? m[b] : m[c];
        },
        shape,
        operands,
      ),
  },
};
