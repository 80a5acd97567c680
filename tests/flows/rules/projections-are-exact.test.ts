import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  adam,
  CentralProcess,
  centralization,
  checkProcess,
  compileRule,
  DiscreteProcess,
  gradientDescent,
  heavyBall,
  processEntry,
  project,
  rmsProp,
  scalarAdam,
  scalarRmsProp,
  steppedWeights,
  type UpdateRule,
  withProjection,
} from "../../../src/flows/index.ts";
import { symmetricEigen } from "../../../src/linalg/index.ts";
import { cubicObjective, EIGEN, quadratic, setupAt, takeSteps, weightsOf } from "../problems.ts";

const SHAPES = { "0.weight": [3, 4], "0.bias": [3], "1.weight": [2, 1, 2, 2] } as const;
const P = 23;
const random = new Random(11, "projections");
const gradientWise = centralization(SHAPES, "gradient");
const momentWise = centralization(SHAPES, "moment");
const normal = (): Float64Array => random.fillNormal(new Float64Array(P));
const onto = (projection: typeof gradientWise, x: Float64Array): Float64Array => {
  const out = x.slice();
  project(projection, out, 1, x.length);
  return out;
};
const sums = (w: Float64Array, sizes: readonly (readonly [from: number, size: number])[]): number[] =>
  sizes.map(([from, size]) => w.subarray(from, from + size).reduce((a, b) => a + b));
/** The rows of the matrices and the slices of the kernel. */
const ROWS = [
  [0, 4],
  [4, 4],
  [8, 4],
  [15, 4],
  [19, 4],
] as const;

test("Π is a symmetric projection that takes each block's mean and leaves vectors alone", () => {
  for (const projection of [gradientWise, momentWise]) {
    const [x, y] = [normal(), normal()];
    const [px, py] = [onto(projection, x), onto(projection, y)];
    const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, entry, l) => s + entry * b[l], 0);
    expect(Math.abs(dot(px, y) - dot(x, py))).toBeLessThan(1e-13);
    expect(Math.max(...onto(projection, px).map((entry, l) => Math.abs(entry - px[l])))).toBeLessThan(
      4 * EPS,
    );
    expect(px.subarray(12, 15)).toEqual(x.subarray(12, 15));
  }
  for (const sum of sums(onto(gradientWise, normal()), ROWS)) expect(Math.abs(sum)).toBeLessThan(1e-14);
  for (const sum of sums(onto(momentWise, normal()), [
    [0, 12],
    [15, 8],
  ]))
    expect(Math.abs(sum)).toBeLessThan(1e-14);
});

/** Steps of a rule on a quadratic without structure, seen after each. */
function along(rule: UpdateRule, steps: number, seen: (w: Float64Array) => void): void {
  const compiled = compileRule(rule, P);
  const A = random.fillNormal(new Float64Array(P * P));
  let state: Float64Array = rule.initialState(P);
  let weights: Float64Array = normal();
  const preconditioner = new Float64Array(P);
  for (let t = 0; t < steps; t++) {
    const gradient = Float64Array.from(weights, (_, l) => {
      let sum = 0;
      for (let k = 0; k < P; k++) sum += (A[l * P + k] + A[k * P + l] + (k === l ? 20 : 0)) * weights[k];
      return sum;
    });
    const next = new Float64Array(state.length);
    compiled.update(state, gradient, next);
    state = next;
    compiled.preconditioner(state, preconditioner);
    weights = steppedWeights(compiled, { weights, state, gradient, preconditioner });
    seen(weights);
  }
}

test("row sums stay as they are for ever where P is one number, and matrix sums where the moment is centralized", () => {
  const cases = [
    [gradientDescent({ lr: 1e-3 }), gradientWise, ROWS],
    [heavyBall({ lr: 1e-3 }), gradientWise, ROWS],
    [scalarRmsProp({ lr: 1e-2, beta2: 0.9 }), gradientWise, ROWS],
    [
      scalarAdam({ lr: 1e-2 }),
      momentWise,
      [
        [0, 12],
        [15, 8],
      ],
    ],
    [
      heavyBall({ lr: 1e-3 }),
      momentWise,
      [
        [0, 12],
        [15, 8],
      ],
    ],
  ] as const;
  for (const [rule, projection, blocks] of cases) {
    let first: number[] | undefined;
    let moved = 0;
    along(withProjection(rule, projection), 200, (w) => {
      first ??= sums(w, blocks);
      moved = w[0];
      sums(w, blocks).forEach((sum, i) => {
        expect(Math.abs(sum - (first?.[i] ?? 0))).toBeLessThan(1e-12);
      });
    });
    expect(moved).not.toBe(0);
  }
});

