import type { PrimitiveName } from "../graph/graph.ts";
import { RULES } from "../primitives/registry.ts";
import type { PrimitiveRule } from "../primitives/rule.ts";
import type { Backend } from "./backend.ts";

/** Plain loops over a Float64Array: the definition of every value, available wherever JavaScript runs. */
export const jsBackend: Backend = {
  name: "js",
  allocate: (entries) => new Float64Array(entries),
  lower: ({ op, params, operands, shape }) =>
    (RULES[op] as PrimitiveRule<PrimitiveName>).kernel(
      params,
      operands.map((operand) => operand.layout),
      shape,
    ),
};
