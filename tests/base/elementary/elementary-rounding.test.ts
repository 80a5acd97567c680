import { expect, test } from "vitest";
import {
  cos,
  erf,
  erfc,
  exp,
  expm1,
  log,
  log1p,
  pow,
  Random,
  sechSquared,
  sigmoid,
  sin,
  softplus,
  tanh,
} from "../../../src/base/index.ts";
import * as exact from "./exact.ts";
import { bitsOf, type Exact, exactly, fromBits, ulpError } from "./exact.ts";

const SEED = 20;
const SAMPLES = 4000;

type Interval = readonly [low: number, high: number];

interface Case {
  readonly f: (x: number) => number;
  readonly reference: (x: Exact) => Exact;
  /** Promised largest error in ulp. */
  readonly bound: number;
  /** Sampled evenly and by exponent; points outside are dropped. */
  readonly domain: Interval;
  readonly intervals: readonly Interval[];
  /** Points where the algorithm changes table row or formula. */
  readonly seams: readonly number[];
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const bothSigns = (xs: number[]) => [...xs, ...xs.map((x) => -x)];
const step = Math.LN2 / 128;
const stepSeams = bothSigns([
  ...range(300).map((i) => (i + 0.5) * step),
  ...range(40).map((i) => (i + 0.5) * Math.LN2),
]);
const logSeams = range(256).map((i) => fromBits(BigInt(0x3fe61000 + (i << 13)) << 32n));
const subnormals: Interval = [2 ** -1074, 2 ** -1022];
/** Where the quarter turn changes, and where sine or cosine vanish: the neighbours of odd and even multiples of π/4. */
const quarterSeams = bothSigns([
  ...range(200).map((i) => exact.quarterTurn(i) / 2),
  ...range(700).map((i) => exact.quarterTurn(1 + 953 * i)),
  2 ** 20,
  // The double nearest to a multiple of π/2, relative to its size (Kahan 1983), and the largest double.
  6381956970095103 * 2 ** 797,
  Number.MAX_VALUE,
]);
const waves = {
  bound: 1,
  domain: [-Number.MAX_VALUE, Number.MAX_VALUE],
  intervals: [
    [-1, 1],
    [-8, 8],
    [-1e5, 1e5],
    [-(2 ** 20), 2 ** 20],
    [2 ** 20, 2 ** 54],
    [-1e-7, 1e-7],
    subnormals,
  ],
  seams: quarterSeams,
} satisfies Partial<Case>;

const cases: Record<string, Case> = {
  exp: {
    f: exp,
    reference: exact.exactExp,
    bound: 1,
    domain: [-745.2, 709.79],
    intervals: [
      [-1, 1],
      [-0.01, 0.01],
      [-745.13, -708],
      [709, 709.78],
    ],
    seams: [...stepSeams, -708.3964185322641, 709.782712893384, -745.1332191019411],
  },
  expm1: {
    f: expm1,
    reference: exact.exactExpm1,
    bound: 1,
    domain: [-60, 709.79],
    intervals: [[-1, 1], [-0.1, 0.1], [-40, -30], [709, 709.78], subnormals],
    seams: [...stepSeams, ...bothSigns([1 / 16]), -37.5, 709.782712893384],
  },
  tanh: {
    f: tanh,
    reference: exact.exactTanh,
    bound: 1.25,
    domain: [-30, 30],
    intervals: [[-1, 1], [0.125, 0.4], [-3, 3], [18, 20], subnormals],
    seams: [...stepSeams.map((x) => x / 2), ...bothSigns([1 / 8])],
  },
  sechSquared: {
    f: sechSquared,
    reference: exact.exactSechSquared,
    bound: 2.5,
    domain: [-373, 373],
    intervals: [[-1, 1], [-4, 4], [18, 20], [60, 80], [354, 372.9], subnormals],
    seams: [...stepSeams.map((x) => x / 2), 69.3, 354.2],
  },
  sigmoid: {
    f: sigmoid,
    reference: exact.exactSigmoid,
    bound: 1.25,
    domain: [-745.2, 45],
    intervals: [
      [-1, 1],
      [-8, 8],
      [-40, -30],
      [30, 40],
      [-745.13, -708],
    ],
    seams: [...stepSeams, -138.63, -708.3964185322641],
  },
  softplus: {
    f: softplus,
    reference: exact.exactSoftplus,
    bound: 1.25,
    domain: [-745.2, 100],
    intervals: [
      [-1, 1],
      [-8, 8],
      [-41, -20],
      [20, 41],
      [-745.13, -708],
    ],
    seams: [...stepSeams, ...bothSigns([40])],
  },
  log: {
    f: log,
    reference: exact.exactLog,
    bound: 1,
    domain: [2 ** -1074, Number.MAX_VALUE],
    intervals: [[0.5, 2], [0.99, 1.01], [1 - 1e-7, 1 + 1e-7], [0, 100], subnormals],
    seams: [...logSeams, 2 ** -1022, 1, Number.MAX_VALUE],
  },
  log1p: {
    f: log1p,
    reference: exact.exactLog1p,
    bound: 1,
    domain: [-1 + 2 ** -53, Number.MAX_VALUE],
    intervals: [[-1, 1], [-0.01, 0.01], [-1e-7, 1e-7], [-1, -1 + 1e-9], [0, 100], subnormals],
    seams: [...logSeams.map((x) => x - 1), ...bothSigns([2 ** -54])].filter((x) => x > -1),
  },
  erf: {
    f: erf,
    reference: exact.exactErf,
    bound: 1,
    domain: [-6.5, 6.5],
    intervals: [[-0.5, 0.5], [0.5, 1], [1, 2], [2, 6], [-0.01, 0.01], subnormals],
    seams: bothSigns(range(49).map((i) => i / 8)),
  },
  erfc: {
    f: erfc,
    reference: exact.exactErfc,
    bound: 2,
    domain: [-6.5, 27.2],
    intervals: [
      [-0.5, 0.5],
      [-6, -0.5],
      [0.5, 1],
      [1, 6],
      [6, 26.5],
      [26.5, 27.2],
      [-0.01, 0.01],
      subnormals,
    ],
    seams: bothSigns([...range(97).map((i) => 2 ** (Math.floor(i / 16) - 1) * (1 + (i % 16) / 16))]).filter(
      (x) => x < 27,
    ),
  },
  sin: { f: sin, reference: exact.exactSin, ...waves },
  cos: { f: cos, reference: exact.exactCos, ...waves },
};

/** The doubles from two before x to two after. */
function neighbours(x: number): number[] {
  return x === 0 ? [0] : [-2n, -1n, 0n, 1n, 2n].map((d) => fromBits(bitsOf(x) + d)).filter(Number.isFinite);
}

/** A number in the interval whose exponent is uniform among those that occur there. */
function byExponent(random: Random, [low, high]: Interval): number {
  for (;;) {
    const bits = (BigInt(random.bits32()) << 32n) | BigInt(random.bits32());
    const x = fromBits(bits);
    if (x >= low && x <= high && x !== 0) return x;
  }
}

function* inputs(random: Random, { domain, intervals, seams }: Case): Generator<number> {
  for (const [low, high] of [domain, ...intervals])
    for (let i = 0; i < SAMPLES; i++) yield low + (high - low) * random.uniform();
  for (let i = 0; i < SAMPLES / 4; i++) yield byExponent(random, domain);
  for (const seam of seams) yield* neighbours(seam);
}

test.each(Object.entries(cases))("%s is within its promised rounding error everywhere", (name, row) => {
  let worst = 0;
  let at = 0;
  let count = 0;
  for (const x of inputs(new Random(SEED, name), row)) {
    if (x < row.domain[0] || x > row.domain[1]) continue;
    const error = Math.abs(ulpError(row.f(x), row.reference(exactly(x))));
    count++;
    if (!(error <= worst)) [worst, at] = [error, x];
  }
  console.log(`${name}: at most ${worst.toFixed(4)} ulp at ${at}, ${count} points, seed ${SEED}`);
  expect(worst, `${name}(${at}), seed ${SEED}`).toBeLessThanOrEqual(row.bound);
});

/** Boxes of (x, y) where x^y neither overflows nor vanishes everywhere. */
const boxes: readonly (readonly [Interval, Interval])[] = [
  [
    [0.5, 2],
    [-700, 700],
  ],
  [
    [0, 50],
    [-10, 10],
  ],
  [
    [0.99, 1.01],
    [-7e4, 7e4],
  ],
  [
    [1 - 1e-9, 1 + 1e-9],
    [-7e11, 7e11],
  ],
  [
    [0, Number.MAX_VALUE],
    [-1, 1],
  ],
  [subnormals, [0.95, 1.05]],
  [
    [0, 10],
    [-1e-9, 1e-9],
  ],
];

test("pow is within its promised rounding error everywhere", () => {
  const random = new Random(SEED, "pow");
  const between = ([low, high]: Interval) => low + (high - low) * random.uniform();
  let worst = 0;
  let at = "";
  const check = (x: number, y: number) => {
    const error = Math.abs(ulpError(pow(x, y), exact.exactPow(exactly(x), exactly(y))));
    if (!(error <= worst)) [worst, at] = [error, `${x}, ${y}`];
  };
  for (const [bases, exponents] of boxes)
    for (let i = 0; i < SAMPLES; i++) check(between(bases), between(exponents));
  for (const seam of logSeams) for (const x of neighbours(seam)) check(x, between([-700, 700]));
  for (let i = 0; i < SAMPLES; i++) {
    const x = byExponent(random, [2 ** -1074, Number.MAX_VALUE]);
    check(x, between([-1, 1]) * (740 / Math.max(Math.abs(log(x)), 1)));
  }
  console.log(`pow: at most ${worst.toFixed(4)} ulp at ${at}, seed ${SEED}`);
  expect(worst, `pow(${at}), seed ${SEED}`).toBeLessThanOrEqual(1);
});

test("integer powers that are doubles come out exactly", () => {
  for (let n = -1074; n <= 1023; n++)
    expect(pow(2, n)).toBe(fromBits(n < -1022 ? 1n << BigInt(n + 1074) : BigInt(n + 1023) << 52n));
  for (let b = 1, i = 0; i <= 22; i++, b *= 10) expect(pow(10, i)).toBe(b);
  for (let x = -99; x <= 99; x++) expect(pow(x, 7)).toBe(Number(BigInt(x) ** 7n));
});
