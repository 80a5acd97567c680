import { expect, test } from "vitest";
import { BINARY, type ElementwiseName, UNARY } from "../../../src/autodiff/graph/graph.ts";
import { broadcastTo, compile, slice, type Tensor, transpose } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY, wasm } from "./bits.ts";

const OPS: readonly ElementwiseName[] = [...UNARY, ...BINARY, "select"];
const ARITY: Partial<Record<ElementwiseName, number>> = {
  ...Object.fromEntries(BINARY.map((op) => [op, 2])),
  select: 3,
};

function agree(
  op: ElementwiseName,
  shapes: readonly number[][],
  inputs: readonly Float64Array[],
  view: (x: Tensor, i: number) => Tensor,
): void {
  const f = (operands: Tensor[]): Tensor => operands[0].trace.emit(op, operands.map(view), {});
  const expected = compile(f, [shapes])(inputs);
  const actual = compile(f, [shapes], { backend: wasm })(inputs);
  expect(firstDifference(expected, actual), `${op} of ${JSON.stringify(shapes)}`).toBeUndefined();
}

/** Every magnitude that a double can have, and more of those where functions bend. */
function spread(random: Random, count: number): Float64Array {
  const word = new Int32Array(2);
  const double = new Float64Array(word.buffer);
  return Float64Array.from({ length: count }, (_, i) => {
    const kind = i % 8;
    if (kind === 0) {
      word[0] = Math.floor(random.uniform() * 2 ** 32);
      word[1] = Math.floor(random.uniform() * 2 ** 32);
      return double[0];
    }
    if (kind === 1) return NASTY[random.integer(NASTY.length)];
    if (kind === 2) return 2 ** (80 * random.uniform() - 60) * (random.integer(2) - 0.5);
    if (kind === 3) return 1 + (random.uniform() - 0.5) * 2 ** (-50 * random.uniform());
    if (kind === 4) return 1600 * random.uniform() - 800;
    if (kind === 5) return random.integer(200) / 8 - 12;
    return 20 * random.uniform() - 10;
  });
}

test.each(OPS)("%s gives the js backend's bits at every kind of number", (op) => {
  const arity = ARITY[op] ?? 1;
  const size = 40_001;
  const random = new Random(11, op);
  const inputs = Array.from({ length: arity }, () => spread(random, size));
  agree(
    op,
    inputs.map(() => [size]),
    inputs,
    (x) => x,
  );
});

test.each(OPS)("%s gives the js backend's bits at every pair of nasty numbers", (op) => {
  const arity = ARITY[op] ?? 1;
  const n = NASTY.length;
  const whole = [...NASTY, 2, 3, -3, 1.5, -2.5, 2 ** 53, -(2 ** 53) + 1, 709.8, -745.2, 2 ** 20, 2 ** 20 + 1];
  const count = whole.length ** Math.min(arity, 2);
  const inputs = Array.from({ length: arity }, (_, j) =>
    Float64Array.from(
      { length: count },
      (_, i) => whole[(j === 0 ? i : Math.floor(i / whole.length) + j * n) % whole.length],
    ),
  );
  agree(
    op,
    inputs.map(() => [count]),
    inputs,
    (x) => x,
  );
});

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 129];

test.each(["negate", "add", "select", "tanh", "power"] as const)(
  "%s gives the js backend's bits for every length and every way an operand can move",
  (op) => {
    const arity = ARITY[op] ?? 1;
    const random = new Random(12, op);
    for (const n of LENGTHS)
      for (let kinds = 0; kinds < 3 ** arity; kinds++) {
        const rows = 1 + random.integer(3);
        const motions = Array.from({ length: arity }, (_, j) => Math.floor(kinds / 3 ** j) % 3);
        // As it is, repeated along the rows, or every second entry of a transposed array.
        const shapes = motions.map(
          (motion) =>
            [
              [rows, n],
              [rows, 1],
              [2 * n + 1, rows],
            ][motion],
        );
        const inputs = shapes.map((shape) => spread(random, shape[0] * shape[1]));
        agree(op, shapes, inputs, (x, j) => {
          if (motions[j] === 0) return x;
          if (motions[j] === 1) return broadcastTo(x, [rows, n]);
          return transpose(slice(x, [1, 0], [n, rows], [2, 1]));
        });
      }
  },
);

test("operands of three and four loops", () => {
  const random = new Random(13, "loops");
  const shape = [3, 2, 5, 4];
  for (const permutation of [
    [3, 2, 1, 0],
    [1, 0, 3, 2],
    [0, 2, 1, 3],
    [2, 3, 0, 1],
  ]) {
    const source = permutation.map((_, axis) => shape[permutation.indexOf(axis)]);
    const inputs = [spread(random, 120), spread(random, 20)];
    agree("add", [source, [5, 4]], inputs, (x, j) =>
      j === 0 ? transpose(x, permutation) : broadcastTo(x, shape),
    );
  }
});
