/** The instructions that kernels use, by the names of the specification; all lanes are doubles unless said otherwise. */
import { type Code, doubleBytes, signed, unsigned } from "./assembler.ts";

const unary =
  (...opcode: number[]) =>
  (a: Code): Code => [...a, ...opcode];
const binary =
  (...opcode: number[]) =>
  (a: Code, b: Code): Code => [...a, ...b, ...opcode];
const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const unaryVector = (opcode: number) => unary(...vector(opcode));
const binaryVector = (opcode: number) => binary(...vector(opcode));

/** What the specification calls memarg: alignment 1, which is always allowed (engines ignore the hint), and an offset. */
const memarg = (offset: number): Code => [0, ...unsigned(offset)];

/** A 32-bit integer. */
export const int = (value: number): Code => [0x41, ...signed(value)];

/** Instructions on 32-bit integers; comparisons are signed. */
export const i32 = {
  load: (address: Code, offset = 0): Code => [...address, 0x28, ...memarg(offset)],
  isZero: unary(0x45),
  equal: binary(0x46),
  notEqual: binary(0x47),
  less: binary(0x48),
  greater: binary(0x4a),
  greaterEqual: binary(0x4e),
  add: binary(0x6a),
  subtract: binary(0x6b),
  multiply: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  shiftLeft: binary(0x74),
  shiftRight: binary(0x75),
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x36, ...memarg(offset)],
  /** The first if the condition is not 0, else the second. */
  select: (a: Code, b: Code, condition: Code): Code => [...a, ...b, ...condition, 0x1b],
};

/** Loads and stores of one double. */
export const f64 = {
  load: (address: Code, offset = 0): Code => [...address, 0x2b, ...memarg(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x39, ...memarg(offset)],
};

/** Instructions on 128 bits, and loads and stores of two doubles or one. */
export const v128 = {
  load: (address: Code, offset = 0): Code => [...address, ...vector(0), ...memarg(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...vector(11),
    ...memarg(offset),
  ],
  /** One double in both lanes. */
  loadSplat: (address: Code, offset = 0): Code => [...address, ...vector(10), ...memarg(offset)],
  /** One double in the low lane, 0 in the high one. */
  loadLow: (address: Code, offset = 0): Code => [...address, ...vector(93), ...memarg(offset)],
  /** `value` with its high lane replaced from memory. */
  loadHigh: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...vector(87),
    ...memarg(offset),
    1,
  ],
  storeLow: (address: Code, value: Code, offset = 0): Code => storeLane(address, value, offset, 0),
  storeHigh: (address: Code, value: Code, offset = 0): Code => storeLane(address, value, offset, 1),
  and: binaryVector(78),
  /** a and not b. */
  andNot: binaryVector(79),
  or: binaryVector(80),
  xor: binaryVector(81),
  /** Bits of a where the mask is 1, of b where it is 0. */
  select: (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...vector(82)],
  not: unaryVector(77),
  /** Doubles i and j of the four in a and b. */
  shuffle: (a: Code, b: Code, i: number, j: number): Code => [
    ...a,
    ...b,
    ...vector(13),
    ...[i, j].flatMap((lane) => Array.from({ length: 8 }, (_, byte) => 8 * lane + byte)),
  ],
  /** 32-bit words i, j, k, l of the eight in a and b. */
  shuffleWords: (a: Code, b: Code, words: readonly number[]): Code => [
    ...a,
    ...b,
    ...vector(13),
    ...words.flatMap((word) => Array.from({ length: 4 }, (_, byte) => 4 * word + byte)),
  ],
};

function storeLane(address: Code, value: Code, offset: number, lane: number): Code {
  return [...address, ...value, ...vector(91), ...memarg(offset), lane];
}

/** Instructions on two doubles; comparisons give masks of all bits. */
export const f64x2 = {
  constant: (value: number): Code => [...vector(12), ...doubleBytes(value), ...doubleBytes(value)],
  splat: unaryVector(20),
  low: (a: Code): Code => [...a, ...vector(33), 0],
  high: (a: Code): Code => [...a, ...vector(33), 1],
  withHigh: (a: Code, value: Code): Code => [...a, ...value, ...vector(34), 1],
  equal: binaryVector(71),
  notEqual: binaryVector(72),
  less: binaryVector(73),
  greater: binaryVector(74),
  lessEqual: binaryVector(75),
  greaterEqual: binaryVector(76),
  floor: unaryVector(117),
  absolute: unaryVector(236),
  negate: unaryVector(237),
  squareRoot: unaryVector(239),
  add: binaryVector(240),
  subtract: binaryVector(241),
  multiply: binaryVector(242),
  divide: binaryVector(243),
  min: binaryVector(244),
  max: binaryVector(245),
  /** b where a < b, else a: keeps the earlier of equal zeros, and a where b is NaN. */
  laterMax: binaryVector(247),
  /** From the two low 32-bit integers. */
  fromIntegers: unaryVector(254),
  /** a·b + c, rounded once or twice as the host likes (relaxed SIMD, f64x2.relaxed_madd). */
  relaxedMultiplyAdd: (a: Code, b: Code, c: Code): Code => [...a, ...b, ...c, ...vector(263)],
};

const shift =
  (opcode: number) =>
  (a: Code, bits: number): Code => [...a, ...int(bits), ...vector(opcode)];

/** Instructions on four 32-bit integers. */
export const i32x4 = {
  /** The same integer in the low word of both doubles, another one in the high words. */
  constant: (low: number, high: number): Code => {
    const words = [low, high, low, high].flatMap((word) =>
      [0, 8, 16, 24].map((bits) => (word >>> bits) & 255),
    );
    return [...vector(12), ...words];
  },
  lane: (a: Code, lane: number): Code => [...a, ...vector(27), lane],
  shiftRight: shift(172),
  subtract: binaryVector(177),
  max: binaryVector(184),
  /** Truncated towards 0, saturated; NaN gives 0. Both results in the low words' order, the upper two lanes are 0. */
  truncate: unaryVector(252),
};

/** Instructions on two 64-bit integers. */
export const i64x2 = {
  /** Whether no double's bits are all 0: whether a mask holds in both lanes. */
  all: unaryVector(195),
  shiftLeft: shift(203),
  add: binaryVector(206),
};
