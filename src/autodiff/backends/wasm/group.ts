import type { Call } from "../../../wasm/index.ts";
import { stridesOf } from "../../graph/shape.ts";
import type { Group } from "../../plan/fuse.ts";
import { elementwiseCall, type Step } from "./elementwise.ts";
import { closedCall } from "./fused-reduction.ts";

/** Instructions evaluated together. */
export function lowerGroup({ shape, inputs, steps, outputs }: Group): Call[] {
  const whole = outputs.filter(({ axes }) => !axes);
  const sums = outputs.slice(whole.length);
  const expression = {
    inputs: inputs.length,
    steps: steps as readonly Step[],
    outputs: whole.map(({ value }) => value),
  };
  const strides = [...whole.map(() => stridesOf(shape)), ...inputs.map(({ layout }) => layout.strides)];
  const at = (count: number, start: number): Call["arrays"] =>
    Array.from({ length: count }, (_, i) => ({ at: start + i, offset: 0 }));
  const arrays = [...at(whole.length, 0), ...at(inputs.length, outputs.length)];
  const [first] = sums;
  if (!first?.axes) return elementwiseCall(expression, shape, strides, arrays);
  return closedCall(
    expression,
    { shape, axes: first.axes, values: sums.map(({ value }) => value) },
    strides,
    [...arrays, ...at(sums.length, whole.length)],
  );
}
