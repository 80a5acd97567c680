import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, type Tensor } from "../../../src/autodiff/index.ts";
import { applied, cases, draw, drawExact, inputsOf, PRIMITIVES, SEED } from "../registry.ts";
import { firstDifference, wasm } from "./bits.ts";

test.each(PRIMITIVES)("%s: both backends give the same bits, through views too", (op) => {
  fc.assert(
    fc.property(cases(op), fc.boolean(), (drawn, exact) => {
      const f = (inputs: Tensor[]): Tensor => applied(op, drawn, inputs);
      const shapes = [drawn.operands.map(({ inputShape }) => inputShape)] as const;
      const inputs = inputsOf(drawn, exact ? drawExact : draw);
      const expected = compile(f, shapes)(inputs);
      const actual = compile(f, shapes, { backend: wasm })(inputs);
      expect(firstDifference(expected, actual)).toBeUndefined();
    }),
    { seed: SEED, numRuns: 60 },
  );
});
