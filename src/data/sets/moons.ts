import { cos, Random, seed, sin } from "../../base/index.ts";
import { checkSize, head } from "../dataset.ts";
import { criterion, dataset, examples, noise, testExamples } from "../definition.ts";
import { twoCurves } from "./planar.ts";

/** The reference code draws every test set with this seed. */
const TEST_SEED = 1000;

/** Angles from 0 to π inclusive. */
const angle = (k: number, m: number): number => (m > 1 ? (Math.PI * k) / (m - 1) : 0);

/** Upper half of the unit circle around (0, 0), and lower half of that around (1, ½). */
const HALF_CIRCLES = [
  (k: number, m: number) => [cos(angle(k, m)), sin(angle(k, m))],
  (k: number, m: number) => [1 - cos(angle(k, m)), 0.5 - sin(angle(k, m))],
] as const satisfies Parameters<typeof twoCurves>[1];

/**
 * Two interleaving half circles with normal noise (scikit-learn's make_moons on our own random numbers), one
 * binary output with targets ±1, or cross-entropy. The test set is drawn with a seed of its own.
 */
export const moons = dataset({
  name: "moons",
  className: "Moons",
  gives: "points",
  help: "two half circles in the plane",
  settings: {
    criterion: { ...criterion, default: "mse", younger: true },
    n: { ...examples, default: 200 },
    nTest: testExamples(100),
    noise,
    seed: { kind: seed, default: 10, help: "seed of the points" },
  },
  make({ criterion, n, nTest, noise, seed }, _readFile, operation) {
    checkSize(operation, n + nTest, [2]);
    return {
      train: twoCurves(n, HALF_CIRCLES, noise, new Random(seed, "moons")),
      test: nTest > 0 ? twoCurves(nTest, HALF_CIRCLES, noise, new Random(TEST_SEED, "moons")) : undefined,
      inputKind: "real",
      ...head(criterion, "binary"),
    };
  },
});
