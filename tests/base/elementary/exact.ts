/**
 * Elementary functions in integer arithmetic with at least BITS correct bits, as an independent reference:
 * no table, no double arithmetic, other series than the code under test. A real number is m·2^e.
 */
export interface Exact {
  readonly m: bigint;
  readonly e: number;
}

export const BITS = 140;
const GUARD = 24;

const view = new DataView(new ArrayBuffer(8));

/** The bits of a double as an unsigned integer. */
export function bitsOf(x: number): bigint {
  view.setFloat64(0, x);
  return view.getBigUint64(0);
}

/** The double with these bits. */
export function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** A finite double, exactly. */
export function exactly(x: number): Exact {
  const bits = bitsOf(x);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const m = biased === 0 ? fraction : fraction | (1n << 52n);
  return { m: bits >> 63n ? -m : m, e: Math.max(biased, 1) - 1075 };
}

const size = (m: bigint) => (m < 0n ? -m : m);

/** ⌊log₂|x|⌋ of a nonzero number. */
function magnitude(x: Exact): number {
  return size(x.m).toString(2).length - 1 + x.e;
}

/** ⌊x·2^bits⌋. */
function fixed(x: Exact, bits: number): bigint {
  const shift = BigInt(x.e + bits);
  return shift >= 0n ? x.m << shift : x.m >> -shift;
}

/** Enough fraction bits to hold BITS significant ones of a number like x. */
function fractionBits(x: Exact): number {
  return BITS + GUARD + Math.max(0, -magnitude(x));
}

export function add(a: Exact, b: Exact): Exact {
  const e = Math.min(a.e, b.e);
  return { m: (a.m << BigInt(a.e - e)) + (b.m << BigInt(b.e - e)), e };
}

export function multiply(a: Exact, b: Exact): Exact {
  return { m: a.m * b.m, e: a.e + b.e };
}

export function divide(a: Exact, b: Exact): Exact {
  const shift = BITS + GUARD + Math.max(0, magnitude({ m: b.m, e: 0 }) - magnitude({ m: a.m, e: 0 }));
  return { m: (a.m << BigInt(shift)) / b.m, e: a.e - b.e - shift };
}

/** Drops bits beyond the working precision. */
function trim(x: Exact): Exact {
  const extra = magnitude({ m: x.m, e: 0 }) - BITS - GUARD;
  return extra > 0 ? { m: x.m >> BigInt(extra), e: x.e + extra } : x;
}

/** Σ s^(2j+1)/(2j+1) for a fixed-point s: artanh, or arctan with alternating signs. */
function oddSeries(s: bigint, bits: number, alternating: boolean): bigint {
  const shift = BigInt(bits);
  const square = (s * s) >> shift;
  let sum = 0n;
  let power = s;
  for (let j = 1n; power !== 0n && power !== -1n; j += 2n) {
    sum += alternating && j % 4n === 3n ? -power / j : power / j;
    power = (power * square) >> shift;
  }
  return sum;
}

const WIDE = 400;
const ONE: Exact = { m: 1n, e: 0 };
const LN2 = 2n * oddSeries((1n << BigInt(WIDE)) / 3n, WIDE, false);
/** Machin: π = 16 arctan 1/5 − 4 arctan 1/239. */
const PI =
  16n * oddSeries((1n << BigInt(WIDE)) / 5n, WIDE, true) -
  4n * oddSeries((1n << BigInt(WIDE)) / 239n, WIDE, true);

/** e^r − 1 for a fixed-point |r| < 1. */
function expm1Series(r: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  let sum = 0n;
  let term = r;
  for (let j = 2n; term !== 0n && term !== -1n; j++) {
    sum += term;
    term = ((term * r) >> shift) / j;
  }
  return sum;
}

export function exactExp(x: Exact): Exact {
  if (x.m === 0n || magnitude(x) < -BITS - GUARD) return ONE;
  const bits = BITS + GUARD;
  const ln2 = LN2 >> BigInt(WIDE - bits - 16);
  const wide = fixed(x, bits + 16);
  const k = (2n * wide + ln2) / (2n * ln2);
  const r = (wide - k * ln2) >> 16n;
  return { m: (1n << BigInt(bits)) + expm1Series(r, bits), e: Number(k) - bits };
}

