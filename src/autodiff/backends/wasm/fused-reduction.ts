/**
 * Fused reductions: an elementwise expression whose values are summed while they are computed, with the bits of computing
 * first and summing then. The four lanes of primitives/reduction.ts fix the order.
 */
import {
  type Call,
  type Code,
  declareImports,
  f64x2,
  gain,
  i32,
  int,
  type Local,
  loopWhile,
  loopWords,
  loseOne,
  ModuleWriter,
  nestedLoops,
  own,
  PANELS,
  repeatWhile,
  type Scope,
  v128,
  when,
  word,
} from "../../../wasm/index.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import { type ReductionSplit, reductionSplit } from "../../plan/reduction-split.ts";
import { coalesce, type LoopNest } from "../../primitives/loops.ts";
import { type Expression, type Inside, type Listener, LoopWriter, motionOf } from "./elementwise.ts";

/** Sums of some values of an expression over some axes of its shape. */
export interface FusedReduction {
  readonly shape: Shape;
  readonly axes: readonly number[];
  readonly values: readonly number[];
}

interface Pattern extends Inside {
  readonly sums: readonly number[];
  /** Loops over outer axes, over reduced ones, and over inner ones but the last; `along`: there are no inner ones. */
  readonly depths: readonly [number, number, number];
  readonly along: boolean;
}

/**
 * The call that evaluates an expression at every index of a shape and sums some of its values as it goes, in the four
 * lanes of primitives/reduction.ts. Arrays: the expression's outputs, its inputs, then the sums.
 */
export function fusedReductionCall(
  expression: Expression,
  { shape, axes, values }: FusedReduction,
  strides: readonly (readonly number[])[],
  arrays: Call["arrays"],
): Call[] {
  const { outer, reduced, inner } = reductionSplit(shape, axes) as ReductionSplit;
  const part = (lengths: Shape, first: number): LoopNest =>
    coalesce(
      lengths,
      strides.map((list) => list.slice(first, first + lengths.length)),
    );
  const along = sizeOf(inner) === 1;
  const parts = [
    part(outer, 0),
    part(reduced, outer.length),
    ...(along ? [] : [part(inner, outer.length + reduced.length)]),
  ];
  const loops = {
    lengths: parts.flatMap(({ lengths }) => lengths),
    strides: parts.flatMap((nest) => nest.strides),
  };
  const last = loops.lengths.length - 1;
  const length = loops.lengths[last];
  const steps = loops.strides[last];
  const around = { lengths: loops.lengths.slice(0, last), strides: loops.strides.slice(0, last) };
  const depthOf = (i: number): number => (parts[i]?.lengths.length ?? 0) - (i === parts.length - 1 ? 1 : 0);
  const pattern: Pattern = {
    expression,
    motions: steps.map(motionOf),
    sums: values,
    depths: [depthOf(0), depthOf(1), along ? 0 : depthOf(2)],
    along,
  };
  const words = [
    ...[length, ...steps.map((step) => 8 * step), 8 * sizeOf(inner)],
    ...loopWords(
      around,
      steps.map((step) => step * length),
    ),
  ];
  return [{ key: JSON.stringify(pattern), write: () => fusedReductionModule(pattern), arrays, words }];
}

const LANES = 4;

function fusedReductionModule(pattern: Pattern): ModuleWriter {
  const module = new ModuleWriter();
  const imports = declareImports(
    module,
    pattern.expression.steps.map(({ op }) => op),
  );
  module.function("run", 0, (scope) => {
    const arrays = pattern.motions.length;
    const length = arrays + pattern.sums.length;
    const innerBytes = word(length + 1 + arrays);
    const totals = scope.locals("i32", pattern.sums.length);
    const reduction = pattern.along
      ? along(pattern, scope, totals)
      : across(pattern, scope, totals, innerBytes);
    const writer = new LoopWriter(pattern, imports, scope, length, reduction.listener);
    const { addresses } = writer;
    const [outer, reduced, inner] = pattern.depths;
    let first = length + 2 + arrays;
    const loops = (depth: number, body: Code): Code => {
      const code = nestedLoops(scope, depth, first, addresses, body);
      first += depth * (arrays + 1);
      return code;
    };
    const run = loops(inner, pattern.along ? writer.runInLanes() : writer.run());
    const one = loops(reduced, [...run, ...reduction.afterRun]);
    return [
      ...[...addresses, ...totals].flatMap((address, j) => address.set(word(j))),
      ...loops(outer, [...reduction.before, ...one, ...reduction.after]),
    ];
  });
  return module;
}

