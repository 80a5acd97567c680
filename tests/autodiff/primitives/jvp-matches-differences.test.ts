import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CompiledFunction,
  compile,
  grad,
  jvp,
  multiply,
  type PrimitiveName,
  sizeOf,
  sum,
  type Tensor,
  vjp,
} from "../../../src/autodiff/index.ts";
import { EPS, Random } from "../../../src/base/index.ts";
import { applied, type Case, cases, draw, inputsOf, PRIMITIVES, REGISTRY, SEED } from "../registry.ts";

const STEP = 2 ** -9;

/** All derivatives of one application that are checked, by name; u, v, w are directions, c a cotangent. */
interface Levels extends Readonly<Record<string, Tensor | Tensor[]>> {
  y: Tensor;
  jvp: Tensor;
  jvpOfJvp: Tensor;
  jvpOfJvpOfJvp: Tensor;
  vjp: Tensor[];
  jvpOfVjp: Tensor[];
  jvpOfJvpOfVjp: Tensor[];
  contractedJvp: Tensor;
  gradOfJvp: Tensor[];
  contractedJvpOfJvp: Tensor;
  gradOfJvpOfJvp: Tensor[];
}

/** Each quantity with what its derivative along a direction must equal: itself, or contracted with the direction. */
const PAIRS = [
  ["y", "u", "jvp"],
  ["jvp", "v", "jvpOfJvp"],
  ["jvpOfJvp", "w", "jvpOfJvpOfJvp"],
  ["vjp", "v", "jvpOfVjp"],
  ["jvpOfVjp", "w", "jvpOfJvpOfVjp"],
] as const;
const CONTRACTED = [
  ["contractedJvp", "v", "gradOfJvp"],
  ["contractedJvpOfJvp", "w", "gradOfJvpOfJvp"],
] as const;

function levels(op: PrimitiveName, test: Case, moved: readonly number[]) {
  return (
    x: Tensor[],
    u: Tensor[],
    v: Tensor[],
    w: Tensor[],
    c: Tensor,
    fixed: Record<string, Tensor>,
  ): Levels => {
    const f = (point: Tensor[]): Tensor =>
      applied(
        op,
        test,
        test.operands.map((_, i) => (moved.includes(i) ? point[moved.indexOf(i)] : fixed[i])),
      );
    const first = (point: Tensor[]): Tensor => jvp(f)(point, u)[1];
    const second = (point: Tensor[]): Tensor => jvp(first)(point, v)[1];
    const back = (point: Tensor[]): Tensor[] => vjp(f)(point, c)[1];
    const backAlong = (point: Tensor[]): Tensor[] => jvp(back)(point, v)[1];
    const contract = (value: Tensor): Tensor => sum(multiply(value, c));
    return {
      y: f(x),
      jvp: first(x),
      jvpOfJvp: second(x),
      jvpOfJvpOfJvp: jvp(second)(x, w)[1],
      vjp: back(x),
      jvpOfVjp: backAlong(x),
      jvpOfJvpOfVjp: jvp(backAlong)(x, w)[1],
      contractedJvp: contract(first(x)),
      gradOfJvp: grad((point: Tensor[]) => contract(first(point)))(x),
      contractedJvpOfJvp: contract(second(x)),
      gradOfJvpOfJvp: grad((point: Tensor[]) => contract(second(point)))(x),
    };
  };
}

type Values = Record<string, Float64Array | Float64Array[]>;
const flat = (value: Float64Array | Float64Array[]): Float64Array =>
  value instanceof Float64Array ? value : Float64Array.from(value.flatMap((part) => [...part]));

/**
 * Five-point differences with steps h and 2h. Their difference bounds the truncation error of the first (fifteen
 * times over, while h⁴ f⁽⁵⁾ leads), and the roundoff of values of size s is a few s·ε/h.
 */
