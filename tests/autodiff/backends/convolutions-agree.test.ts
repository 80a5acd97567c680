import { expect, test } from "vitest";
import { compile, type Tensor } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY, wasm } from "./bits.ts";

interface Sizes {
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  readonly input: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

const ROLES = ["input", "kernel", "output"] as const;

function agree(
  sizes: Sizes,
  random: Random,
  nasty = 0,
  roles: readonly (typeof ROLES)[number][] = ROLES,
): void {
  const { images, channels, outputs, input, kernel, stride, padding } = sizes;
  const along = (axis: 0 | 1): number =>
    Math.floor((input[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  const arrays = {
    input: [images, channels, ...input],
    kernel: [outputs, channels, ...kernel],
    output: [images, outputs, along(0), along(1)],
  };
  for (const wanted of roles) {
    const shapes = ROLES.filter((role) => role !== wanted).map((role) => arrays[role]) as [
      number[],
      number[],
    ];
    const inputs = shapes.map((shape) =>
      Float64Array.from({ length: shape.reduce((size, length) => size * length, 1) }, () =>
        random.uniform() < nasty ? NASTY[random.integer(NASTY.length)] : random.uniform() - 0.5,
      ),
    );
    const [, , height, width] = arrays[wanted];
    const params = { wanted, stride, padding, size: [height, width] as const };
    const f = (a: Tensor, b: Tensor): Tensor => a.trace.emit("convolution", [a, b], params);
    const expected = compile(f, shapes)(...inputs);
    const actual = compile(f, shapes, { backend: wasm })(...inputs);
    const difference = firstDifference(expected, actual);
    expect(difference, `${wanted} of ${JSON.stringify(sizes)}`).toBeUndefined();
  }
}

const usual: Sizes = {
  images: 2,
  channels: 3,
  outputs: 5,
  input: [9, 11],
  kernel: [3, 3],
  stride: [1, 1],
  padding: [1, 1],
};

test("every kernel, stride and padding", () => {
  const random = new Random(41, "geometry");
  for (const kernel of [
    [1, 1],
    [3, 3],
    [2, 5],
    [9, 11],
  ] as const)
    for (const stride of [
      [1, 1],
      [2, 2],
      [3, 1],
    ] as const)
      for (const padding of [
        [0, 0],
        [1, 1],
        [0, 3],
        [4, 2],
      ] as const)
        agree({ ...usual, kernel, stride, padding }, random);
});

test("numbers of channels, outputs, images and columns around the edges of tiles", () => {
  const random = new Random(42, "edges");
  for (const channels of [1, 2, 3, 8])
    for (const outputs of [1, 2, 7, 8, 9]) agree({ ...usual, channels, outputs }, random);
  for (const images of [1, 3, 7])
    for (const width of [3, 7, 8, 9, 17]) agree({ ...usual, images, input: [4, width] }, random);
});

test("more channels and pixels than a panel holds", () => {
  const random = new Random(43, "panels");
  agree({ ...usual, channels: 70, outputs: 67, input: [6, 6] }, random);
  agree({ ...usual, channels: 300, outputs: 3, input: [4, 4], kernel: [1, 1], padding: [0, 0] }, random);
  agree({ ...usual, channels: 2, outputs: 140, input: [5, 5] }, random);
  agree({ ...usual, images: 3, channels: 1, outputs: 2, input: [40, 33] }, random);
  agree({ ...usual, channels: 1, outputs: 2, input: [20, 19], kernel: [17, 18], padding: [3, 3] }, random);
});

test("kernels with more taps than a panel is deep, rows longer than a panel, planes beyond one call", () => {
  const random = new Random(45, "large");
  const wide = { ...usual, images: 1, padding: [0, 0] as const };
  const roles = ["output", "kernel"] as const;
  agree({ ...wide, channels: 2, outputs: 3, input: [96, 97], kernel: [95, 94] }, random, 0, roles);
  agree({ ...wide, channels: 2, input: [3, 9000], kernel: [2, 8500], stride: [1, 400] }, random, 0, roles);
  agree({ ...wide, images: 2, channels: 3, outputs: 9, input: [2, 1200], kernel: [1, 2] }, random);
  agree({ ...wide, channels: 4099, outputs: 3, input: [2, 3], kernel: [1, 2] }, random);
  agree({ ...wide, images: 2, channels: 2, outputs: 4103, input: [1, 12], kernel: [1, 1] }, random);
});

test("zeros of both signs, infinities and NaN go where they belong and no further", () => {
  const random = new Random(44, "nasty");
  for (const nasty of [0.01, 0.2, 1])
    for (const stride of [
      [1, 1],
      [2, 1],
    ] as const)
      agree({ ...usual, stride }, random, nasty);
});