interface ReductionCode {
  readonly listener: Listener;
  /** Before the first and after the last entry of one set of sums; after every run over the inner axes. */
  readonly before: Code;
  readonly afterRun: Code;
  readonly after: Code;
}

/** One sum per value at a time, its lanes in two registers. */
function along({ sums }: Pattern, scope: Scope, totals: readonly Local[]): ReductionCode {
  const lanes = sums.map(() => scope.locals("v128", 2));
  const both = scope.local("v128");
  const alone = (value: Code): Code => v128.shuffle(value, f64x2.constant(0), 0, 2);
  return {
    listener: {
      // The unused lane of a single entry gains +0, which changes no bit: a sum that starts from +0 is never −0.
      hear: (block, values, pair, count) =>
        sums.forEach((value, s) => {
          const x = count === 1 ? alone(values[value]) : values[value];
          block.add(lanes[s][pair].set(f64x2.add(lanes[s][pair].get, x)));
        }),
      move: () => [],
    },
    before: lanes.flat().flatMap((lane) => lane.set(f64x2.constant(0))),
    afterRun: [],
    after: lanes.flatMap(([low, high], s) => [
      ...both.set(f64x2.add(v128.shuffle(low.get, high.get, 0, 2), v128.shuffle(low.get, high.get, 1, 3))),
      ...v128.storeLow(totals[s].get, f64x2.add(both.get, v128.shuffle(both.get, both.get, 1, 1))),
      ...gain(totals[s], int(8)),
    ]),
  };
}

/** Sums side by side: four rows of partial sums for each value, in the room for packed panels, one after another. */
function across({ sums }: Pattern, scope: Scope, totals: readonly Local[], innerBytes: Code): ReductionCode {
  const rows = scope.locals("i32", sums.length);
  const [row, left, at] = scope.locals("i32", 3);
  const start = (s: number): Code => i32.add(own(PANELS.left), i32.multiply(row.get, int(LANES * s)));
  const first = rows.flatMap((address, s) => address.set(start(s)));
  const lane = (l: number, load: (address: Code) => Code): Code =>
    load(i32.add(at.get, i32.multiply(row.get, int(l))));
  const total = (load: (address: Code) => Code): Code =>
    f64x2.add(f64x2.add(lane(0, load), lane(1, load)), f64x2.add(lane(2, load), lane(3, load)));
  return {
    listener: {
      hear: (block, values, pair, count) =>
        sums.forEach((value, s) => {
          const address = rows[s].get;
          block.add(
            count === 1
              ? v128.storeLow(address, f64x2.add(v128.loadLow(address), values[value]))
              : v128.store(address, f64x2.add(v128.load(address, 16 * pair), values[value]), 16 * pair),
          );
        }),
      move: (entries) => rows.flatMap((address) => gain(address, int(8 * entries))),
    },
    before: [
      ...row.set(innerBytes),
      ...at.set(own(PANELS.left)),
      ...left.set(i32.shiftRight(i32.multiply(row.get, int((LANES / 2) * sums.length)), int(3))),
      ...repeatWhile([v128.store(at.get, f64x2.constant(0)), gain(at, int(16))], loseOne(left)),
      ...first,
    ],
    afterRun: when(i32.equal(rows[0].get, i32.add(own(PANELS.left), i32.multiply(row.get, int(LANES)))), [
      first,
    ]),
    after: sums.flatMap((_, s) => [
      ...at.set(start(s)),
      ...left.set(row.get),
      ...loopWhile(i32.greaterEqual(left.get, int(16)), [
        v128.store(totals[s].get, total(v128.load)),
        gain(totals[s], int(16)),
        gain(at, int(16)),
        left.set(i32.subtract(left.get, int(16))),
      ]),
      ...when(left.get, [v128.storeLow(totals[s].get, total(v128.loadLow)), gain(totals[s], int(8))]),
    ]),
  };
}
