const iotas = new Map<number, Float64Array>();
/** 0, 1, …, length − 1, the same array each time, so that graphs share it. */
export function iota(length: number): Float64Array {
  let numbers = iotas.get(length);
  if (!numbers) {
    numbers = Float64Array.from({ length }, (_, i) => i);
    iotas.set(length, numbers);
  }
  return numbers;
}
