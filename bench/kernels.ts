import { type BackendChoice, selectBackend } from "../src/autodiff/execution/choose-backend.ts";
import { type PrimitiveName, type Shape, sizeOf } from "../src/autodiff/index.ts";
import { contiguous } from "../src/autodiff/primitives/rule.ts";
import { Random } from "../src/base/index.ts";

/** One primitive on each of some backends, on normal random operands of its own memory each. */
export function onBackends(
  names: readonly BackendChoice[],
  op: PrimitiveName,
  params: object,
  shapes: readonly Shape[],
  shape: Shape,
): (() => void)[] {
  const sizes = [shape, ...shapes].map(sizeOf);
  const at = Int32Array.from(sizes, (_, i) => sizes.slice(0, i).reduce((total, size) => total + size, 0));
  return names.map((name) => {
    const { backend } = selectBackend(name);
    const memory = backend.allocate(sizes.reduce((total, size) => total + size, 0));
    const random = new Random(1, op);
    for (let i = at[1] ?? 0; i < memory.length; i++) memory[i] = random.normal();
    const kernel = backend.lower({
      node: 0,
      op,
      params: params as never,
      operands: shapes.map((operand, i) => ({
        region: 0,
        offset: at[i + 1],
        layout: contiguous(operand),
      })),
      owners: shapes.map(() => 0),
      result: { region: 0, offset: 0 },
      shape,
      cost: { flops: 0, products: 0 },
    });
    return () => kernel(memory, at);
  });
}
