import { jsBackend } from "../src/autodiff/backends/js/js.ts";
import { selectBackend } from "../src/autodiff/execution/choose-backend.ts";
import { type PrimitiveName, type Shape, sizeOf } from "../src/autodiff/index.ts";
import { contiguous } from "../src/autodiff/primitives/rule.ts";
import { Random } from "../src/base/index.ts";

/** One primitive on both backends, on normal random operands of its own memory each. */
export function onBothBackends(
  op: PrimitiveName,
  params: object,
  shapes: readonly Shape[],
  shape: Shape,
): { readonly js: () => void; readonly wasm: () => void } {
  const sizes = [shape, ...shapes].map(sizeOf);
  const at = Int32Array.from(sizes, (_, i) => sizes.slice(0, i).reduce((total, size) => total + size, 0));
  const [js, wasm] = [jsBackend, selectBackend("wasm").backend].map((backend) => {
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
  return { js, wasm };
}
