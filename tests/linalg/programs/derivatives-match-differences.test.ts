import { describe, expect, it } from "vitest";
import { Random } from "../../../src/base/index.ts";
import {
  convexQuadraticProgram,
  differentiateQuadraticProgram,
  differentiateSdcp,
  type QpPerturbation,
  type QuadraticProgram,
  sdcp,
  svecLength,
} from "../../../src/linalg/index.ts";
import { frobenius, gaussian, gram, solvableSdcps, symmetric } from "../cases.ts";
import { type QpCase, solvablePrograms } from "./program-cases.ts";

const STEP = 1e-5;
/** Central differences of solutions right to 1e-12 or so, with steps of 1e-5 and third derivatives of size 1/margin². */
const AGREE = 1e-5;
/** Kinks must be farther away than the step. */
const MARGIN = 1e-2;

const KEYS = ["Q", "c", "A", "b", "E", "f"] as const;

/** The data moved by a step along a change. */
function moved(given: QpCase, change: Required<QpPerturbation>, step: number): QuadraticProgram {
  const shifted = (key: (typeof KEYS)[number]) =>
    given[key].map((entry, at) => entry + step * change[key][at]);
  return {
    Q: shifted("Q"),
    c: shifted("c"),
    A: shifted("A"),
    b: shifted("b"),
    E: shifted("E"),
    f: shifted("f"),
  };
}

function randomChange(random: Random, given: QpCase): Required<QpPerturbation> {
  const n = given.c.length;
  return {
    Q: symmetric(random, n),
    c: gaussian(random, n),
    A: gaussian(random, given.A.length),
    b: gaussian(random, given.b.length),
    E: gaussian(random, given.E.length),
    f: gaussian(random, given.f.length),
  };
}

const inner = (x: Float64Array, y: Float64Array) => x.reduce((sum, entry, i) => sum + entry * y[i], 0);

describe("differentiateQuadraticProgram", () => {
  it("matches central differences of certified solutions", () => {
    let compared = 0;
    for (const name of ["definite", "singular"])
      for (let seed = 0; seed < 120; seed++) {
        const random = new Random(seed, `derivative ${name}`);
        const given = solvablePrograms[name](random);
        const first = convexQuadraticProgram(given);
        const { value, status, stats } = differentiateQuadraticProgram(given, first.value);
        if (status !== "differentiable" || stats.margin < MARGIN || stats.dependent > 0) continue;
        const change = randomChange(random, given);
        const derivative = value!.apply(change);
        const [after, before] = [STEP, -STEP].map((step) =>
          convexQuadraticProgram(moved(given, change, step)),
        );
        if (after.status !== "solved" || before.status !== "solved") continue;
        const difference = (part: "x" | "inequality" | "equality") =>
          after.value[part].map((entry, i) => (entry - before.value[part][i]) / (2 * STEP));
        const label = `${name}, seed ${seed}, margin ${stats.margin}`;
        // Moves of several sizes of the data per step are nonlinear within the step.
        if (frobenius(derivative.x) * STEP > 1e-3 * (1 + frobenius(first.value.x))) continue;
        compared++;
        for (const part of ["x", "inequality", "equality"] as const) {
          const expected = difference(part);
          const error = frobenius(derivative[part].map((entry, i) => entry - expected[i]));
          const size =
            frobenius(derivative.x) + frobenius(derivative.inequality) + frobenius(derivative.equality);
          expect(error, `${label}: ${part}`).toBeLessThanOrEqual(AGREE * (1 + size) ** 2);
        }
        expect(derivative.inconsistency, label).toBe(0);
      }
    expect(compared).toBeGreaterThan(60);
  });

  it("has transpose as its adjoint", () => {
    let compared = 0;
    for (const name of ["definite", "singular", "repeated constraints"])
      for (let seed = 0; seed < 60; seed++) {
        const random = new Random(seed, `adjoint ${name}`);
        const given = solvablePrograms[name](random);
        const { value } = differentiateQuadraticProgram(given, convexQuadraticProgram(given).value);
        if (!value) continue;
        compared++;
        const change = randomChange(random, given);
        const cotangent = {
          x: gaussian(random, given.c.length),
          inequality: gaussian(random, given.b.length),
          equality: gaussian(random, given.f.length),
        };
        const forward = value.apply(change);
        const backward = value.transpose(cotangent);
        const left =
          inner(forward.x, cotangent.x) +
          inner(forward.inequality, cotangent.inequality) +
          inner(forward.equality, cotangent.equality);
        let right = 0;
        let size = 0;
        for (const key of KEYS) {
          right += inner(change[key], backward[key]);
          size += frobenius(change[key]) * frobenius(backward[key]);
        }
        expect(Math.abs(left - right), `${name}, seed ${seed}`).toBeLessThanOrEqual(1e-10 * size);
      }
    expect(compared).toBeGreaterThan(60);
  });

  it("follows dependent rows that move together, and says when they do not", () => {
    // min ½(x − 3)² + ½(y − 3)² with x ≤ 1 said twice.
    const given = {
      Q: Float64Array.of(1, 0, 0, 1),
      c: Float64Array.of(-3, -3),
      A: Float64Array.of(-1, 0, -2, 0),
      b: Float64Array.of(-1, -2),
    };
    const { value, status, stats } = differentiateQuadraticProgram(
      given,
      convexQuadraticProgram(given).value,
    );
    expect(status).toBe("differentiable");
    expect(stats).toMatchObject({ active: [0, 1], dependent: 1 });
    const together = value!.apply({ b: Float64Array.of(-1, -2) });
    expect(together.inconsistency).toBeLessThanOrEqual(1e-12);
    expect(together.x[0]).toBeCloseTo(1, 12);
    expect(together.x[1]).toBeCloseTo(0, 12);
    expect(value!.apply({ b: Float64Array.of(-1, 0) }).inconsistency).toBeGreaterThan(0.1);
  });

  it("refuses kinks, solutions that are not unique and points that are none", () => {
    const one = Float64Array.of(1);
    const kink = { Q: one, c: Float64Array.of(0), A: one, b: Float64Array.of(0) };
    const refused = differentiateQuadraticProgram(kink, convexQuadraticProgram(kink).value);
    expect(refused.status).toBe("degenerate");
    expect(refused.value).toBeUndefined();
    expect(refused.stats.margin).toBeLessThan(1e-7);
    const flat = { Q: Float64Array.of(0), c: Float64Array.of(0), A: one, b: Float64Array.of(-1) };
    expect(differentiateQuadraticProgram(flat, convexQuadraticProgram(flat).value).status).toBe("not-unique");
    const none = new Float64Array(0);
    const wrong = { x: Float64Array.of(5), inequality: none, equality: none };
    expect(differentiateQuadraticProgram({ Q: one, c: one }, wrong).status).toBe("inaccurate");
    expect(() => differentiateQuadraticProgram({ Q: one, c: one }, { ...wrong, x: none })).toThrow(
      /1 variables/,
    );
  });
});

