/** The js backend. */
import type { PrimitiveName } from "../../graph/graph.ts";
import { type Geometry, geometryOf } from "../../primitives/convolution-geometry.ts";
import { RULES } from "../../primitives/registry.ts";
import type { PrimitiveRule } from "../../primitives/rule.ts";
import type { Backend } from "../backend.ts";
import { contractToKernel, contractToMap } from "./convolution.ts";
import { tiledProducts } from "./matmul.ts";

/** In place of definitions that would be slow: the same sums in the same order, in register tiles. */
const TILED: { readonly [K in PrimitiveName]?: PrimitiveRule<K>["kernel"] } = {
  matmul: tiledProducts,
  convolution(params, operands) {
    const shapes = operands.map((operand) => operand.shape);
    const geometry = geometryOf(params, shapes) as Geometry;
    return params.wanted === "kernel" ? contractToKernel(geometry) : contractToMap(geometry, params.wanted);
  },
};

/**
 * Plain loops over a Float64Array, available wherever JavaScript runs: the definitions in the rules, products and
 * convolutions in tiles. One thread, unfused plans.
 */
export const jsBackend: Backend = {
  name: "js",
  allocate: (entries) => new Float64Array(entries),
  lower: ({ op, params, operands, shape }) => {
    const kernel = (TILED[op] ?? RULES[op].kernel) as PrimitiveRule<PrimitiveName>["kernel"];
    return kernel(
      params,
      operands.map((operand) => operand.layout),
      shape,
    );
  },
};
