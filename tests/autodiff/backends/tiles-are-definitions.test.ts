import { expect, test } from "vitest";
import {
  type Backend,
  compile,
  jsBackend,
  type Shape,
  sizeOf,
  type Tensor,
} from "../../../src/autodiff/index.ts";
import { RULES } from "../../../src/autodiff/primitives/registry.ts";
import type { PrimitiveRule } from "../../../src/autodiff/primitives/rule.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY } from "./bits.ts";

const SEED = 51;

/** Runs the definitions of the rules and nothing else. */
const definitions: Backend = {
  ...jsBackend,
  name: "definitions",
  lower: ({ op, params, operands, shape }) =>
    (RULES[op] as PrimitiveRule<typeof op>).kernel(
      params as never,
      operands.map(({ layout }) => layout),
      shape,
    ),
};

function agree(f: (a: Tensor, b: Tensor) => Tensor, shapes: readonly [Shape, Shape], random: Random): void {
  for (const nasty of [0, 0.03]) {
    const inputs = shapes.map((shape) =>
      Float64Array.from({ length: sizeOf(shape) }, () =>
        random.uniform() < nasty ? NASTY[random.integer(NASTY.length)] : random.normal(),
      ),
    );
    const defined = compile(f, shapes, { backend: definitions })(...inputs);
    const tiled = compile(f, shapes)(...inputs);
    expect(firstDifference(defined, tiled), `${JSON.stringify(shapes)}, seed ${SEED}`).toBeUndefined();
  }
}

const BOTH = [false, true];

test("products in tiles have the definition's bits, around the edges of tiles and blocks", () => {
  const random = new Random(SEED, "products");
  for (const [m, n, k] of [
    ...[1, 2, 3, 5].flatMap((rows) => [1, 3, 4, 5, 9].map((columns) => [rows, columns, 7])),
    ...[0, 1, 63, 64, 65, 128, 131].map((inner) => [3, 6, inner]),
    [0, 4, 5],
    [17, 13, 200],
  ])
    for (const transposeA of BOTH)
      for (const transposeB of BOTH) {
        const shapes = [transposeA ? [2, k, m] : [2, m, k], transposeB ? [2, n, k] : [2, k, n]] as const;
        agree((a, b) => a.trace.emit("matmul", [a, b], { transposeA, transposeB }), shapes, random);
      }
});

const ROLES = ["input", "kernel", "output"] as const;

test("convolutions in tiles have the definition's bits, for every role, stride and padding", () => {
  const random = new Random(SEED, "convolutions");
  for (const [channels, outputs, images] of [
    [1, 1, 1],
    [2, 4, 2],
    [3, 5, 2],
    [5, 9, 1],
  ])
    for (const kernel of [
      [1, 1],
      [3, 2],
      [2, 7],
    ] as const)
      for (const stride of [
        [1, 1],
        [2, 3],
      ] as const)
        for (const padding of [
          [0, 0],
          [1, 2],
          [4, 0],
        ] as const) {
          const input = [6, 7] as const;
          const along = (axis: 0 | 1): number =>
            Math.floor((input[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
          const shapes = {
            input: [images, channels, ...input],
            kernel: [outputs, channels, ...kernel],
            output: [images, outputs, along(0), along(1)],
          };
          for (const wanted of ROLES) {
            const [first, second] = ROLES.filter((role) => role !== wanted);
            const [, , height, width] = shapes[wanted];
            const params = { wanted, stride, padding, size: [height, width] as const };
            const f = (a: Tensor, b: Tensor): Tensor => a.trace.emit("convolution", [a, b], params);
            agree(f, [shapes[first], shapes[second]], random);
          }
        }
});