function difference(at: (shift: number) => Values, name: string) {
  const [a1, b1, a2, b2, a4, b4] = [1, -1, 2, -2, 4, -4].map((k) => flat(at(k * STEP)[name]));
  const quotient = (p: Float64Array, q: Float64Array, pp: Float64Array, qq: Float64Array, h: number) =>
    p.map((_, i) => (8 * (p[i] - q[i]) - (pp[i] - qq[i])) / (12 * h));
  const fine = quotient(a1, b1, a2, b2, STEP);
  const coarse = quotient(a2, b2, a4, b4, 2 * STEP);
  const scale = [a1, b1, a2, b2, a4, b4].reduce(
    (most, values) => values.reduce((m, value) => Math.max(m, Math.abs(value)), most),
    1,
  );
  return { fine, tolerance: fine.map((d, i) => Math.abs(d - coarse[i]) + (64 * EPS * scale) / STEP), scale };
}

function check(
  what: string,
  exact: Float64Array,
  { fine, tolerance, scale }: ReturnType<typeof difference>,
): void {
  for (let i = 0; i < fine.length; i++) {
    if (!(Math.abs(exact[i] - fine[i]) <= tolerance[i]))
      throw new Error(`${what}[${i}]: ${exact[i]} by rule, ${fine[i]} ± ${tolerance[i]} by differences`);
    // The quotients must be sharp enough to tell a wrong rule.
    expect(tolerance[i], what).toBeLessThan(1e-6 * (scale + Math.abs(fine[i])));
  }
}

test.each(PRIMITIVES)("%s: derivatives to third order match differences of the level below", (op) => {
  fc.assert(
    fc.property(cases(op), (drawn) => {
      const moved = REGISTRY[op].movable(drawn.operands.length);
      if (moved.length === 0) return;
      const inputs = inputsOf(drawn, draw);
      const shapes = moved.map((i) => drawn.operands[i].inputShape);
      const fixed = Object.fromEntries(
        drawn.operands.flatMap(({ inputShape }, i) => (moved.includes(i) ? [] : [[i, inputShape] as const])),
      );
      const fixedValues = Object.fromEntries(Object.keys(fixed).map((i) => [i, inputs[Number(i)]]));
      const f = levels(op, drawn, moved);
      const output = compile(
        (x: Tensor[], others: Record<string, Tensor>) => {
          const all = drawn.operands.map((_, i) => (moved.includes(i) ? x[moved.indexOf(i)] : others[i]));
          return applied(op, drawn, all);
        },
        [shapes, fixed],
      );
      const outputShape = output.graph.nodes[output.graph.outputs[0]].shape;
      const run = compile(f, [
        shapes,
        shapes,
        shapes,
        shapes,
        outputShape,
        fixed,
      ]) as unknown as CompiledFunction<Levels>;
      const random = new Random(drawn.seed, "directions");
      const point = moved.map((i) => inputs[i]);
      const direction = () => shapes.map((shape) => draw("any", sizeOf(shape), random));
      const directions = { u: direction(), v: direction(), w: direction() };
      const c = draw("any", sizeOf(outputShape), random);
      const { u, v, w } = directions;
      const evaluate = (x: Float64Array[]): Values => run(x, u, v, w, c, fixedValues) as unknown as Values;
      const at =
        (d: Float64Array[]) =>
        (shift: number): Values =>
          evaluate(point.map((x, i) => x.map((value, j) => value + shift * d[i][j])));
      const here = evaluate(point);
      for (const [name, along, rule] of PAIRS)
        check(`${op}: ${rule}`, flat(here[rule]), difference(at(directions[along]), name));
      for (const [name, along, rule] of CONTRACTED) {
        const gradients = here[rule] as Float64Array[];
        const product = gradients.reduce(
          (total, g, i) => g.reduce((part, value, j) => part + value * directions[along][i][j], total),
          0,
        );
        check(`${op}: ${rule}`, Float64Array.of(product), difference(at(directions[along]), name));
      }
    }),
    { seed: SEED, numRuns: 15 },
  );
});