export function exactExpm1(x: Exact): Exact {
  if (x.m === 0n) return x;
  if (magnitude(x) >= -2) return add(exactExp(x), { m: -1n, e: 0 });
  const bits = fractionBits(x);
  return { m: expm1Series(fixed(x, bits), bits), e: -bits };
}

export function exactLog1p(x: Exact): Exact {
  if (x.m === 0n) return x;
  if (magnitude(x) >= -2) return exactLog(add(ONE, x));
  const s = divide(x, add({ m: 2n, e: 0 }, x));
  const bits = fractionBits(x);
  return { m: 2n * oddSeries(fixed(s, bits), bits, false), e: -bits };
}

export function exactLog(x: Exact): Exact {
  const k = magnitude(x);
  const z = { m: x.m, e: x.e - k };
  const below = fixed(z, 8) < 362n;
  const unit = below ? z : { m: z.m, e: z.e - 1 };
  const excess = add(unit, { m: -1n, e: 0 });
  const units = { m: LN2 * BigInt(below ? k : k + 1), e: -WIDE };
  if (excess.m === 0n) return units;
  const s = divide(excess, add(unit, ONE));
  const bits = fractionBits(excess);
  return add(units, { m: 2n * oddSeries(fixed(s, bits), bits, false), e: -bits });
}

export function exactTanh(x: Exact): Exact {
  const e = trim(exactExpm1({ m: x.m, e: x.e + 1 }));
  return e.m === 0n ? x : divide(e, add(e, { m: 2n, e: 0 }));
}

export function exactSigmoid(x: Exact): Exact {
  if (x.m > 0n) return divide(ONE, trim(add(ONE, exactExp({ m: -x.m, e: x.e }))));
  const e = exactExp(x);
  return divide(e, add(ONE, e));
}

export function exactSoftplus(x: Exact): Exact {
  if (x.m > 0n) return add(x, exactLog1p(exactExp({ m: -x.m, e: x.e })));
  return exactLog1p(exactExp(x));
}

/** erf x = 2/√π · e^−x² · Σ 2ʲ x^(2j+1)/(1·3·5 ⋯ (2j+1)): all terms of one sign. */
export function exactErf(x: Exact): Exact {
  if (x.m === 0n) return x;
  const bits = fractionBits(x);
  const shift = BigInt(bits);
  const square = fixed(multiply(x, x), bits);
  let sum = 0n;
  let term = fixed(x, bits);
  for (let j = 3n; term !== 0n && term !== -1n; j += 2n) {
    sum += term;
    term = (2n * ((term * square) >> shift)) / j;
  }
  const decay = exactExp({ m: -square, e: -bits });
  const rootPi = { m: integerSqrt(PI << BigInt(WIDE)), e: -WIDE };
  return divide(trim(multiply({ m: 2n * sum, e: -bits }, decay)), rootPi);
}

const RADIAN_BITS = 1500;
/** π/2 with enough bits to reduce the largest double, and to hold the smallest. */
const HALF_PI =
  8n * oddSeries((1n << BigInt(RADIAN_BITS)) / 5n, RADIAN_BITS, true) -
  2n * oddSeries((1n << BigInt(RADIAN_BITS)) / 239n, RADIAN_BITS, true);

export const HALF_PI_WIDE: Exact = { m: HALF_PI, e: -RADIAN_BITS };

/** 1/cosh² x = 4E/(1 + E)² with E = e^{−2|x|}. */
export function exactSechSquared(x: Exact): Exact {
  const decay = exactExp({ m: -2n * size(x.m), e: x.e });
  const one = add(ONE, decay);
  return divide({ m: 4n * decay.m, e: decay.e }, trim(multiply(one, one)));
}

/** √π with all the bits that π has here. */
const ROOT_PI = integerSqrt((2n * HALF_PI) << BigInt(RADIAN_BITS));
/** From here on the continued fraction needs fewer operations than the series. */
const FAR = 4;

