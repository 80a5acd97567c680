import { valueError } from "../../base/index.ts";
import type { ConvolutionRole, PrimitiveParams } from "../graph/graph.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { add } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { contractToKernel, contractToMap } from "./convolution-kernels.ts";
import type { PrimitiveRule } from "./rule.ts";

type Params = PrimitiveParams["convolution"];

/** The lengths of a convolution: images, channels in and out, and two spatial lengths for each of the three arrays. */
export interface Geometry {
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  readonly input: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly output: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

const ROLES = ["input", "kernel", "output"] as const;

/** The roles of the two operands, in their order. */
const given = (wanted: ConvolutionRole): ConvolutionRole[] => ROLES.filter((role) => role !== wanted);

/** The geometry of two operands, or undefined where they do not fit together. */
function geometryOf(params: Params, shapes: readonly Shape[]): Geometry | undefined {
  const { wanted, stride, padding, size } = params;
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
  const spatial = (shape: Shape | undefined): [number, number] => (shape ? [shape[2], shape[3]] : [...size]);
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

function emit(
  wanted: ConvolutionRole,
  size: Shape,
  operands: readonly Tensor[],
  { stride, padding }: Params,
) {
  return operands[0].trace.emit("convolution", operands, {
    wanted,
    stride,
    padding,
    size: [size[2], size[3]],
  });
}

/**
 * Convolution as one trilinear form, for input x [n, c, q], kernel w [o, c, k] and output y [n, o, p], each with two
 * spatial axes:
 *     T(x, w, y) = Σ x[n, c, q]·w[o, c, k]·y[n, o, p]  over all indices with q = p·stride + k − padding.
 * The primitive contracts two of the arrays and gives the third, ∂T/∂(wanted): `output` is the forward pass, `input`
 * and `kernel` are its gradients. Its transpose in an operand contracts the cotangent with the other one and wants
 * that operand's role: the same form again, so the family is closed without flips, dilations or windows in memory.
 *
 * Every entry of the result is one sum from 0 in a fixed order, the definition for all backends: over (c, k) for the
 * output, (o, k) for the input, (n, p) for the kernel, in row-major order; terms outside an array are left out, which
 * to the bit is the same as adding zeros for them.
 */
export const convolutionRule: PrimitiveRule<"convolution"> = {
  access: "contiguous",
  shape(params, shapes) {
    const geometry = geometryOf(params, shapes);
    if (!geometry)
      throw valueError(
        "convolution",
        `${given(params.wanted).join(" and ")} with four axes that fit together, stride ≥ 1 and lengths ≥ 0`,
        `${shapes.map(formatShape).join(" and ")}, stride ${params.stride}, size ${params.size}`,
        "input [n, c, h, w], kernel [o, c, kh, kw], output [n, o, h, w]",
      );
    const { images, channels, outputs } = geometry;
    if (params.wanted === "input") return [images, channels, ...params.size];
    return [
      params.wanted === "kernel" ? outputs : images,
      params.wanted === "kernel" ? channels : outputs,
      ...params.size,
    ];
  },
  jvp({ params, primals: [a, b], tangents: [da, db] }) {
    const left = da?.trace.emit("convolution", [da, b], params);
    const right = db?.trace.emit("convolution", [a, db], params);
    return left && right ? add(left, right) : (left ?? right);
  },
  transpose({ params, operands, linear, cotangent }) {
    const roles = given(params.wanted);
    return operands.map((operand, i) => {
      if (!linear[i]) return undefined;
      const arrays = { [params.wanted]: cotangent, [roles[1 - i]]: operands[1 - i] } as Record<
        string,
        Tensor
      >;
      const sources = given(roles[i]).map((role) => arrays[role]);
      return emit(roles[i], operand.shape, sources, params);
    });
  },
  kernel(params, operands) {
    const shapes = operands.map((operand) => operand.shape);
    const geometry = geometryOf(params, shapes) as Geometry;
    return params.wanted === "kernel" ? contractToKernel(geometry) : contractToMap(geometry, params.wanted);
  },
  cost(params, shapes) {
    const { images, channels, outputs, kernel, output } = geometryOf(params, shapes) as Geometry;
    const perImage = channels * outputs * kernel[0] * kernel[1] * output[0] * output[1];
    return { flops: 2 * images * perImage, products: 1 };
  },
};