describe("differentiateSdcp", () => {
  it("is −(da + X db)/b for k = 1", () => {
    const [a, b, da, db] = [-3, 2, 0.7, -0.3];
    const x = Float64Array.of(-a / b);
    const { value } = differentiateSdcp(1, Float64Array.of(a), Float64Array.of(b), x);
    expect(value!.apply(Float64Array.of(da), Float64Array.of(db))[0]).toBeCloseTo(-(da + x[0] * db) / b, 15);
    const { A, B } = value!.transpose(Float64Array.of(1));
    expect(A[0]).toBeCloseTo(-1 / b, 15);
    expect(B[0]).toBeCloseTo(-x[0] / b, 15);
    const above = differentiateSdcp(1, Float64Array.of(1), Float64Array.of(b), Float64Array.of(0));
    expect(above.value!.apply(Float64Array.of(da))[0]).toBeCloseTo(0, 15);
  });

  it("matches central differences, and has transpose as its adjoint", () => {
    let compared = 0;
    for (const name of ["random", "negative A", "strictly complementary, rank deficient B"])
      for (let seed = 0; seed < 60; seed++) {
        const random = new Random(seed, `sdcp derivative ${name}`);
        const k = 1 + random.integer(5);
        const m = svecLength(k);
        const { a, b } = solvableSdcps[name](random, k);
        const { X } = sdcp(k, a, b).value;
        const { value, status, stats } = differentiateSdcp(k, a, b, X);
        if (status !== "differentiable" || stats.margin < MARGIN) continue;
        const [da, cotangent] = [symmetric(random, k), symmetric(random, k)];
        // B + step·dB must stay positive semidefinite: B has full rank where dB is more than a multiple of it.
        const db =
          name === "strictly complementary, rank deficient B"
            ? b.map((entry) => entry * 0.3)
            : gram(random, m, m).map((entry, at) => entry - b[at]);
        const step = STEP / Math.max(1, frobenius(db));
        const derivative = value!.apply(da, db);
        const label = `${name}, k = ${k}, seed ${seed}, margin ${stats.margin}`;
        const { A, B } = value!.transpose(cotangent);
        const right = inner(A, da) + inner(B, db);
        const size = frobenius(A) * frobenius(da) + frobenius(B) * frobenius(db);
        expect(Math.abs(inner(derivative, cotangent) - right), label).toBeLessThanOrEqual(1e-11 * size);
        if (frobenius(derivative) * step > 1e-4 * (1 + frobenius(X))) continue;
        const [after, before] = [step, -step].map(
          (h) =>
            sdcp(
              k,
              a.map((entry, at) => entry + h * da[at]),
              b.map((entry, at) => entry + h * db[at]),
            ).value.X,
        );
        compared++;
        const error = frobenius(derivative.map((entry, at) => entry - (after[at] - before[at]) / (2 * step)));
        expect(error, label).toBeLessThanOrEqual(AGREE * (1 + frobenius(derivative)) ** 2);
      }
    expect(compared).toBeGreaterThan(60);
  });

  it("refuses kinks, B that does not determine X, and wrong X", () => {
    const zero = Float64Array.of(0);
    const one = Float64Array.of(1);
    expect(differentiateSdcp(1, zero, one, zero).status).toBe("degenerate");
    // X = I, and B does not see X₀₁.
    const b = new Float64Array(9);
    b[0] = b[8] = 1;
    const a = Float64Array.of(-1, 0, 0, -1);
    const free = differentiateSdcp(2, a, b, Float64Array.of(1, 0, 0, 1));
    expect([free.status, free.value]).toEqual(["not-unique", undefined]);
    expect(differentiateSdcp(1, Float64Array.of(-1), one, zero).status).toBe("inaccurate");
    expect(() => differentiateSdcp(2, a, b, one)).toThrow(/X of 2×2/);
  });
});
