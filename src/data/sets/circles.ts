import { cos, Random, sin } from "../../base/index.ts";
import { defineDataset } from "../definition.ts";
import { integer, real, seedOption } from "../options.ts";
import { type Curve, twoCurves } from "./planar.ts";

/** The circle of the given radius around the origin, counter-clockwise from (radius, 0). */
function circle(radius: number): Curve {
  return (k, m) => [radius * cos((2 * Math.PI * k) / m), radius * sin((2 * Math.PI * k) / m)];
}

/**
 * A unit circle around a smaller one, with normal noise (scikit-learn's make_circles on our own random numbers),
 * one binary output with targets ±1. As in the reference code the test set is drawn with the training seed, so
 * with nTest = n it repeats the training set.
 */
export const circles = defineDataset(
  "circles",
  {
    n: integer(2, 200),
    nTest: integer(0, 100),
    noise: real(0, 0.2),
    factor: real(0, 0.8, 1),
    seed: seedOption(10),
  },
  ({ n, nTest, noise, factor, seed }) => {
    const draw = (count: number) =>
      twoCurves(count, [circle(1), circle(factor)], noise, new Random(seed, "circles"));
    return {
      train: draw(n),
      test: nTest > 0 ? draw(nTest) : undefined,
      inputKind: "real",
      outputDim: 1,
      criterion: "mse_binary",
    };
  },
);