/**
 * 1 − erf(x): below 4 by the alternating series, with as many bits more as e^{−x²} has zeros; from 4 on by Laplace's
 * continued fraction e^{−x²}/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))), whose error after n levels is about
 * e^{−2√2·x√n}.
 */
export function exactErfc(x: Exact): Exact {
  const size = Number(fixed(x, 20)) / 2 ** 20;
  const bits = BITS + 2 * GUARD + (size < FAR ? Math.ceil(1.5 * size * size) : 0);
  const shift = BigInt(bits);
  const square = fixed(multiply(x, x), bits);
  const rootPi = ROOT_PI >> BigInt(RADIAN_BITS - bits);
  const argument = fixed(x, bits);
  if (size < FAR) {
    let power = argument;
    let sum = 0n;
    for (let k = 0n; power !== 0n && power !== -1n; k++) {
      sum += power / (2n * k + 1n);
      power = -((power * square) >> shift) / (k + 1n);
    }
    return { m: (1n << shift) - (2n * (sum << shift)) / rootPi, e: -bits };
  }
  const levels = Math.ceil((bits * Math.LN2) / (2 * Math.SQRT2 * size)) ** 2 + 10;
  let fraction = argument;
  for (let level = BigInt(levels); level > 0n; level--)
    fraction = argument + (level << (2n * shift)) / 2n / fraction;
  const exact = multiply(x, x);
  const decay = exactExp({ m: -exact.m, e: exact.e });
  return divide(trim(decay), { m: (fraction * rootPi) >> shift, e: -bits });
}

/** n·π/2 rounded to a double, for picking arguments near the zeros of sine and cosine. */
export function quarterTurn(n: number): number {
  return Number((BigInt(n) * HALF_PI) >> BigInt(RADIAN_BITS - 300)) * 2 ** -300;
}

/** Σ ±r^(2j+first)/(2j+first)!: sine from first = 1, cosine from first = 0. */
function waveSeries(r: bigint, bits: number, first: bigint): bigint {
  const shift = BigInt(bits);
  const square = (r * r) >> shift;
  let sum = 0n;
  let term = first === 1n ? r : 1n << shift;
  for (let j = first; term !== 0n && term !== -1n; j += 2n) {
    sum += term;
    term = -((term * square) >> shift) / ((j + 1n) * (j + 2n));
  }
  return sum;
}

function exactWave(x: Exact, ahead: bigint): Exact {
  const wide = fixed(x, RADIAN_BITS);
  const n = (2n * wide + HALF_PI) / (2n * HALF_PI) - (2n * wide + HALF_PI < 0n ? 1n : 0n);
  const r: Exact = { m: wide - n * HALF_PI, e: -RADIAN_BITS };
  const turns = (n + ahead) & 3n;
  const bits = r.m === 0n ? BITS : fractionBits(r);
  const m = waveSeries(fixed(r, bits), bits, turns % 2n === 0n ? 1n : 0n);
  return { m: turns >= 2n ? -m : m, e: -bits };
}

export const exactSin = (x: Exact): Exact => exactWave(x, 0n);
export const exactCos = (x: Exact): Exact => exactWave(x, 1n);

/** ⌊√n⌋ by Newton's iteration. */
export function integerSqrt(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** x^y for x > 0. */
export function exactPow(x: Exact, y: Exact): Exact {
  const l = exactLog(x);
  return l.m === 0n || y.m === 0n ? ONE : exactExp(multiply(l, y));
}

/** |computed − exact| in units of the spacing of doubles at the exact value (2⁻¹⁰⁷⁴ for subnormal ones). */
export function ulpError(computed: number, exact: Exact): number {
  if (exact.m === 0n) return computed === 0 ? 0 : Infinity;
  const top = magnitude(exact);
  if (!Number.isFinite(computed)) {
    const overflows = top >= 1024 || (top === 1023 && size(fixed(exact, -970)) >= (1n << 54n) - 1n);
    return overflows && computed > 0 === exact.m > 0n && !Number.isNaN(computed) ? 0 : Infinity;
  }
  const ulp = Math.max(top - 52, -1074);
  const difference = add(exactly(computed), { m: -exact.m, e: exact.e });
  return Number(fixed(difference, 40 - ulp)) / 2 ** 40;
}
