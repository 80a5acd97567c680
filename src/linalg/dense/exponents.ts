/*
 * Powers of two as integers, for scalings that round nothing and whose product may lie outside the doubles on the way.
 */

const bits = new DataView(new ArrayBuffer(8));

/** ⌊log₂ a⌋, exactly, for finite a > 0. */
export function exponentOf(a: number): number {
  bits.setFloat64(0, a);
  const biased = bits.getUint16(0) >> 4;
  return biased > 0 ? biased - 1023 : exponentOf(a * 2 ** 64) - 64;
}

/** x·2^e for any integer e, without a detour through infinity or zero. */
export function timesPowerOfTwo(x: number, e: number): number {
  let [value, rest] = [x, e];
  for (; rest > 1000; rest -= 1000) value *= 2 ** 1000;
  for (; rest < -1000; rest += 1000) value *= 2 ** -1000;
  return value * 2 ** rest;
}
