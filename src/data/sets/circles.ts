import { cos, number, Random, seed, sin } from "../../base/index.ts";
import { checkSize, head } from "../dataset.ts";
import { criterion, dataset, examples, noise, testExamples } from "../definition.ts";
import { type Curve, twoCurves } from "./planar.ts";

/** The circle of the given radius around the origin, counter-clockwise from (radius, 0). */
function circle(radius: number): Curve {
  return (k, m) => [radius * cos((2 * Math.PI * k) / m), radius * sin((2 * Math.PI * k) / m)];
}

/**
 * A unit circle around a smaller one, with normal noise (scikit-learn's make_circles on our own random numbers),
 * one binary output with targets ±1, or cross-entropy. As in the reference code the test set is drawn with the training seed, so
 * with nTest = n it repeats the training set.
 */
export const circles = dataset({
  name: "circles",
  className: "Circles",
  gives: "points",
  help: "two concentric circles in the plane",
  settings: {
    criterion: { ...criterion, default: "mse", younger: true },
    n: { ...examples, default: 200 },
    nTest: testExamples(100),
    noise,
    factor: { kind: number({ min: 0, under: 1 }), default: 0.8, help: "inner radius over outer radius" },
    seed: { kind: seed, default: 10, help: "seed of the points" },
  },
  make({ criterion, n, nTest, noise, factor, seed }, _readFile, operation) {
    checkSize(operation, n + nTest, [2]);
    const draw = (count: number) =>
      twoCurves(count, [circle(1), circle(factor)], noise, new Random(seed, "circles"));
    return {
      train: draw(n),
      test: nTest > 0 ? draw(nTest) : undefined,
      inputKind: "real",
      ...head(criterion, "binary"),
    };
  },
});
