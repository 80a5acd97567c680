/** The lengths of a convolution, from whichever two of its arrays are known. */
import type { ConvolutionRole, PrimitiveParams } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";

/** Two numbers, one for each spatial axis. */
export type Pair = readonly [number, number];

/** The lengths of a convolution: images, channels in and out, and two spatial lengths for each of the three arrays. */
export interface Geometry {
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  readonly input: Pair;
  readonly kernel: Pair;
  readonly output: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}

/** The three arrays of a convolution, in the order in which two of them are the operands that give the third. */
export const ROLES = ["input", "kernel", "output"] as const satisfies readonly ConvolutionRole[];

/** The roles of the two operands, in their order. */
export const given = (wanted: ConvolutionRole): ConvolutionRole[] => ROLES.filter((role) => role !== wanted);

/** The geometry of two operands of these shapes, or undefined where they do not fit together. */
export function geometryOf(
  { wanted, stride, padding, size }: PrimitiveParams["convolution"],
  shapes: readonly Shape[],
): Geometry | undefined {
  const [first, second] = given(wanted);
  const shapeOf = { [first]: shapes[0], [second]: shapes[1] } as Partial<Record<ConvolutionRole, Shape>>;
  const { input, kernel, output } = shapeOf;
  if (shapes.some((shape) => shape.length !== 4)) return undefined;
  const agree = (a: number | undefined, b: number | undefined): number =>
    a === undefined || b === undefined || a === b ? ((a ?? b) as number) : -1;
  const images = agree(input?.[0], output?.[0]);
  const outputs = agree(kernel?.[0], output?.[1]);
  const channels = agree(input?.[1], kernel?.[1]);
  const whole = [...stride.map((s) => s - 1), ...size].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (images < 0 || outputs < 0 || channels < 0 || !whole || !padding.every(Number.isSafeInteger))
    return undefined;
  const spatial = (shape: Shape | undefined): Pair => (shape ? [shape[2], shape[3]] : [...size]);
  return {
    images,
    channels,
    outputs,
    input: spatial(input),
    kernel: spatial(kernel),
    output: spatial(output),
    stride,
    padding,
  };
}

/** The output positions of one axis that meet tap k of the kernel inside the input: `from` up to but excluding `to`. */
export function meeting(geometry: Geometry, axis: 0 | 1, k: number): { from: number; to: number } {
  const shift = geometry.padding[axis] - k;
  const stride = geometry.stride[axis];
  const from = Math.max(0, Math.ceil(shift / stride));
  const to = Math.min(geometry.output[axis], Math.floor((geometry.input[axis] - 1 + shift) / stride) + 1);
  return { from, to: Math.max(from, to) };
}
