import { expect, test } from "vitest";
import { compile, type Tensor } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY, wasm } from "./bits.ts";

const FLAGS = [
  { transposeA: false, transposeB: false },
  { transposeA: true, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: true },
];

function agree(
  batch: readonly number[],
  m: number,
  n: number,
  k: number,
  nasty: number,
  random: Random,
): void {
  for (const flags of FLAGS) {
    const a = [...batch, ...(flags.transposeA ? [k, m] : [m, k])];
    const b = [...batch, ...(flags.transposeB ? [n, k] : [k, n])];
    const inputs = [a, b].map((shape) =>
      Float64Array.from({ length: shape.reduce((size, length) => size * length, 1) }, () =>
        random.uniform() < nasty ? NASTY[random.integer(NASTY.length)] : random.uniform() - 0.5,
      ),
    );
    const f = (x: Tensor, y: Tensor): Tensor => x.trace.emit("matmul", [x, y], flags);
    const expected = compile(f, [a, b])(...inputs);
    const actual = compile(f, [a, b], { backend: wasm })(...inputs);
    expect(
      firstDifference(expected, actual),
      `[${batch}] ${m}×${k} times ${k}×${n}, ${JSON.stringify(flags)}, ${nasty} nasty`,
    ).toBeUndefined();
  }
}

test("products of every size around the edges of tiles, blocks and panels", () => {
  const random = new Random(31, "edges");
  const sides = [0, 1, 2, 3, 7, 8, 9, 17];
  for (const m of sides)
    for (const n of sides) for (const k of [0, 1, 2, 3, 5, 63, 64, 65, 129]) agree([], m, n, k, 0, random);
});

test("products that cross panels in each of the three directions", () => {
  const random = new Random(32, "panels");
  for (const [m, n, k] of [
    [127, 5, 70],
    [129, 9, 257],
    [130, 257, 3],
    [3, 513, 300],
    [256, 256, 64],
    [261, 10, 511],
  ])
    agree([], m, n, k, 0, random);
});

test("batches", () => {
  const random = new Random(33, "batches");
  for (const batch of [[0], [1], [3], [2, 3]]) agree(batch, 5, 9, 70, 0, random);
});

test("batches of small products, which no panel is packed for", () => {
  const random = new Random(35, "small");
  for (const m of [1, 2, 3, 4, 5, 7, 8, 16])
    for (const n of [1, 2, 3, 4, 6, 7, 8, 64])
      for (const k of [1, 4, 6, 7, 12, 13, 63, 64]) agree([3], m, n, k, 0, random);
  for (const m of [1, 3, 4, 7])
    for (const n of [1, 3, 4, 7]) for (const k of [1, 5, 7, 64]) agree([2], m, n, k, 0.1, random);
});

test("zeros of both signs, infinities and NaN go where they belong and no further", () => {
  const random = new Random(34, "nasty");
  for (const nasty of [0.002, 0.05, 1])
    for (const m of [1, 3, 4, 9]) for (const n of [1, 7, 8, 10]) agree([], m, n, 67, nasty, random);
});
