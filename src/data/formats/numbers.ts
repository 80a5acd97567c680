/** Decodes the element at a byte offset. */
export type Decode = (view: DataView, at: number) => number;

/** Decoders of numpy's element types, by kind and bytes per element; integers beyond 2⁵³ give NaN. */
export const DECODERS: Readonly<Record<string, (little: boolean) => Decode>> = {
  b1: () => (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  i1: () => (view, at) => view.getInt8(at),
  u1: () => (view, at) => view.getUint8(at),
  i2: (little) => (view, at) => view.getInt16(at, little),
  u2: (little) => (view, at) => view.getUint16(at, little),
  i4: (little) => (view, at) => view.getInt32(at, little),
  u4: (little) => (view, at) => view.getUint32(at, little),
  i8: (little) => (view, at) =>
    wideInteger(view.getInt32(at + (little ? 4 : 0), little), view.getUint32(at + (little ? 0 : 4), little)),
  u8: (little) => (view, at) =>
    wideInteger(view.getUint32(at + (little ? 4 : 0), little), view.getUint32(at + (little ? 0 : 4), little)),
  f2: (little) => (view, at) => halfFloat(view.getUint16(at, little)),
  f4: (little) => (view, at) => view.getFloat32(at, little),
  f8: (little) => (view, at) => view.getFloat64(at, little),
};

/** high·2³² + low where that is exact up to 2⁵³, else NaN (no integer type has one). */
function wideInteger(high: number, low: number): number {
  const value = high * 2 ** 32 + low;
  const size = Math.abs(value);
  return size < 2 ** 53 || (size === 2 ** 53 && low === 0) ? value : Number.NaN;
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
