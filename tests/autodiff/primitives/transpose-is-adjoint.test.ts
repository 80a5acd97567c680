import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CompiledFunction,
  compile,
  jvp,
  sizeOf,
  type Tensor,
  vjp,
} from "../../../src/autodiff/index.ts";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  absoluteDot,
  applied,
  type Case,
  cases,
  dot,
  draw,
  drawExact,
  inputsOf,
  PRIMITIVES,
  REGISTRY,
  SEED,
} from "../registry.ts";

const LINEAR = PRIMITIVES.filter((op) => REGISTRY[op].linearIn(2).length > 0);

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The case as a function of some of its inputs, the others given. */
function partial(op: (typeof PRIMITIVES)[number], drawn: Case, free: readonly number[]) {
  return (x: Tensor[], others: Record<string, Tensor>): Tensor =>
    applied(
      op,
      drawn,
      drawn.operands.map((_, i) => (free.includes(i) ? x[free.indexOf(i)] : others[i])),
    );
}

function shapesOf(drawn: Case, free: readonly number[]) {
  const others = drawn.operands.flatMap(({ inputShape }, i) =>
    free.includes(i) ? [] : [[i, inputShape] as const],
  );
  return { free: free.map((i) => drawn.operands[i].inputShape), others: Object.fromEntries(others) };
}

test.each(LINEAR)("%s: ⟨ct, A x⟩ = ⟨Aᵀct, x⟩ exactly on whole numbers, and Aᵀᵀ = A", (op) => {
  fc.assert(
    fc.property(cases(op), (drawn) => {
      for (const free of REGISTRY[op].linearIn(drawn.operands.length)) {
        const f = partial(op, drawn, free);
        const shapes = shapesOf(drawn, free);
        const probe = compile(f, [shapes.free, shapes.others]);
        const outputShape = probe.graph.nodes[probe.graph.outputs[0]].shape;
        const run = compile(
          (x: Tensor[], ct: Tensor, others: Record<string, Tensor>) => {
            const pulled = (cotangent: Tensor): Tensor[] => vjp(f)(x, cotangent, others)[1];
            // The linear part of f, which is affine where what is held fixed is added.
            return { y: jvp(f)(x, x, others)[1], pulled: pulled(ct), again: vjp(pulled)(ct, x)[1] };
          },
          [shapes.free, outputShape, shapes.others],
        ) as unknown as CompiledFunction<{ y: Tensor; pulled: Tensor[]; again: Tensor }>;
        const inputs = inputsOf(drawn, drawExact);
        const x = free.map((i) => inputs[i]);
        const ct = drawExact("any", sizeOf(outputShape), new Random(drawn.seed, "cotangent"));
        const others = Object.fromEntries(Object.keys(shapes.others).map((i) => [i, inputs[Number(i)]]));
        const { y, pulled, again } = run(x, ct, others);
        expect(total((pulled as Float64Array[]).map((part, i) => dot(part, x[i])))).toBe(dot(ct, y));
        expect([...again].map((value) => value + 0)).toEqual([...y].map((value) => value + 0));
      }
    }),
    { seed: SEED, numRuns: 40 },
  );
});

test.each(PRIMITIVES)("%s: the transposed linearization is the adjoint of the pushed-forward one", (op) => {
  fc.assert(
    fc.property(cases(op), (drawn) => {
      const moved = REGISTRY[op].movable(drawn.operands.length);
      if (moved.length === 0) return;
      const f = partial(op, drawn, moved);
      const shapes = shapesOf(drawn, moved);
      const probe = compile(f, [shapes.free, shapes.others]);
      const outputShape = probe.graph.nodes[probe.graph.outputs[0]].shape;
      const run = compile(
        (x: Tensor[], u: Tensor[], ct: Tensor, others: Record<string, Tensor>) => ({
          pushed: jvp(f)(x, u, others)[1],
          pulled: vjp(f)(x, ct, others)[1],
        }),
        [shapes.free, shapes.free, outputShape, shapes.others],
      ) as unknown as CompiledFunction<{ pushed: Tensor; pulled: Tensor[] }>;
      const inputs = inputsOf(drawn, draw);
      const random = new Random(drawn.seed, "directions");
      const u = shapes.free.map((shape) => draw("any", sizeOf(shape), random));
      const ct = draw("any", sizeOf(outputShape), random);
      const others = Object.fromEntries(Object.keys(shapes.others).map((i) => [i, inputs[Number(i)]]));
      const result = run(
        moved.map((i) => inputs[i]),
        u,
        ct,
        others,
      );
      const pulled = result.pulled as Float64Array[];
      const size = total(inputs.map((input) => input.length)) + ct.length;
      const scale = absoluteDot(ct, result.pushed) + total(pulled.map((part, i) => absoluteDot(part, u[i])));
      const gap = Math.abs(dot(ct, result.pushed) - total(pulled.map((part, i) => dot(part, u[i]))));
      // Sums inside a primitive may cancel before they meet the cotangent: their terms are at most 4 in size.
      expect(gap).toBeLessThanOrEqual(EPS * (size + 8) * (scale + size));
    }),
    { seed: SEED, numRuns: 25 },
  );
});
