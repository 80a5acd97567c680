import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, convolution, type Shape, sizeOf, type Tensor } from "../../src/autodiff/index.ts";
import { Random } from "../../src/base/index.ts";
import { attention, causalMask } from "../../src/models/layers/attention.ts";
import { groupNorm, layerNorm, rmsNorm } from "../../src/models/layers/normalization.ts";
import { averagePool } from "../../src/models/layers/pooling.ts";
import { linePositions, planePositions } from "../../src/models/layers/positions.ts";
import { depthwiseCausalConvolution, selectiveScan } from "../../src/models/layers/state-space.ts";
import * as naive from "./naive.ts";
import { deviation } from "./samples.ts";

const SEED = 11;
const RUNS = { seed: SEED, numRuns: 40 };
const size = (...sizes: number[]) => fc.constantFrom(...sizes);

/** Runs a layer on arrays of these shapes. */
function run(layer: (...x: Tensor[]) => Tensor, shapes: readonly Shape[], arrays: readonly Float64Array[]) {
  const all = compile((x: Tensor[]) => layer(...x), [shapes]);
  return all(arrays);
}

const drawn = (seed: number, ...shapes: Shape[]): Float64Array[] => {
  const random = new Random(seed, "layer");
  return shapes.map((shape) => random.fillNormal(new Float64Array(sizeOf(shape))));
};

