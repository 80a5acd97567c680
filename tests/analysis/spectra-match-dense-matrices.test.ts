import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  ALL_WEIGHTS,
  type Block,
  blocksOf,
  type CurvatureAt,
  curvatureOperator,
  densityCurve,
  hessianSpectrum,
  MATRICES,
  type Spectrum,
} from "../../src/analysis/index.ts";
import { Objective, selectBackend } from "../../src/autodiff/index.ts";
import { Random, Stopped } from "../../src/base/index.ts";
import { type BlockOperator, densityMoment, symmetricEigen } from "../../src/linalg/index.ts";
import { type Criterion, createModel, supervisedLoss } from "../../src/models/index.ts";
import { findPython } from "../support/python.ts";

/** An mlp of 12·w + w² + … weights on a few random points. */
function objectiveOf(
  criterion: Criterion,
  width: number,
  threads = 1,
): { objective: Objective; w: Float64Array } {
  const random = new Random(3, criterion);
  const model = createModel("mlp", { inputShape: [2], outputDim: 3 }, { width, activation: "tanh" });
  const examples = {
    inputs: random.fillNormal(new Float64Array(2 * 12)),
    shape: [2],
    labels: Float64Array.from({ length: 12 }, () => random.integer(3)),
    labelShape: [],
  };
  const objective = new Objective(supervisedLoss(model, criterion, examples), {
    backend: selectBackend("auto").backend,
    threads,
    chunk: 5,
  });
  const w = model.initialWeights(random).map((x) => 2 * x);
  objective.setWeights(w);
  return { objective, w };
}

/** The matrix of an operator, row by row. */
function matrixOf(n: number, apply: BlockOperator): Float64Array {
  const unit = new Float64Array(n * n);
  for (let i = 0; i < n; i++) unit[i * n + i] = 1;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i += 64) {
    const count = Math.min(64, n - i);
    apply(unit.subarray(i * n, (i + count) * n), matrix.subarray(i * n, (i + count) * n), count);
  }
  return matrix;
}

/** The rows and columns of a matrix of order p that belong to a block. */
function submatrix(matrix: Float64Array, p: number, { ranges }: Block): Float64Array {
  const places = ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
  return Float64Array.from(places.flatMap((i) => places.map((j) => matrix[i * p + j])));
}

/** Holds a spectrum against all eigenvalues of its matrix, ascending. */
function certify(
  { matrix, block, largest, smallest, status, trace, density }: Spectrum,
  all: ArrayLike<number>,
) {
  const n = all.length;
  const label = `${matrix} of ${block.name}`;
  const size = Math.max(Math.abs(all[0]), Math.abs(all[n - 1]));
  const bound = 1e-10 * size;
  expect(block.size, label).toBe(n);
  expect(status, label).toBe("converged");
  largest.values.forEach((value, i) => {
    expect(Math.abs(value - all[n - 1 - i]), `${label}, largest ${i}`).toBeLessThanOrEqual(bound);
  });
  smallest.values.forEach((value, i) => {
    expect(Math.abs(value - all[i]), `${label}, smallest ${i}`).toBeLessThanOrEqual(bound);
  });
  for (const residual of [...largest.residuals, ...smallest.residuals])
    expect(residual, label).toBeLessThanOrEqual(bound);
  const mean = (power: number): number => Array.from(all).reduce((sum, x) => sum + x ** power, 0) / n;
  expect(Math.abs(trace.value - n * mean(1)), `${label}, trace`).toBeLessThanOrEqual(
    4 * trace.error + 1e-12 * n * size,
  );
  for (const power of [1, 2, 3, 4]) {
    const moment = densityMoment(density, power);
    expect(Math.abs(moment.value - mean(power)), `${label}, moment ${power}`).toBeLessThanOrEqual(
      4 * moment.error + 1e-10 * size ** power,
    );
  }
}

/** A·v of each end against the values, by the matrix itself. */
function residualsHold({ largest, smallest, block: { size: n } }: Spectrum, matrix: Float64Array) {
  const norm = Math.max(...matrix.map(Math.abs)) * n;
  for (const { values, vectors } of [largest, smallest])
    values.forEach((value, v) => {
      let square = 0;
      for (let i = 0; i < n; i++) {
        let sum = -value * vectors[v * n + i];
        for (let j = 0; j < n; j++) sum += matrix[i * n + j] * vectors[v * n + j];
        square += sum * sum;
      }
      expect(Math.sqrt(square)).toBeLessThanOrEqual(1e-10 * norm);
    });
}

