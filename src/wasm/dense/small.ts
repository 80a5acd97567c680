/**
 * Products of matrices with short or few sides, as attention over a few tokens has them by the hundred and output layers of
 * few classes: without packed panels, whose filling would take longer than the arithmetic. To the bits of `gemm.ts`: one
 * block of inner indices, in order, from 0. Measured with rows of op(B) as runs, in units of the time with panels: from 4
 * terms 0.55 whatever the sides, from 8 0.7 to 0.9, from 10 1.0, and 0.2 to 0.6 with one row or two.
 */
import {
  type Code,
  type Local,
  loopWhile,
  ModuleWriter,
  repeatWhile,
  type Scope,
  when,
} from "../emit/assembler.ts";
import { type Call, wholeArrays } from "../emit/call.ts";
import { f64x2, i32, int, v128 } from "../emit/instructions.ts";
import { gain, loseOne } from "../emit/statements.ts";
import { kernelWords } from "../emit/words.ts";
import type { Arithmetic } from "./arithmetic.ts";
import type { GemmSizes } from "./gemm.ts";

/** Inner indices at most where rows of op(B) are runs: a row of op(A) stays in registers. Beyond, panels are as fast. */
const SHORT = 10;
/** Inner indices at most with which two rows of op(A) stay in registers. */
const SHORT_ENOUGH_FOR_TWO = 6;
/** Inner indices at most: the block of `tile.ts`. */
const BLOCK = 64;

const WORDS = kernelWords(["c", "a", "b"], ["batch", "m", "n", "k", "rowStep", "innerStep", "runStep"]);

/** The call for a batch of products that is better off without panels; undefined for others. Arrays are C, A, B. */
export function smallProductCall(sizes: GemmSizes, arithmetic: Arithmetic): Call | undefined {
  const { m, n, k, innerStep, contiguousColumns } = sizes;
  const common = { arrays: wholeArrays(3), words: WORDS.pack(sizes) };
  if (contiguousColumns === 0 && k <= SHORT)
    return {
      ...common,
      key: `short product ${k}${arithmetic.key}`,
      write: () => shortModule(k, arithmetic),
    };
  if (contiguousColumns === 1 && innerStep === 8 && k <= BLOCK && isNarrow(m, n, k))
    return { ...common, key: `narrow product${arithmetic.key}`, write: () => narrowModule(arithmetic) };
  return undefined;
}

/**
 * Whether a product whose op(B) has columns as runs is faster without panels. Measured, in units of the time with panels:
 * 4×4 from 64 terms 0.75, 200×4 from 32 0.85, 500×6 0.8, 500×10 from 16 0.9, 3×500 0.7, one row or column 0.2 to 0.4; but
 * 500×8 from 32 terms and 500×10 from 64 1.1.
 */
const isNarrow = (m: number, n: number, k: number): boolean =>
  n < 8 || m <= 4 || (m <= 8 && n <= 8) || (n <= 10 && k <= 16);

/** Statements for every product of the batch; A, B and C are moved on after each. */
function overBatch(scope: Scope, one: (words: ReturnType<typeof WORDS.locals>["values"]) => Code): Code {
  const { values, code } = WORDS.locals(scope);
  const { c, a, b, batch, m, n, k } = values;
  const next = (array: Local, rows: Local, columns: Local): Code =>
    gain(array, i32.shiftLeft(i32.multiply(rows.get, columns.get), int(3)));
  return [
    ...code,
    ...repeatWhile([one(values), next(c, m, n), next(a, m, k), next(b, k, n)], loseOne(batch)),
  ];
}

/** op(B) by rows: one or two rows of op(A) in registers, two columns at a time. */
function shortModule(depth: number, { multiplyAdd }: Arithmetic): ModuleWriter {
  const module = new ModuleWriter();
  const most = depth <= SHORT_ENOUGH_FOR_TWO ? 2 : 1;
  module.function("run", 0, (scope) => {
    const factors = scope.locals("v128", most * depth);
    const sums = scope.locals("v128", most);
    const column = scope.local("v128");
    const [rowsLeft, left, row, from, to, at, rowC] = scope.locals("i32", 7);
    return overBatch(scope, ({ c, a, b, m, n, rowStep, innerStep, runStep }) => {
      const columns = (rows: number, load: (address: Code) => Code, count: 1 | 2): Code[] => {
        const now = sums.slice(0, rows);
        return [
          at.set(from.get),
          ...now.map((sum) => sum.set(f64x2.constant(0))),
          ...Array.from({ length: depth }, (_, l) => [
            column.set(load(at.get)),
            gain(at, runStep.get),
            ...now.map((sum, r) => sum.set(multiplyAdd(factors[r * depth + l].get, column.get, sum.get))),
          ]).flat(),
          ...now.map((sum, r) => {
            const address = r === 0 ? to.get : i32.add(to.get, rowC.get);
            return count === 2 ? v128.store(address, sum.get) : v128.storeLow(address, sum.get);
          }),
          gain(from, int(8 * count)),
          gain(to, int(8 * count)),
          left.set(i32.subtract(left.get, int(count))),
        ];
      };
      const rows = (count: number): Code[] => [
        ...Array.from({ length: count }, (_, r) => [
          at.set(r === 0 ? row.get : i32.add(row.get, rowStep.get)),
          ...Array.from({ length: depth }, (_, l) => [
            factors[r * depth + l].set(v128.loadSplat(at.get)),
            gain(at, innerStep.get),
          ]).flat(),
        ]).flat(),
        from.set(b.get),
        left.set(n.get),
        loopWhile(i32.greaterEqual(left.get, int(2)), columns(count, v128.load, 2)),
        when(left.get, columns(count, v128.loadLow, 1)),
        // `to` stands behind the first of the rows: at the second.
        ...(count === 2 ? [gain(to, rowC.get)] : []),
        gain(row, i32.multiply(rowStep.get, int(count))),
        rowsLeft.set(i32.subtract(rowsLeft.get, int(count))),
      ];
      return [
        ...rowC.set(i32.shiftLeft(n.get, int(3))),
        ...row.set(a.get),
        ...to.set(c.get),
        ...rowsLeft.set(m.get),
        ...(most === 2 ? loopWhile(i32.greaterEqual(rowsLeft.get, int(2)), rows(2)) : []),
        ...loopWhile(rowsLeft.get, rows(1)),
      ];
    });
  });
  return module;
}

