import type { Shapes } from "../autodiff/index.ts";
import { Random, sizeOf } from "../base/index.ts";
import { lanczos } from "../linalg/index.ts";

/** The sizes of one parameter and of its gradient. Plain data. */
export interface LayerNorm {
  readonly parameter: string;
  /** σ_max of a weight matrix; absent for parameters that are no matrix, above all kernels of convolutions, whose norm as a map is not that of their reshaped numbers. */
  readonly spectral?: number;
  /** The root of the sum of squares. */
  readonly frobenius: number;
  /** The same of the loss' gradient. */
  readonly gradient: number;
}

/** The relative accuracy of σ²: that of a number for reading. */
const TOLERANCE = 1e-9;

/** σ_max of a rows × columns matrix, row-major, by Lanczos on the smaller Gram matrix. Cost: some 30 products with it. */
export function spectralNorm(matrix: Float64Array, rows: number, columns: number): number {
  const wide = columns > rows;
  const [n, m] = wide ? [rows, columns] : [columns, rows];
  if (n === 0) return 0;
  /** The entry of the tall form, m × n. */
  const at = (i: number, j: number): number => (wide ? matrix[j * columns + i] : matrix[i * columns + j]);
  const image = new Float64Array(m);
  const { value } = lanczos(
    n,
    (vectors, products, count) => {
      products.fill(0, 0, count * n);
      for (let v = 0; v < count; v++) {
        for (let i = 0; i < m; i++) {
          image[i] = 0;
          for (let j = 0; j < n; j++) image[i] += at(i, j) * vectors[v * n + j];
        }
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) products[v * n + j] += at(i, j) * image[i];
      }
    },
    { largest: 1, smallest: 0, tolerance: TOLERANCE, random: new Random(0, "spectral norm") },
  );
  return Math.sqrt(Math.max(0, value.values[0]));
}

/** The norms of every parameter, in their order. @param weights, gradient read */
export function layerNorms(parameters: Shapes, weights: Float64Array, gradient: Float64Array): LayerNorm[] {
  let from = 0;
  const size = (entries: Float64Array): number =>
    Math.sqrt(entries.reduce((sum, entry) => sum + entry * entry, 0));
  return Object.entries(parameters).map(([parameter, shape]) => {
    const to = from + sizeOf(shape);
    const own = weights.subarray(from, to);
    const norms = { frobenius: size(own), gradient: size(gradient.subarray(from, to)) };
    from = to;
    if (shape.length !== 2) return { parameter, ...norms };
    return { parameter, spectral: spectralNorm(own, shape[0], shape[1]), ...norms };
  });
}