const MOST = { probes: 40, steps: 40, products: 90 };

for (const criterion of ["mse", "ce"] as const)
  test(`${criterion}: ends, density and trace of H, G and S, whole and by layers, are those of the dense matrices`, () => {
    const { objective, w } = objectiveOf(criterion, 6);
    const p = objective.dimension;
    const { loss, gradientNorm, spectra } = hessianSpectrum(objective, w, {
      ...MOST,
      blocks: "layers",
      largest: 4,
      smallest: 4,
    });
    expect(loss).toBe(objective.loss());
    expect(gradientNorm).toBeCloseTo(Math.sqrt(objective.gradient().reduce((sum, x) => sum + x * x, 0)), 12);
    const whole = blocksOf(objective.parameters, "none")[0];
    const dense = new Map(
      MATRICES.map((matrix) => [matrix, matrixOf(p, curvatureOperator(objective, matrix, whole))]),
    );
    const blocks = blocksOf(objective.parameters, "layers");
    expect(blocks.map(({ name }) => name)).toEqual([ALL_WEIGHTS, "1", "3", "5"]);
    expect(spectra.length).toBe(3 * blocks.length);
    for (const spectrum of spectra) {
      const own = submatrix(dense.get(spectrum.matrix) as Float64Array, p, spectrum.block);
      certify(spectrum, symmetricEigen(own, spectrum.block.size).values);
      residualsHold(spectrum, own);
    }
    const [h, g, s] = spectra;
    expect(h.smallest.values[0]).toBeLessThan(-1e-3);
    expect(g.smallest.values[0]).toBeGreaterThan(-1e-9);
    expect(s.smallest.values[0]).toBeLessThan(-1e-3);
  });

test("blocks are principal submatrices to the bit, by parameters and by layers", () => {
  const { objective } = objectiveOf("ce", 4);
  const p = objective.dimension;
  for (const kind of ["layers", "parameters"] as const)
    for (const matrix of MATRICES) {
      const [whole, ...blocks] = blocksOf(objective.parameters, kind);
      const all = matrixOf(p, curvatureOperator(objective, matrix, whole));
      expect(blocks.reduce((sum, { size }) => sum + size, 0)).toBe(p);
      for (const block of blocks)
        expect(matrixOf(block.size, curvatureOperator(objective, matrix, block))).toEqual(
          submatrix(all, p, block),
        );
    }
});

test("a loss that its outputs fit exactly, or of linear outputs, is all Gauss–Newton", () => {
  const random = new Random(1);
  const inputs = random.fillNormal(new Float64Array(2 * 6));
  const model = createModel("mlp", { inputShape: [2], outputDim: 3 }, { width: 4 });
  const examples = {
    inputs,
    shape: [2],
    labels: new Float64Array(6),
    labelShape: [],
  };
  // Of a network that answers (1, 0, 0) everywhere, and whose labels are all 0, every residual is 0.
  const objective = new Objective(supervisedLoss(model, "mse", examples));
  const w = model.initialWeights(random);
  const p = objective.dimension;
  w.fill(0, p - 3 - 4 * 3);
  w[p - 3] = 1;
  objective.setWeights(w);
  expect(objective.loss()).toBe(0);
  const [whole] = blocksOf(objective.parameters, "none");
  const h = matrixOf(p, curvatureOperator(objective, "hessian", whole));
  const g = matrixOf(p, curvatureOperator(objective, "gauss-newton", whole));
  const size = Math.max(...h.map(Math.abs));
  expect(size).toBeGreaterThan(0.01);
  h.forEach((entry, i) => {
    expect(Math.abs(entry - g[i])).toBeLessThanOrEqual(1e-15 * size * p);
  });
});

test("with a preconditioner it is the spectrum of P⁻¹H", () => {
  const { objective, w } = objectiveOf("mse", 5);
  const p = objective.dimension;
  const preconditioner = Float64Array.from({ length: p }, (_, i) => 1 + (i % 7));
  const options = { ...MOST, preconditioner, matrices: ["hessian"] as const };
  const [spectrum] = hessianSpectrum(objective, w, options).spectra;
  const [whole] = blocksOf(objective.parameters, "none");
  const h = matrixOf(p, curvatureOperator(objective, "hessian", whole));
  const scaled = h.map(
    (entry, at) => entry / Math.sqrt(preconditioner[at % p] * preconditioner[Math.floor(at / p)]),
  );
  certify(spectrum, symmetricEigen(scaled, p).values);
});