test("convolution: any stride and padding, images smaller than the kernel among them", () => {
  const geometry = fc.record({
    channels: size(1, 2, 3),
    outputs: size(1, 4, 5, 8),
    height: size(1, 2, 5, 8),
    width: size(1, 3, 7),
    kernel: size(1, 2, 3),
    stride: size(1, 2, 3),
    padding: size(0, 1, 2),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(geometry, ({ channels, outputs, height, width, kernel, stride, padding, seed }) => {
      if (Math.min(height, width) + 2 * padding < kernel) return;
      const shapes = [
        [2, channels, height, width],
        [outputs, channels, kernel, kernel],
      ];
      const [x, w] = drawn(seed, ...shapes);
      const found = run((a, b) => convolution(a, b, { stride, padding }), shapes, [x, w]);
      const image = channels * height * width;
      const expected = [0, 1].flatMap((n) =>
        naive
          .conv(
            naive.imageOf(x.subarray(n * image, (n + 1) * image), height, width),
            w,
            kernel,
            stride,
            padding,
          )
          .flat(2),
      );
      // The same additions in the same order, so the same bits.
      expect([...found]).toEqual(expected);
    }),
    RUNS,
  );
});

test("layer, group and RMS norms, also far from the origin", () => {
  const given = fc.record({
    rows: size(1, 3),
    width: size(2, 3, 8, 17),
    shift: size(0, 1, 100),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(given, ({ rows, width, shift, seed }) => {
      const [x, gamma, beta] = drawn(seed, [rows, width], [width], [width]);
      const moved = x.map((value) => value + shift);
      const shapes = [[rows, width], [width], [width]];
      // Subtracting the mean of numbers of size `shift` costs that many roundoffs.
      const most = 40 * (1 + shift) * (1 + shift);
      const grid = naive.rowsOf(moved, width);
      expect(
        deviation(run(layerNorm, shapes, [moved, gamma, beta]), naive.layerNormOf(grid, gamma, beta).flat()),
      ).toBeLessThan(most);
      expect(
        deviation(run(rmsNorm, shapes.slice(0, 2), [moved, gamma]), naive.rmsNormOf(grid, gamma).flat()),
      ).toBeLessThan(40);
    }),
    RUNS,
  );
  const images = fc.record({
    groups: size(1, 2, 3),
    each: size(1, 2),
    height: size(1, 3),
    width: size(2, 4),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(images, ({ groups, each, height, width, seed }) => {
      const channels = groups * each;
      const shapes = [[2, channels, height, width], [channels], [channels]];
      const [x, weight, bias] = drawn(seed, ...shapes);
      const image = channels * height * width;
      const expected = [0, 1].flatMap((n) =>
        naive
          .groupNormOf(
            naive.imageOf(x.subarray(n * image, (n + 1) * image), height, width),
            groups,
            weight,
            bias,
          )
          .flat(2),
      );
      const found = run((a, b, c) => groupNorm(a, groups, b, c), shapes, [x, weight, bias]);
      expect(deviation(found, expected)).toBeLessThan(200);
    }),
    RUNS,
  );
});

test("attention, with and without a causal mask, also with scores that would overflow", () => {
  const given = fc.record({
    length: size(1, 2, 5),
    width: size(1, 3, 4),
    scale: size(1, 1e3),
    causal: fc.boolean(),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(given, ({ length, width, scale, causal, seed }) => {
      const shapes = [0, 1, 2].map(() => [1, length, width]);
      const [q, k, v] = drawn(seed, ...shapes);
      const loud = q.map((value) => value * scale);
      const mask = causal ? causalMask(length) : undefined;
      const found = run((a, b, c) => attention(a, b, c, mask), shapes, [loud, k, v]);
      expect(found.every(Number.isFinite)).toBe(true);
      if (scale > 1) return;
      const [a, b, c] = [q, k, v].map((flat) => naive.rowsOf(flat, width));
      expect(deviation(found, naive.attend(a, b, c, causal).flat())).toBeLessThan(100);
    }),
    RUNS,
  );
});

test("average pooling leaves out rows and columns beyond the last whole window", () => {
  const [x] = drawn(1, [1, 2, 5, 7]);
  const found = run((a) => averagePool(a, 2), [[1, 2, 5, 7]], [x]);
  const expected = naive.pool(naive.imageOf(x, 5, 7), 2).flat(2);
  expect(expected.length).toBe(2 * 2 * 3);
  expect(deviation(found, expected)).toBeLessThan(8);
});

test("depthwise causal convolution and selective scan", () => {
  const given = fc.record({
    length: size(1, 2, 7),
    channels: size(1, 3),
    states: size(1, 4),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(given, ({ length, channels, states, seed }) => {
      const row = [1, length, channels];
      const [x, w, bias] = drawn(seed, row, [channels, 1, 4], [channels]);
      const filtered = run(depthwiseCausalConvolution, [row, [channels, 1, 4], [channels]], [x, w, bias]);
      const grid = naive.rowsOf(x, channels);
      expect(deviation(filtered, naive.causalFilter(grid, w, bias).flat())).toBeLessThan(40);

      const shapes = [row, [channels, states], [1, length, states], [1, length, states], [channels]];
      const [raw, a, b, c, d] = drawn(seed + 1, ...shapes);
      const delta = raw.map(Math.abs);
      const decay = a.map((value) => -Math.abs(value));
      const found = run(
        (...t) => selectiveScan({ x: t[0], delta: t[1], a: t[2], b: t[3], c: t[4], d: t[5] }),
        [row, ...shapes],
        [x, delta, decay, b, c, d],
      );
      const rows = (flat: Float64Array, width: number): naive.Rows => naive.rowsOf(flat, width);
      const expected = naive.scan(
        grid,
        rows(delta, channels),
        rows(decay, states),
        rows(b, states),
        rows(c, states),
        d,
      );
      expect(deviation(found, expected.flat())).toBeLessThan(200);
    }),
    RUNS,
  );
});

test("position tables", () => {
  const plane = planePositions(2, 3, 8);
  // Second row, third column (y = 1, x = 2), frequencies 1 and 10⁻⁴.
  const row = [2, 2e-4]
    .map(Math.sin)
    .concat([2, 2e-4].map(Math.cos), [1, 1e-4].map(Math.sin), [1, 1e-4].map(Math.cos));
  expect(deviation(plane.subarray(5 * 8), row)).toBeLessThan(4);
  expect([...planePositions(1, 2, 4)]).toEqual([0, 1, 0, 1, Math.sin(1), Math.cos(1), 0, 1]);
  const line = linePositions(4, 6);
  const angle = (j: number): number => 3 * 10000 ** (-(2 * j) / 6);
  const last = [0, 1, 2].flatMap((j) => [Math.sin(angle(j)), Math.cos(angle(j))]);
  expect(deviation(line.subarray(18), last)).toBeLessThan(8);
});
