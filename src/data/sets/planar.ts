import type { Random } from "../../base/index.ts";
import type { Examples } from "../dataset.ts";

/** Number k of m evenly spaced points on a curve, as coordinates in the plane. */
export type Curve = (k: number, m: number) => readonly [number, number];

/**
 * n points on two curves of the plane, ⌊n/2⌋ of class 0 on the first and the rest of class 1 on the second, in
 * random order, each coordinate then displaced by independent normal noise.
 *
 * @param noise standard deviation of the displacement
 * @param random read from
 */
export function twoCurves(
  n: number,
  curves: readonly [Curve, Curve],
  noise: number,
  random: Random,
): Examples {
  const first = Math.floor(n / 2);
  const inputs = new Float64Array(2 * n);
  const labels = new Float64Array(n);
  random.permutation(n).forEach((k, i) => {
    labels[i] = k < first ? 0 : 1;
    inputs.set(k < first ? curves[0](k, first) : curves[1](k - first, n - first), 2 * i);
  });
  if (noise > 0) for (let i = 0; i < inputs.length; i++) inputs[i] += noise * random.normal();
  return { inputs, shape: [2], labels, labelShape: [], n };
}