const numbersOf = ({ spectra }: CurvatureAt): number[] =>
  spectra.flatMap(({ largest, smallest, trace, density }) => [
    ...largest.values,
    ...largest.vectors,
    ...smallest.values,
    trace.value,
    ...density.probes.flatMap(({ nodes, weights }) => [...nodes, ...weights]),
  ]);

test("the same bits again, on two threads, and whatever else is asked for; another seed gives others", () => {
  const options = { probes: 2, steps: 6, products: 9, largest: 2, smallest: 1 };
  const one = objectiveOf("ce", 5);
  const first = hessianSpectrum(one.objective, one.w, options);
  const two = objectiveOf("ce", 5, 2);
  expect(numbersOf(hessianSpectrum(two.objective, two.w, options))).toEqual(numbersOf(first));
  two.objective.dispose();
  const more = hessianSpectrum(one.objective, one.w, { ...options, blocks: "parameters" });
  expect(numbersOf({ ...more, spectra: more.spectra.slice(0, 3) })).toEqual(numbersOf(first));
  expect(numbersOf(hessianSpectrum(one.objective, one.w, { ...options, seed: 1 }))).not.toEqual(
    numbersOf(first),
  );
});

test("a density's curve has integral 1, also of a spectrum of one eigenvalue", () => {
  const { objective, w } = objectiveOf("mse", 4);
  const { density } = hessianSpectrum(objective, w, { probes: 3, steps: 10, products: 9 }).spectra[0];
  const one = { dimension: 5, probes: [{ nodes: Float64Array.of(0), weights: Float64Array.of(1) }] };
  for (const each of [density, one]) {
    const { places, values } = densityCurve(each);
    const integral = values.reduce((sum, value) => sum + value, 0) * (places[1] - places[0]);
    // A Gaussian is cut at four deviations, 3e-5 beyond each.
    expect(Math.abs(integral - 1)).toBeLessThanOrEqual(2e-4);
  }
});

test("misuse is a sentence", () => {
  const { objective, w } = objectiveOf("mse", 4);
  const p = objective.dimension;
  expect(() => hessianSpectrum(objective, new Float64Array(3))).toThrow(
    `hessianSpectrum: expected ${p} weights, as the loss has, got 3`,
  );
  expect(() => hessianSpectrum(objective, w, { preconditioner: Float64Array.of(1) })).toThrow(
    /entries of the preconditioner/,
  );
  expect(() => hessianSpectrum(objective, w, { preconditioner: new Float64Array(p) })).toThrow(
    /a preconditioner of positive numbers/,
  );
  expect(() =>
    hessianSpectrum(
      objective,
      w.map(() => Number.NaN),
    ),
  ).toThrow(/weights with a finite loss/);
  expect(() => hessianSpectrum(objective, w, { shouldStop: () => true })).toThrow(Stopped);
});

test("of some 1500 weights: ends to 1e-10, density and trace within error bars, by numpy's eigvalsh", () => {
  const python = findPython("numpy");
  if (!python) return;
  const { objective, w } = objectiveOf("ce", 36);
  const p = objective.dimension;
  expect(p).toBeGreaterThan(1450);
  const { spectra } = hessianSpectrum(objective, w, { probes: 20, steps: 25, products: 60 });
  const folder = mkdtempSync(join(tmpdir(), "eigh-"));
  try {
    const [whole] = blocksOf(objective.parameters, "none");
    for (const matrix of ["hessian", "gauss-newton"] as const) {
      const { buffer } = matrixOf(p, curvatureOperator(objective, matrix, whole));
      writeFileSync(join(folder, matrix), new Uint8Array(buffer));
    }
    const code = `import numpy as n
a = {m: n.fromfile(m).reshape(${p}, ${p}) for m in ("hessian", "gauss-newton")}
a["residual"] = a["hessian"] - a["gauss-newton"]
for m in a: n.linalg.eigvalsh((a[m] + a[m].T) / 2).tofile(m + ".values")`;
    expect(spawnSync(python, ["-c", code], { cwd: folder, encoding: "utf8" }).stderr).toBe("");
    for (const spectrum of spectra) {
      const bytes = readFileSync(join(folder, `${spectrum.matrix}.values`));
      certify(spectrum, new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8 * p)));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
