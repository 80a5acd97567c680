/** Convolution and its two gradients as one primitive. */
import { valueError } from "../../base/index.ts";
import type { ConvolutionRole, PrimitiveParams } from "../graph/graph.ts";
import { formatShape, type Shape, sizeOf } from "../graph/shape.ts";
import { add } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Geometry, geometryOf, given, ROLES } from "./convolution-geometry.ts";
import type { Kernel, PrimitiveRule } from "./rule.ts";

type Params = PrimitiveParams["convolution"];

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
  kernel(params, operands, shape) {
    const shapes = operands.map((operand) => operand.shape);
    return contraction(geometryOf(params, shapes) as Geometry, params.wanted, sizeOf(shape));
  },
  cost(params, shapes) {
    const { images, channels, outputs, kernel, output } = geometryOf(params, shapes) as Geometry;
    const perImage = channels * outputs * kernel[0] * kernel[1] * output[0] * output[1];
    return { flops: 2 * images * perImage, products: 1 };
  },
};

/**
 * The definition of the value. One nest of loops serves all three: it meets the terms of every entry, whichever array is
 * wanted, in the order of that entry's sum.
 */
function contraction(geometry: Geometry, wanted: ConvolutionRole, size: number): Kernel {
  const { images, channels, outputs, input, kernel, output, stride, padding } = geometry;
  const [x, w, y] = ROLES.map((role) => (role === wanted ? 0 : 1 + given(wanted).indexOf(role)));
  const entries = new Int32Array(3);
  return (memory, at) => {
    memory.fill(0, at[0], at[0] + size);
    for (let n = 0; n < images; n++)
      for (let o = 0; o < outputs; o++)
        for (let c = 0; c < channels; c++)
          for (let ky = 0; ky < kernel[0]; ky++)
            for (let kx = 0; kx < kernel[1]; kx++)
              for (let py = 0; py < output[0]; py++)
                for (let px = 0; px < output[1]; px++) {
                  const qy = py * stride[0] + ky - padding[0];
                  const qx = px * stride[1] + kx - padding[1];
                  if (qy < 0 || qy >= input[0] || qx < 0 || qx >= input[1]) continue;
                  entries[x] = at[x] + ((n * channels + c) * input[0] + qy) * input[1] + qx;
                  entries[w] = at[w] + ((o * channels + c) * kernel[0] + ky) * kernel[1] + kx;
                  entries[y] = at[y] + ((n * outputs + o) * output[0] + py) * output[1] + px;
                  memory[entries[0]] += memory[entries[1]] * memory[entries[2]];
                }
  };
}