test("Adam with its moment centralized: v from raw gradients, d = m̂ − mean of m̂ over the matrix, as written out", () => {
  const options = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8 };
  const rule = compileRule(withProjection(adam(options), momentWise), P);
  let state: Float64Array = rule.rule.initialState(P);
  const [m, v] = [new Float64Array(P), new Float64Array(P)];
  const [diagonal, q] = [new Float64Array(P), new Float64Array(P)];
  for (let t = 1; t <= 12; t++) {
    const g = normal();
    const next = new Float64Array(state.length);
    rule.update(state, g, next);
    state = next;
    rule.preconditioner(state, diagonal);
    rule.direction(state, g, q);
    for (let l = 0; l < P; l++) {
      m[l] = 0.9 * m[l] + 0.1 * g[l];
      v[l] = 0.99 * v[l] + 0.01 * g[l] ** 2;
    }
    const mean = (from: number, size: number): number => sums(m, [[from, size]])[0] / size;
    const [first, second] = [mean(0, 12), mean(15, 8)];
    for (let l = 0; l < P; l++) {
      const centre = l < 12 ? first : l < 15 ? 0 : second;
      const exact = (0.1 * (m[l] - centre)) / (1 - 0.9 ** t) / (Math.sqrt(v[l] / (1 - 0.99 ** t)) + 1e-8);
      expect(Math.abs(q[l] / diagonal[l] - exact)).toBeLessThan(1e-12);
    }
  }
});

test("the edge is λ_max(ΠHΠ), which interlaces: λ₂ ≤ λ_max(ΠHΠ) ≤ λ_max for one block", () => {
  const p = 6;
  for (let trial = 0; trial < 20; trial++) {
    const A = random.fillNormal(new Float64Array(p * p));
    const H = A.map(
      (entry, at) => entry + A[(at % p) * p + Math.floor(at / p)] + (at % (p + 1) === 0 ? 8 : 0),
    );
    const projection = centralization({ w: [1, p] }, "gradient");
    const PHP = H.slice();
    project(projection, PHP, p, p);
    for (let i = 0; i < p; i++)
      for (let j = 0; j < i; j++) [PHP[i * p + j], PHP[j * p + i]] = [PHP[j * p + i], PHP[i * p + j]];
    project(projection, PHP, p, p);
    const values = symmetricEigen(H, p).values;
    const top = symmetricEigen(PHP, p).values[p - 1];
    expect(top).toBeLessThanOrEqual(values[p - 1] + 1e-12);
    expect(top).toBeGreaterThanOrEqual(values[p - 2] - 1e-12);
    const process = new DiscreteProcess(
      setupAt(
        quadratic(H, new Float64Array(p)),
        withProjection(gradientDescent({ lr: 0.1 }), projection),
        normal().slice(0, p),
        {
          eigen: { ...EIGEN, initialCount: 1, trackThreshold: null },
        },
      ),
    );
    process.prepare();
    expect(Math.abs((process.observation?.pairs?.values[0] ?? 0) / (0.1 * top) - 1)).toBeLessThan(1e-8);
    // Gradient descent on the quadratic grows just above 2/λ_max(ΠHΠ) and shrinks just below.
    const size = (lr: number): number => {
      const rule = withProjection(gradientDescent({ lr }), projection);
      const run = new DiscreteProcess(
        setupAt(quadratic(H, new Float64Array(p)), rule, [1, -2, 0.5, 3, 1, 2], {
          eigen: { ...EIGEN, frequency: -1 },
        }),
      );
      const at = (steps: number): Float64Array => {
        takeSteps(run, steps);
        return weightsOf(run).slice();
      };
      const [w0, w1, w2] = [at(1500), at(1), at(1)];
      const step = (a: Float64Array, b: Float64Array): number =>
        Math.sqrt(a.reduce((sum, entry, l) => sum + (entry - b[l]) ** 2, 0));
      return step(w2, w1) / step(w1, w0);
    };
    if (trial < 2) {
      expect(size(2.02 / top)).toBeGreaterThan(1);
      expect(size(1.98 / top)).toBeLessThan(1);
    }
  }
});