/** op(B) by columns: tiles of up to four rows and four columns, two inner indices at a time. */
function narrowModule(arithmetic: Arithmetic): ModuleWriter {
  const module = new ModuleWriter();
  const tiles = new Map(
    [4, 2, 1].flatMap((rows) => [4, 2, 1].map((columns) => [`${rows}x${columns}`, { rows, columns }])),
  );
  const callers = new Map(
    [...tiles].map(([name, { rows, columns }]) => [
      name,
      narrowTile(module, name, rows, columns, arithmetic),
    ]),
  );
  module.function("run", 0, (scope) => {
    const [rowsLeft, left, row, from, rowC, to] = scope.locals("i32", 6);
    return overBatch(scope, ({ c, a, b, m, n, k, rowStep, runStep }) => {
      const whileLeft = (count: Local, wide: number, body: Code): Code => {
        const least = int(wide);
        return loopWhile(i32.greaterEqual(count.get, least), [
          body,
          count.set(i32.subtract(count.get, least)),
        ]);
      };
      const column = (rows: number, columns: number): Code => {
        const tile = callers.get(`${rows}x${columns}`) as NonNullable<ReturnType<typeof callers.get>>;
        return whileLeft(left, columns, [
          ...tile(row.get, rowStep.get, from.get, runStep.get, to.get, i32.shiftLeft(n.get, int(3)), k.get),
          ...gain(from, i32.multiply(runStep.get, int(columns))),
          ...gain(to, int(8 * columns)),
        ]);
      };
      return [
        ...row.set(a.get),
        ...rowC.set(c.get),
        ...rowsLeft.set(m.get),
        ...[4, 2, 1].flatMap((rows) =>
          whileLeft(rowsLeft, rows, [
            ...from.set(b.get),
            ...to.set(rowC.get),
            ...left.set(n.get),
            ...[4, 2, 1].flatMap((columns) => column(rows, columns)),
            ...gain(row, i32.multiply(rowStep.get, int(rows))),
            ...gain(rowC, i32.shiftLeft(i32.multiply(n.get, int(rows)), int(3))),
          ]),
        ),
      ];
    });
  });
  return module;
}

/** One tile: (rows of A, row step, columns of B, step from one to the next, C, its row step, inner indices), steps in bytes. */
function narrowTile(
  module: ModuleWriter,
  name: string,
  rows: number,
  columns: number,
  { multiplyAdd }: Arithmetic,
) {
  return module.function(`tile${name}`, 7, (scope, a, rowA, b, columnB, c, rowC, left) => {
    const pairs = Math.ceil(columns / 2);
    const sums = scope.locals("v128", rows * pairs);
    const [x, u, v] = scope.locals("v128", 3);
    const values = scope.locals("v128", pairs);
    const next = scope.locals("v128", pairs);
    const as = [a, ...scope.locals("i32", rows - 1)];
    const bs = [b, ...scope.locals("i32", columns - 1)];
    const follow = (all: readonly Local[], step: Local): Code[] =>
      all.slice(1).map((address, i) => address.set(i32.add(all[i].get, step.get)));
    const multiply = (right: readonly Local[], offset: number): Code[] =>
      as.flatMap((address, r) => [
        x.set(v128.loadSplat(address.get, offset)),
        ...right.map((column, q) => {
          const sum = sums[r * pairs + q];
          return sum.set(multiplyAdd(x.get, column.get, sum.get));
        }),
      ]);
    const second = (q: number): Local => bs[Math.min(2 * q + 1, columns - 1)];
    const two = [
      ...values.flatMap((value, q) => [
        u.set(v128.load(bs[2 * q].get)),
        v.set(v128.load(second(q).get)),
        value.set(v128.shuffle(u.get, v.get, 0, 2)),
        next[q].set(v128.shuffle(u.get, v.get, 1, 3)),
      ]),
      ...multiply(values, 0),
      ...multiply(next, 8),
      ...[...as, ...bs].map((address) => gain(address, int(16))),
      left.set(i32.subtract(left.get, int(2))),
    ];
    const last = [
      ...values.map((value, q) => value.set(v128.loadHigh(second(q).get, v128.loadLow(bs[2 * q].get)))),
      ...multiply(values, 0),
      left.set(int(0)),
    ];
    return [
      ...follow(as, rowA).flat(),
      ...follow(bs, columnB).flat(),
      ...sums.flatMap((sum) => sum.set(f64x2.constant(0))),
      ...loopWhile(i32.greaterEqual(left.get, int(2)), two),
      ...loopWhile(left.get, last),
      ...Array.from({ length: rows }, (_, r) => [
        ...Array.from({ length: pairs }, (_, q) => {
          const sum = sums[r * pairs + q].get;
          return columns === 1 ? v128.storeLow(c.get, sum) : v128.store(c.get, sum, 16 * q);
        }).flat(),
        ...gain(c, rowC.get),
      ]).flat(),
    ];
  });
}
