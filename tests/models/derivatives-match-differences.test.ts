import { expect, test } from "vitest";
import { Objective, sizeOf } from "../../src/autodiff/index.ts";
import { EPS, Random } from "../../src/base/index.ts";
import { type Criterion, supervisedLoss } from "../../src/models/index.ts";
import { inputsFor, modelOf, movedWeights, SAMPLES, type Sample, titleOf } from "./samples.ts";

const EXAMPLES = 5;
const STEP = 2 ** -9;

/** The loss on random data; sequences have a label for each position, some of them masked. */
function objectiveOf(sample: Sample, criterion: Criterion): Objective {
  const { inputShape, outputDim, vocabulary } = sample.shape;
  const labelShape = vocabulary === undefined ? [] : inputShape;
  const random = new Random(5, "labels");
  const labels = Float64Array.from({ length: EXAMPLES * sizeOf(labelShape) }, (_, i) =>
    i % 4 === 3 ? -1 : random.integer(outputDim),
  );
  const inputs = inputsFor(sample, EXAMPLES, 5);
  const examples = { inputs, shape: inputShape, labels, labelShape };
  // Chunks of two leave a short last one.
  return new Objective(supervisedLoss(modelOf(sample), criterion, examples), { chunk: 2 });
}

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((total, value) => total + value * value, 0));
const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]);

/**
 * Checks a derivative against five-point differences with steps h and 2h of the level below. The difference of the
 * two bounds the truncation error of the first, while h⁴f⁽⁵⁾ leads; values of size s have a roundoff of some s·ε/h.
 */
function check(what: string, exact: Float64Array, at: (shift: number) => Float64Array): void {
  const [a1, b1, a2, b2, a4, b4] = [1, -1, 2, -2, 4, -4].map((k) => at(k * STEP));
  const quotient = (p: Float64Array, q: Float64Array, pp: Float64Array, qq: Float64Array, h: number) =>
    p.map((_, i) => (8 * (p[i] - q[i]) - (pp[i] - qq[i])) / (12 * h));
  const fine = quotient(a1, b1, a2, b2, STEP);
  const coarse = quotient(a2, b2, a4, b4, 2 * STEP);
  const tolerance = norm(minus(fine, coarse)) + (64 * EPS * norm(a4)) / STEP;
  expect(norm(minus(exact, fine)), what).toBeLessThanOrEqual(tolerance);
  // The quotients must be sharp enough to tell a wrong derivative.
  expect(tolerance, `${what}: sharpness of the differences`).toBeLessThan(1e-5 * norm(exact));
}

const CASES = SAMPLES.flatMap((sample) =>
  (["mse", "ce"] as const).map((criterion) => [titleOf(sample), criterion, sample] as const),
);

test.each(CASES)("%s, %s: each derivative is the derivative of the level below", (_, criterion, sample) => {
  const objective = objectiveOf(sample, criterion);
  const p = objective.dimension;
  const w = movedWeights(modelOf(sample), 5);
  const random = new Random(6, "directions");
  const unit = (): Float64Array => {
    const x = random.fillNormal(new Float64Array(p));
    const length = norm(x);
    return x.map((value) => value / length);
  };
  const [u, v] = [unit(), unit()];
  const move = (shift: number): void => objective.setWeights(w.map((value, i) => value + shift * v[i]));
  const products = (direction: Float64Array): Float64Array => {
    const result = new Float64Array(p);
    objective.hvp(direction, result, 1);
    return result;
  };

  move(0);
  const gradient = objective.gradient().slice();
  const Hv = products(v);
  const rows = new Float64Array(3 * p);
  objective.thirdDerivatives(Float64Array.of(...u, ...v), 2, rows);
  const slope = gradient.reduce((total, value, i) => total + value * v[i], 0);
  const along = (level: () => Float64Array) => (shift: number) => {
    move(shift);
    return level();
  };
  check(
    "gradient",
    Float64Array.of(slope),
    along(() => Float64Array.of(objective.loss())),
  );
  check(
    "Hv",
    Hv,
    along(() => objective.gradient().slice()),
  );
  check(
    "D³[u, v]",
    rows.slice(p, 2 * p),
    along(() => products(u)),
  );
  check(
    "D³[v, v]",
    rows.slice(2 * p),
    along(() => products(v)),
  );
});
