import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  exp,
  jsBackend,
  multiply,
  Objective,
  sin,
  square,
  sum,
  type Tensor,
} from "../../../src/autodiff/index.ts";
import { EPS, pairIndex, Stopped } from "../../../src/base/index.ts";
import { wasm } from "../backends/bits.ts";

/** e^{a·w₀} + e^{b·w₁} + c·sin(w₀w₁): third derivatives along the axes are huge, the mixed ones are those of the sine. */
interface Ridge {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const objectiveOf = ({ a, b, c }: Ridge, backend = jsBackend): Objective =>
  new Objective(
    {
      parameters: { x: [], y: [] },
      loss: ({ x, y }) =>
        add(add(exp(multiply(x, a)), exp(multiply(y, b))), multiply(sin(multiply(x, y)), c)),
    },
    { backend },
  );

/** ∂³/∂x²∂y and ∂³/∂x∂y² by hand: with s = sin xy, k = cos xy: −2y·s − x·y²·k and −2x·s − x²·y·k. */
const mixedOf = ({ c }: Ridge, x: number, y: number): readonly [number, number] => {
  const [s, k] = [Math.sin(x * y), Math.cos(x * y)];
  return [c * (-2 * y * s - x * y * y * k), c * (-2 * x * s - x * x * y * k)];
};

function rowsAt(objective: Objective, w: readonly number[], vectors: readonly number[]): Float64Array {
  const count = vectors.length / w.length;
  const rows = new Float64Array(((count * (count + 1)) / 2) * w.length);
  objective.setWeights(Float64Array.from(w));
  objective.thirdDerivatives(Float64Array.from(vectors), count, rows);
  return rows;
}

describe.each([
  ["js", jsBackend],
  ["wasm", wasm],
])("on the %s backend", (_, backend) => {
  test.each<[string, Ridge]>([
    ["one huge term", { a: 30, b: 0, c: 1 }],
    ["two huge terms", { a: 25, b: 25, c: 1 }],
    ["a huge and a tiny one", { a: 20, b: 1e-3, c: 1e-6 }],
    ["nothing that cancels", { a: 1, b: 1, c: 1 }],
  ])("a mixed derivative beside %s", (_name, ridge) => {
    const objective = objectiveOf(ridge, backend);
    const [x, y] = [1.1, 0.7];
    const row = rowsAt(objective, [x, y], [1, 0, 0, 1]).subarray(2, 4);
    const expected = mixedOf(ridge, x, y);
    const size = Math.max(...expected.map(Math.abs));
    // 2⁻³⁶ is what polarisation may lose; the mixed derivative itself is good to some roundings.
    for (const l of [0, 1]) expect(Math.abs(row[l] - expected[l])).toBeLessThan(2 ** -36 * size);
  });
});

test("right for random ridges, points and lengths of the vectors", () => {
  fc.assert(
    fc.property(
      fc.record({
        a: fc.double({ min: -30, max: 30, noNaN: true }),
        b: fc.double({ min: -30, max: 30, noNaN: true }),
        c: fc.double({ min: 0.1, max: 10, noNaN: true }),
      }),
      fc.double({ min: 0.2, max: 1.2, noNaN: true }),
      fc.double({ min: 0.2, max: 1.2, noNaN: true }),
      fc.integer({ min: -20, max: 20 }),
      (ridge, x, y, power) => {
        const length = 1.5 * 2 ** power;
        const row = rowsAt(objectiveOf(ridge), [x, y], [length, 0, 0, 1]).subarray(2, 4);
        const expected = mixedOf(ridge, x, y).map((entry) => length * entry);
        const size = Math.max(...expected.map(Math.abs));
        // The row itself may be a difference of two terms of the sine.
        const terms = length * ridge.c * 4;
        for (const l of [0, 1])
          expect(Math.abs(row[l] - expected[l])).toBeLessThan(2 ** -36 * size + 64 * EPS * terms);
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});

test("among many vectors the pairs that cancel are right, and the others keep their bits", () => {
  const p = 12;
  const stiff = (w: Tensor): Tensor => exp(multiply(w, 1));
  const gentle = new Objective({
    parameters: { w: [p] },
    loss: ({ w }) => add(sum(stiff(w)), square(sum(square(w)))),
  });
  const w = Array.from({ length: p }, (_, i) => 0.1 * (i + 1));
  const identity = Array.from({ length: p * p }, (_, at) => (at % (p + 1) === 0 ? 1 : 0));
  // D³ Σe^{w} is diagonal; D³ (Σw²)²[i, j, l] = 8(w_i δ_jl + w_j δ_il + w_l δ_ij).
  const rows = rowsAt(gentle, w, identity);
  for (let i = 0; i < p; i++)
    for (let j = i; j < p; j++)
      for (let l = 0; l < p; l++) {
        const eighth = (j === l ? w[i] : 0) + (i === l ? w[j] : 0) + (i === j ? w[l] : 0);
        const expected = 8 * eighth + (i === j && j === l ? Math.exp(w[i]) : 0);
        expect(Math.abs(rows[pairIndex(i, j, p) * p + l] - expected)).toBeLessThan(1e-12);
      }
  const steep = new Objective({
    parameters: { w: [p] },
    loss: ({ w: x }) => add(sum(exp(multiply(x, 25))), square(sum(square(x)))),
  });
  const steepRows = rowsAt(steep, w, identity);
  for (let i = 0; i < p; i++)
    for (let j = i + 1; j < p; j++)
      for (let l = 0; l < p; l++) {
        const expected = 8 * ((j === l ? w[i] : 0) + (i === l ? w[j] : 0));
        expect(Math.abs(steepRows[pairIndex(i, j, p) * p + l] - expected)).toBeLessThan(2 ** -36 * 20);
      }
});

test("a mixed derivative can be asked to stop, and moves with the weights", () => {
  const ridge = { a: 30, b: 0, c: 1 };
  const objective = objectiveOf(ridge);
  rowsAt(objective, [1, 1], [1, 0, 0, 1]);
  objective.shouldStop = () => true;
  expect(() => rowsAt(objective, [1, 1], [1, 0, 0, 1])).toThrow(Stopped);
  objective.shouldStop = undefined;
  const row = rowsAt(objective, [0.9, 1.3], [1, 0, 0, 1]).subarray(2, 4);
  mixedOf(ridge, 0.9, 1.3).forEach((expected, l) => {
    expect(Math.abs(row[l] / expected - 1)).toBeLessThan(1e-9);
  });
});
