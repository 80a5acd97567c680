import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { convexQuadraticProgram } from "../../../src/linalg/index.ts";
import { frobenius } from "../cases.ts";
import { solvablePrograms, times } from "./program-cases.ts";

interface QuadprogResult {
  readonly solution: number[];
  readonly message: string;
}

type SolveQp = (D: number[][], d: number[], A: number[][], b: number[], equalities: number) => QuadprogResult;

/** quadprog counts from one: element 0 of every array is ignored. */
const { solveQP } = createRequire(import.meta.url)("quadprog") as { solveQP: SolveQp };

it("definite programs have the objective that quadprog finds, or a lower one", () => {
  let compared = 0;
  for (const name of ["definite", "definite, degenerate"])
    for (let seed = 0; seed < 60; seed++) {
      const { Q, c, A, b, E, f } = solvablePrograms[name](new Random(seed, `oracle ${name}`));
      const n = c.length;
      const count = f.length + b.length;
      const entry = (i: number, j: number) => (i < f.length ? E[i * n + j] : A[(i - f.length) * n + j]);
      const columns = Array.from({ length: n }, (_, j) => [
        0,
        ...Array.from({ length: count }, (_, i) => entry(i, j)),
      ]);
      const hessian = Array.from({ length: n }, (_, i) => [0, ...Q.subarray(i * n, (i + 1) * n)]);
      const oracle = solveQP(
        [[], ...hessian],
        [0, ...c.map((value) => -value)],
        [[], ...columns],
        [0, ...f, ...b],
        f.length,
      );
      // quadprog calls some degenerate programs inconsistent; those have no oracle.
      if (oracle.message !== "" || count === 0) continue;
      compared++;
      const { value } = convexQuadraticProgram({ Q, c, A, b, E, f });
      const objective = (x: Float64Array) =>
        times(Q, x, n, n).reduce((sum, curvature, j) => sum + (0.5 * curvature + c[j]) * x[j], 0);
      const expected = Float64Array.from(oracle.solution.slice(1));
      const scale = frobenius(Q) * frobenius(expected) ** 2 + frobenius(c) * frobenius(expected);
      expect(
        (objective(value.x) - objective(expected)) / scale,
        `${name}, n = ${n}, seed ${seed}`,
      ).toBeLessThanOrEqual(1e-12);
    }
  expect(compared).toBeGreaterThan(50);
});
