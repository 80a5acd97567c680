import { expect, test } from "vitest";
import { layerNorms, spectralNorm } from "../../src/analysis/index.ts";
import { Random } from "../../src/base/index.ts";
import { symmetricEigen } from "../../src/linalg/index.ts";

const random = new Random(4, "layer norms");

/** σ_max by the dense eigenvalues of AᵀA. */
function dense(A: Float64Array, rows: number, columns: number): number {
  const gram = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < columns; j++)
      for (let r = 0; r < rows; r++) gram[i * columns + j] += A[r * columns + i] * A[r * columns + j];
  return Math.sqrt(symmetricEigen(gram, columns).values[columns - 1]);
}

test("σ max is that of the dense eigenvalues, tall, wide, thin and of rank one", () => {
  for (const [rows, columns] of [
    [1, 1],
    [1, 7],
    [9, 1],
    [5, 8],
    [12, 4],
    [30, 30],
  ]) {
    const A = random.fillNormal(new Float64Array(rows * columns));
    expect(Math.abs(spectralNorm(A, rows, columns) / dense(A, rows, columns) - 1)).toBeLessThan(1e-8);
  }
  const [u, v] = [random.fillNormal(new Float64Array(6)), random.fillNormal(new Float64Array(4))];
  const outer = Float64Array.from({ length: 24 }, (_, at) => u[Math.floor(at / 4)] * v[at % 4]);
  const size = (x: Float64Array): number => Math.sqrt(x.reduce((sum, entry) => sum + entry * entry, 0));
  expect(Math.abs(spectralNorm(outer, 6, 4) / (size(u) * size(v)) - 1)).toBeLessThan(1e-8);
  expect(spectralNorm(new Float64Array(6), 2, 3)).toBe(0);
});

test("every parameter has its norms, matrices alone a σ max, and squares add up to those of all weights", () => {
  const shapes = { "0.weight": [3, 2], "0.bias": [3], "1.weight": [2, 1, 2, 2] } as const;
  const [weights, gradient] = [
    random.fillNormal(new Float64Array(17)),
    random.fillNormal(new Float64Array(17)),
  ];
  const norms = layerNorms(shapes, weights, gradient);
  expect(norms.map(({ parameter, spectral }) => [parameter, spectral !== undefined])).toEqual([
    ["0.weight", true],
    ["0.bias", false],
    ["1.weight", false],
  ]);
  const total = (x: Float64Array): number => x.reduce((sum, entry) => sum + entry * entry, 0);
  const sum = (pick: (each: (typeof norms)[number]) => number): number =>
    norms.reduce((all, each) => all + pick(each) ** 2, 0);
  expect(sum((each) => each.frobenius)).toBeCloseTo(total(weights), 10);
  expect(sum((each) => each.gradient)).toBeCloseTo(total(gradient), 10);
  expect(norms[0].spectral).toBeLessThanOrEqual(norms[0].frobenius);
});
