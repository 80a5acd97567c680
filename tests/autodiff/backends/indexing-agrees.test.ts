import { expect, test } from "vitest";
import { compile, gather, scatterAdd, type Tensor } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY, wasm } from "./bits.ts";

const SEED = 71;
/** What is no row of a table of 7, beside what is. */
const STRANGE = [-1, 7, 0.5, 6.5, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, -0, 6, 0, ...NASTY];

const SIZES = [0, 1, 2, 3, 4, 5, 8, 17];

function numbers(random: Random, count: number): Float64Array {
  return Float64Array.from({ length: count }, () =>
    random.uniform() < 0.2 ? NASTY[random.integer(NASTY.length)] : random.normal(),
  );
}

function rows(random: Random, count: number): Float64Array {
  return Float64Array.from({ length: count }, () =>
    random.uniform() < 0.3 ? STRANGE[random.integer(STRANGE.length)] : random.integer(7),
  );
}

test("gather: rows of every width, NaN for what is no row", () => {
  const random = new Random(SEED, "gather");
  for (const width of SIZES)
    for (const count of SIZES) {
      const inputs = [numbers(random, 7 * width), rows(random, count)];
      const shapes = [[7, width], [count]] as const;
      const expected = compile(gather, shapes)(...inputs);
      const actual = compile(gather, shapes, { backend: wasm })(...inputs);
      expect(firstDifference(expected, actual), `${count} rows of ${width}, seed ${SEED}`).toBeUndefined();
    }
});

test("scatterAdd: updates in order, those of no row dropped", () => {
  const random = new Random(SEED, "scatterAdd");
  for (const table of [0, 1, 7])
    for (const width of SIZES)
      for (const count of SIZES) {
        const f = (updates: Tensor, indices: Tensor): Tensor => scatterAdd(updates, indices, table);
        const inputs = [numbers(random, count * width), rows(random, count)];
        const shapes = [[count, width], [count]] as const;
        const expected = compile(f, shapes)(...inputs);
        const actual = compile(f, shapes, { backend: wasm })(...inputs);
        const what = `${count} updates of ${width} into ${table} rows, seed ${SEED}`;
        expect(firstDifference(expected, actual), what).toBeUndefined();
      }
});

test("reductions of nothing: 0 for sums, −∞ for maxima", () => {
  for (const [op, empty] of [
    ["sum", 0],
    ["max", -Infinity],
  ] as const)
    for (const kept of [0, 1, 3, 17]) {
      const f = (x: Tensor): Tensor => x.trace.emit(op, [x], { axes: [1] });
      const actual = compile(f, [[kept, 0]], { backend: wasm })(new Float64Array(0));
      expect([...actual]).toEqual(new Array(kept).fill(empty));
    }
});
