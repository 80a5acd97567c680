import { expect, test } from "vitest";
import { compile, recurrence, type Tensor } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, wasm } from "./bits.ts";

test("recurrences along any axis, forward and reversed", () => {
  const random = new Random(61, "recurrence");
  for (const shape of [
    [1, 1, 1],
    [3, 4, 5],
    [2, 7, 1],
    [2, 5, 2],
    [1, 6, 3],
    [4, 1, 8],
    [2, 9, 17],
  ])
    for (const axis of [0, 1, 2])
      for (const reversed of [false, true]) {
        const size = shape[0] * shape[1] * shape[2];
        const inputs = [0, 1].map(() => Float64Array.from({ length: size }, () => random.normal()));
        const f = (a: Tensor, b: Tensor): Tensor => recurrence(a, b, { axis, reversed });
        const expected = compile(f, [shape, shape])(...inputs);
        const actual = compile(f, [shape, shape], { backend: wasm })(...inputs);
        const what = `[${shape}] along ${axis}${reversed ? ", reversed" : ""}`;
        expect(firstDifference(expected, actual), what).toBeUndefined();
      }
});