/** Columns of an orthonormal basis of Π's range for a first block of three weights of five. */
const BASIS = [
  [1, -1, 0, 0, 0].map((entry) => entry / Math.SQRT2),
  [1, 1, -2, 0, 0].map((entry) => entry / Math.sqrt(6)),
  [0, 0, 0, 1, 0],
  [0, 0, 0, 0, 1],
];

test("the central flow of a centralized rule is that of the plain rule on the loss on Π's range", () => {
  const projection = centralization({ w: [1, 3] }, "gradient");
  const settings = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
  const p = 5;
  let atEdge = 0;
  for (let trial = 0; trial < 4; trial++) {
    const draw = (length: number): Float64Array => random.fillNormal(new Float64Array(length));
    const A = draw(p * p);
    const H = A.map((entry, at) => 0.3 * (entry + A[(at % p) * p + Math.floor(at / p)]));
    [8, 8, 8, 3, 3].forEach((entry, l) => {
      H[l * p + l] += entry;
    });
    const whole = { p, H, g: draw(p), a: draw(6).map((entry) => 0.3 * entry), b: draw(6 * p) };
    const inner = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
      Array.from(x).reduce((sum, entry, l) => sum + entry * y[l], 0);
    const image = (y: readonly number[]): Float64Array =>
      Float64Array.from({ length: p }, (_, l) => inner(H.subarray(l * p, (l + 1) * p), y));
    const reduced = {
      p: 4,
      H: Float64Array.from(BASIS.flatMap((row) => BASIS.map((column) => inner(row, image(column))))),
      g: Float64Array.from(BASIS, (row) => inner(row, whole.g)),
      a: whole.a,
      b: Float64Array.from(
        Array.from({ length: 6 }, (_, m) =>
          BASIS.map((row) => inner(row, whole.b.subarray(m * p, (m + 1) * p))),
        ).flat(),
      ),
    };
    const z = draw(4).map((entry) => 0.2 * entry);
    const back = (at: ArrayLike<number>): Float64Array =>
      Float64Array.from({ length: p }, (_, l) =>
        BASIS.reduce((sum, column, k) => sum + column[l] * at[k], 0),
      );
    const top = symmetricEigen(reduced.H, 4).values[3];
    for (const rule of [gradientDescent({ lr: 1.98 / top }), scalarRmsProp({ lr: 0.3, beta2: 0.9 })]) {
      const free = new CentralProcess(
        setupAt(cubicObjective(reduced), rule, [...z], { eigen: EIGEN }),
        settings,
      );
      const held = new CentralProcess(
        setupAt(cubicObjective(whole), withProjection(rule, projection), [...back(z)], { eigen: EIGEN }),
        settings,
      );
      for (let step = 0; step < 8; step++) {
        takeSteps(free, 1);
        takeSteps(held, 1);
        atEdge += held.observation?.critical ?? 0;
      }
      const [found, exact] = [weightsOf(held), back(weightsOf(free))];
      found.forEach((entry, l) => {
        expect(Math.abs(entry - exact[l]), `trial ${trial}, ${rule.name}`).toBeLessThan(1e-7);
      });
    }
  }
  expect(atEdge).toBeGreaterThan(10);
});

test("flows are refused where they would not be exact, with the reason", () => {
  const check = (kind: "central" | "stable" | "stationary" | "discrete", rule: UpdateRule): void =>
    checkProcess(processEntry(kind), compileRule(rule, P));
  const diagonal = withProjection(rmsProp({ lr: 0.1, beta2: 0.9 }), gradientWise);
  for (const kind of ["central", "stable"] as const)
    expect(() => check(kind, diagonal)).toThrow(/P⁻¹ΠH need not have a real spectrum/);
  expect(() => check("discrete", diagonal)).not.toThrow();
  const scalar = scalarRmsProp({ lr: 0.1, beta2: 0.9 });
  expect(() => check("central", withProjection(scalar, momentWise))).toThrow(/raw gradients/);
  expect(() => check("stationary", withProjection(scalar, gradientWise))).toThrow(/without a projection/);
  for (const kind of ["central", "stable", "discrete"] as const)
    expect(() => check(kind, withProjection(scalar, gradientWise))).not.toThrow();
  expect(() => withProjection(diagonal, gradientWise)).toThrow(/without a projection/);
});
