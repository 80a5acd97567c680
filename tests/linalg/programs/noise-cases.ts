import { Random } from "../../../src/base/index.ts";
import { smat, svec, svecLength, symmetricEigen } from "../../../src/linalg/index.ts";
import { frobenius, gram, solvableSdcps } from "../cases.ts";

/** A problem of the noise equation: A and N k×k, B in `svec` coordinates. */
export interface NoiseCase {
  readonly k: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly noise: Float64Array;
}

/** A problem of the size that a flow meets: ‖A‖ up to 0.1, noise 10⁻² to 10⁻⁸. */
export function noisy(seed: number, most: number, family: string): NoiseCase {
  const random = new Random(seed, `noise ${family}`);
  const k = 1 + random.integer(most);
  const given = solvableSdcps[family](random, k);
  const size = 0.1 * random.uniform();
  const unit = size / (frobenius(given.a) || 1);
  const level = 10 ** (-2 - 6 * random.uniform()) / k;
  return {
    k,
    a: given.a.map((entry) => entry * unit),
    b: given.b.map((entry) => (entry * size) / k ** 2),
    noise: gram(random, k, k + 1).map((entry) => entry * level),
  };
}

function times(x: Float64Array, y: Float64Array, k: number): Float64Array {
  const product = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let l = 0; l < k; l++) for (let j = 0; j < k; j++) product[i * k + j] += x[i * k + l] * y[l * k + j];
  return product;
}

/** The conditions, recomputed, relative to ‖A‖‖X‖ (‖N‖ where that is larger) and to the matrices. */
export function violations(
  { k, a, b, noise }: NoiseCase,
  X: Float64Array,
  full: boolean,
): Record<string, number> {
  const m = svecLength(k);
  const coordinates = svec(X, k);
  const image = Float64Array.from({ length: m }, (_, i) =>
    coordinates.reduce((sum, entry, j) => sum + b[i * m + j] * entry, 0),
  );
  const Y = smat(image, k).map((entry, at) => entry + a[at]);
  const xy = times(X, Y, k);
  const yxy = times(Y, xy, k);
  const rest = noise.map(
    (entry, at) => xy[at] + xy[(at % k) * k + Math.floor(at / k)] - (full ? yxy[at] : 0) - entry,
  );
  return {
    equation: frobenius(rest) / Math.max(frobenius(a) * frobenius(X), frobenius(noise)),
    "X ⪰ 0": -symmetricEigen(X, k).values[0] / frobenius(X),
    "Y ⪰ 0": -symmetricEigen(Y, k).values[0] / (frobenius(a) || 1),
    "Y ≺ 2": symmetricEigen(Y, k).values[k - 1] - 2,
  };
}
