/** Linear recurrences along an axis: state-space models in one node, whatever their length. */
import { valueError } from "../../base/index.ts";
import { formatShape, sameShape, sizeOf } from "../graph/shape.ts";
import { add, multiply, pad, recurrence, slice } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Kernel, PrimitiveRule } from "./rule.ts";

/** x moved one index on (`by` = 1) or back (−1) along an axis; the entry moved in is 0. */
function shifted(x: Tensor, axis: number, by: 1 | -1): Tensor {
  const at = (value: number): number[] => x.shape.map((_, i) => (i === axis ? value : 0));
  const kept = x.shape.map((length, i) => (i === axis ? length - 1 : length));
  return by === 1 ? pad(slice(x, at(0), kept), at(1), at(0)) : pad(slice(x, at(1), kept), at(0), at(1));
}

/**
 * h_t = a_t∘h_{t−1} + b_t, linear in b: the b-part of h is L⁻¹b with L unit lower bidiagonal, −a_t below the diagonal.
 * Its transpose is L⁻ᵀ, the reversed recurrence h_t = a_{t+1}∘h_{t+1} + b_t of the same a, so the pair is closed under
 * transposition and a_0 is never read. From L·dh = db + da∘h_{t−1}: one recurrence more with the same a; reversed,
 * the source of dh_t is da_{t+1}∘h_{t+1}.
 */
export const recurrenceRule: PrimitiveRule<"recurrence"> = {
  access: "contiguous",
  shape({ axis }, [a, b]) {
    if (!sameShape(a, b) || !(axis >= 0 && axis < b.length) || b[axis] === 0)
      throw valueError(
        "recurrence",
        "two operands of one shape and a nonempty axis of it",
        `${formatShape(a)} and ${formatShape(b)} along axis ${axis}`,
      );
    return b;
  },
  jvp({ params: { axis, reversed }, primals: [a], result, tangents: [da, db] }) {
    const fed = (change: Tensor): Tensor =>
      reversed ? shifted(multiply(change, result), axis, -1) : multiply(change, shifted(result, axis, 1));
    const source = da && db ? add(fed(da), db) : da ? fed(da) : db;
    return source && recurrence(a, source, { axis, reversed });
  },
  transpose: ({ params: { axis, reversed }, operands: [a], linear, cotangent }) => [
    undefined,
    linear[1] ? recurrence(a, cotangent, { axis, reversed: !reversed }) : undefined,
  ],
  kernel({ axis, reversed }, _, shape) {
    const outer = sizeOf(shape.slice(0, axis));
    const inner = sizeOf(shape.slice(axis + 1));
    return reversed ? backward(outer, shape[axis], inner) : forward(outer, shape[axis], inner);
  },
  cost: (_, [b]) => ({ flops: 2 * sizeOf(b), products: 0 }),
};

function forward(outer: number, length: number, inner: number): Kernel {
  return (memory, at) => {
    for (let block = 0; block < outer; block++) {
      const start = block * length * inner;
      const end = start + length * inner;
      const [h, a, b] = [at[0], at[1], at[2]];
      for (let i = start; i < start + inner; i++) memory[h + i] = memory[b + i];
      for (let i = start + inner; i < end; i++)
        memory[h + i] = memory[a + i] * memory[h + i - inner] + memory[b + i];
    }
  };
}

function backward(outer: number, length: number, inner: number): Kernel {
  return (memory, at) => {
    for (let block = 0; block < outer; block++) {
      const start = block * length * inner;
      const last = start + (length - 1) * inner;
      const [h, a, b] = [at[0], at[1], at[2]];
      for (let i = last; i < last + inner; i++) memory[h + i] = memory[b + i];
      for (let i = last - 1; i >= start; i--)
        memory[h + i] = memory[a + i + inner] * memory[h + i + inner] + memory[b + i];
    }
  };
}
