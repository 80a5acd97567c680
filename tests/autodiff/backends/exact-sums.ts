/** Sums of products as the backend wasm-fma defines them, in whole numbers: slow and exact. */

const double = new DataView(new ArrayBuffer(8));

/** A finite double as mantissa·2^exponent. */
function parts(x: number): { readonly mantissa: bigint; readonly exponent: number } {
  double.setFloat64(0, x);
  const bits = double.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const size = field === 0 ? fraction : fraction + (1n << 52n);
  return { mantissa: bits >> 63n ? -size : size, exponent: Math.max(field, 1) - 1075 };
}

/** x·y + z, rounded once to the nearest double, ties to even. For finite numbers whose result is 0 or a normal double. */
export function fusedMultiplyAdd(x: number, y: number, z: number): number {
  // A zero has no exponent of its own.
  if (x === 0 || y === 0 || z === 0) return x * y + z;
  const [a, b, c] = [x, y, z].map(parts);
  const exponent = a.exponent + b.exponent;
  const common = Math.min(exponent, c.exponent);
  const sum =
    ((a.mantissa * b.mantissa) << BigInt(exponent - common)) + (c.mantissa << BigInt(c.exponent - common));
  if (sum === 0n) return 0;
  // Number rounds whole numbers to the nearest double, ties to even.
  const half = Math.trunc(common / 2);
  return Number(sum) * 2 ** half * 2 ** (common - half);
}

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const BLOCK = 64;

/** The product of two matrices, in blocks of 64 terms, each block summed from 0, the blocks' sums added in order. */
export function productOf(
  { m, n, k, transposeA, transposeB }: Product,
  a: Float64Array,
  b: Float64Array,
): Float64Array {
  const product = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let total = 0;
      for (let block = 0; block < k; block += BLOCK) {
        let sum = 0;
        for (let l = block; l < Math.min(k, block + BLOCK); l++)
          sum = fusedMultiplyAdd(
            a[transposeA ? l * m + i : i * k + l],
            b[transposeB ? j * k + l : l * n + j],
            sum,
          );
        total += sum;
      }
      product[i * n + j] = total;
    }
  return product;
}

type Role = "input" | "kernel" | "output";

interface Convolution {
  readonly wanted: Role;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly shapes: Readonly<Record<Role, readonly number[]>>;
}

/** The wanted array of the other two, every entry one sum: over channel or filter or image first, then rows, then columns. */
export function convolutionOf(
  { wanted, stride, padding, shapes }: Convolution,
  given: Readonly<Partial<Record<Role, Float64Array>>>,
): Float64Array {
  const result = new Float64Array(shapes[wanted].reduce((total, length) => total * length, 1));
  const at = (role: Role, index: readonly number[]): number =>
    index.reduce((place, entry, axis) => place * shapes[role][axis] + entry, 0);
  const [images, channels, height, width] = shapes.input;
  const [filters, , kernelHeight, kernelWidth] = shapes.kernel;
  const [, , outHeight, outWidth] = shapes.output;
  const add = (n: number, c: number, o: number, ky: number, kx: number, py: number, px: number): void => {
    const [y, x] = [py * stride[0] + ky - padding[0], px * stride[1] + kx - padding[1]];
    if (y < 0 || y >= height || x < 0 || x >= width) return;
    const places = {
      input: at("input", [n, c, y, x]),
      kernel: at("kernel", [o, c, ky, kx]),
      output: at("output", [n, o, py, px]),
    };
    const [first, second] = (["input", "kernel", "output"] as const).flatMap(
      (role) => given[role]?.[places[role]] ?? [],
    );
    result[places[wanted]] = fusedMultiplyAdd(first, second, result[places[wanted]]);
  };
  // Summed axes are walked in the order of the definition; the order of the others does not matter.
  for (let n = 0; n < images; n++)
    for (let o = 0; o < filters; o++)
      for (let c = 0; c < channels; c++)
        if (wanted === "kernel") {
          for (let py = 0; py < outHeight; py++)
            for (let px = 0; px < outWidth; px++)
              for (let ky = 0; ky < kernelHeight; ky++)
                for (let kx = 0; kx < kernelWidth; kx++) add(n, c, o, ky, kx, py, px);
        } else
          for (let ky = 0; ky < kernelHeight; ky++)
            for (let kx = 0; kx < kernelWidth; kx++)
              for (let py = 0; py < outHeight; py++)
                for (let px = 0; px < outWidth; px++) add(n, c, o, ky, kx, py, px);
  return result;
}
