/**
 * Lowers sums and maxima over axes. Whichever axis lies along memory, a sum has the four lanes of primitives/reduction.ts;
 * `along` has two of them in a register, `across` has two results in one.
 */
import {
  type Call,
  type Code,
  f64x2,
  fillCalls,
  i32,
  int,
  kernelWords,
  type Local,
  loopWhile,
  loopWords,
  ModuleWriter,
  nestedLoops,
  repeatWhile,
  type Scope,
  v128,
  when,
  wholeArrays,
} from "../../../wasm/index.ts";
import { sizeOf, stridesOf } from "../../graph/shape.ts";
import { coalesce } from "../../primitives/loops.ts";
import type { Layout } from "../../primitives/rule.ts";

type ReductionName = "sum" | "max";

/**
 * How a reduction meets memory. `along`: one result at a time, its entries neighbours or a stride apart. `across`: the
 * entries of neighbouring results are neighbours, so several results go side by side.
 */
interface Pattern {
  readonly op: ReductionName;
  readonly way: "along" | "stride" | "across";
  /** Loops around the innermost reduced one. */
  readonly reducedDepth: number;
  /** Loops over results; `across`: around the innermost one. */
  readonly keptDepth: number;
}

/** A reduction over some axes. */
export function lowerReduction(op: ReductionName, axes: readonly number[], operand: Layout): Call[] {
  const kept = operand.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const pick = (list: readonly number[], which: readonly number[]) => which.map((axis) => list[axis]);
  const keptShape = pick(operand.shape, kept);
  if (sizeOf(operand.shape) === 0) return fillCalls(op === "sum" ? 0 : -Infinity, sizeOf(keptShape));
  const reduced = coalesce(pick(operand.shape, axes), [pick(operand.strides, axes)]);
  const results = coalesce(keptShape, [stridesOf(keptShape), pick(operand.strides, kept)]);
  const last = reduced.lengths.length - 1;
  const lastKept = results.lengths.length - 1;
  const stride = reduced.strides[last][0];
  const side = stride !== 1 && results.strides[lastKept][1] === 1 && results.lengths[lastKept] > 1;
  const way = side ? "across" : stride === 1 ? "along" : "stride";
  const pattern: Pattern = { op, way, reducedDepth: last, keptDepth: side ? lastKept : lastKept + 1 };

  const inner = reduced.lengths[last];
  const around = { lengths: reduced.lengths.slice(0, last), strides: reduced.strides.slice(0, last) };
  const width = results.lengths[lastKept];
  const keptLoops = side
    ? { lengths: results.lengths.slice(0, lastKept), strides: results.strides.slice(0, lastKept) }
    : results;
  const words = [
    ...WORDS.pack({ length: inner, stride: 8 * stride, width }),
    ...loopWords(around, [inner * stride]),
    ...loopWords(keptLoops, side ? [width, width] : [0, 0]),
  ];
  const key = JSON.stringify(pattern);
  return [{ key, write: () => reductionModule(pattern), arrays: wholeArrays(2), words }];
}

/** The innermost loop over reduced entries, its step in bytes, results side by side; the loops around follow. */
const WORDS = kernelWords(["to", "from"], ["length", "stride", "width"]);
const { word, count: LOOPS } = WORDS;
const LANES = 4;

function reductionModule(pattern: Pattern): ModuleWriter {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const [to, from] = scope.locals("i32", 2);
    const body =
      pattern.way === "across" ? across(pattern, scope, to, from) : along(pattern, scope, to, from);
    const loops = LOOPS + 2 * pattern.reducedDepth;
    return [
      ...to.set(word("to")),
      ...from.set(word("from")),
      ...nestedLoops(scope, pattern.keptDepth, loops, [to, from], body),
    ];
  });
  return module;
}

/** Runs of reduced entries: `run` reads `left` entries from `at` on and moves `at` behind them. */
function runs({ reducedDepth }: Pattern, scope: Scope, at: Local, left: Local, run: Code): Code {
  return nestedLoops(scope, reducedDepth, LOOPS, [at], [...left.set(word("length")), ...run]);
}

/** One result from its entries in order. */
function along(pattern: Pattern, scope: Scope, to: Local, from: Local): Code {
  const [at, left] = scope.locals("i32", 2);
  const entries = pattern.op === "sum" ? sumAlong : maxAlong;
  return [...at.set(from.get), ...entries(pattern, scope, at, left, to)];
}

function sumAlong(pattern: Pattern, scope: Scope, at: Local, left: Local, to: Local): Code {
  const [low, high, swap] = scope.locals("v128", 3);
  const phase = scope.local("i32");
  const contiguous = pattern.way === "along";
  const stride = contiguous ? int(8) : word("stride");
  const move = (entries: number): Code =>
    at.set(i32.add(at.get, contiguous ? int(8 * entries) : i32.multiply(stride, int(entries))));
  const pair = (first: number): Code => {
    if (contiguous) return v128.load(at.get, 8 * first);
    const address = first === 0 ? at.get : i32.add(at.get, i32.multiply(stride, int(first)));
    return v128.loadHigh(i32.add(address, stride), v128.loadLow(address));
  };
  const single = contiguous
    ? (first: number): Code => v128.loadLow(at.get, 8 * first)
    : (first: number): Code => v128.loadLow(i32.add(at.get, i32.multiply(stride, int(first))));
  // Lanes that a short last group does not reach gain +0, which changes no bit: a sum that starts from +0 is never −0.
  const remainder = (count: number): Code[] => [
    low.set(f64x2.add(low.get, count === 1 ? single(0) : pair(0))),
    ...(count === 3 ? [high.set(f64x2.add(high.get, single(2)))] : []),
    move(count),
  ];
  const group = [
    low.set(f64x2.add(low.get, pair(0))),
    high.set(f64x2.add(high.get, pair(2))),
    move(LANES),
    left.set(i32.subtract(left.get, int(LANES))),
  ];
  // The next run continues with lane `left`: turn the lanes so that it stands first.
  const turn = (by: number): Code[] => {
    if (by === 2) return [swap.set(low.get), low.set(high.get), high.set(swap.get)];
    const [a, b] = by === 1 ? [low.get, high.get] : [high.get, low.get];
    return [swap.set(v128.shuffle(a, b, 1, 2)), high.set(v128.shuffle(b, a, 1, 2)), low.set(swap.get)];
  };
  const several = pattern.reducedDepth > 0;
  const ending = (count: number): Code =>
    when(i32.equal(left.get, int(count)), [...remainder(count), ...(several ? turn(count) : [])]);
  const run = [
    ...loopWhile(i32.greaterEqual(left.get, int(LANES)), group),
    ...[1, 2, 3].flatMap(ending),
    ...(several ? phase.set(i32.add(phase.get, left.get)) : []),
  ];
  // Turned by an even number, lanes 0 … 3 stand at low, high or high, low; by an odd one the pairs (0, 1) and (2, 3)
  // stand at (3, 0) and (1, 2), or the other way round: addition commutes.
  const pairSums = (a: Code, b: Code): Code => f64x2.add(v128.shuffle(a, b, 0, 2), v128.shuffle(a, b, 1, 3));
  return [
    ...low.set(f64x2.constant(0)),
    ...high.set(f64x2.constant(0)),
    ...phase.set(int(0)),
    ...runs(pattern, scope, at, left, run),
    ...when(i32.and(phase.get, int(1)), turn(1)),
    ...swap.set(pairSums(low.get, high.get)),
    ...v128.storeLow(to.get, f64x2.add(swap.get, v128.shuffle(swap.get, swap.get, 1, 1))),
  ];
}

/** In order, because of equal zeros the first counts. */
function maxAlong(pattern: Pattern, scope: Scope, at: Local, left: Local, to: Local): Code {
  const [largest, strange, x] = scope.locals("v128", 3);
  const step = pattern.way === "along" ? int(8) : word("stride");
  const run = repeatWhile(
    [
      x.set(v128.loadLow(at.get)),
      largest.set(f64x2.laterMax(largest.get, x.get)),
      strange.set(v128.or(strange.get, f64x2.notEqual(x.get, x.get))),
      at.set(i32.add(at.get, step)),
    ],
    left.tee(i32.subtract(left.get, int(1))),
  );
  return [
    ...largest.set(f64x2.constant(-Infinity)),
    ...strange.set(f64x2.constant(0)),
    ...runs(pattern, scope, at, left, run),
    ...v128.storeLow(to.get, v128.or(largest.get, strange.get)),
  ];
}

/** Results side by side: four, then two, then one at a time. */
function across(pattern: Pattern, scope: Scope, to: Local, from: Local): Code {
  const left = scope.local("i32");
  const columns = (count: 1 | 2 | 4): Code[] => [
    (pattern.op === "sum" ? sumAcross : maxAcross)(pattern, scope, to, from, count),
    to.set(i32.add(to.get, int(8 * count))),
    from.set(i32.add(from.get, int(8 * count))),
    left.set(i32.subtract(left.get, int(count))),
  ];
  return [
    ...left.set(word("width")),
    ...loopWhile(i32.greaterEqual(left.get, int(4)), columns(4)),
    ...when(i32.greaterEqual(left.get, int(2)), columns(2)),
    ...when(left.get, columns(1)),
  ];
}

const loadColumns = (at: Code, count: 1 | 2 | 4, vector: number): Code =>
  count === 1 ? v128.loadLow(at) : v128.load(at, 16 * vector);
const storeColumns = (to: Code, count: 1 | 2 | 4, vector: number, value: Code): Code =>
  count === 1 ? v128.storeLow(to, value) : v128.store(to, value, 16 * vector);
const vectorsOf = (count: number): number[] => Array.from({ length: Math.ceil(count / 2) }, (_, v) => v);

function sumAcross(pattern: Pattern, scope: Scope, to: Local, from: Local, count: 1 | 2 | 4): Code {
  const [at, left] = scope.locals("i32", 2);
  const vectors = vectorsOf(count);
  const lanes = Array.from({ length: LANES }, () => scope.locals("v128", vectors.length));
  const saved = scope.locals("v128", vectors.length);
  const entry = (lane: readonly Local[]): Code[] => [
    ...vectors.map((v) => lane[v].set(f64x2.add(lane[v].get, loadColumns(at.get, count, v)))),
    at.set(i32.add(at.get, word("stride"))),
  ];
  const turnByOne = vectors.flatMap((v) => [
    saved[v].set(lanes[0][v].get),
    ...[0, 1, 2].map((lane) => lanes[lane][v].set(lanes[lane + 1][v].get)),
    lanes[3][v].set(saved[v].get),
  ]);
  // The rest of a run, entry by entry; lanes are turned after each so that the next entry's stands first.
  const rest = repeatWhile([...entry(lanes[0]), ...turnByOne], left.tee(i32.subtract(left.get, int(1))));
  const phase = scope.local("i32");
  const run = [
    ...loopWhile(i32.greaterEqual(left.get, int(LANES)), [
      ...lanes.flatMap(entry),
      left.set(i32.subtract(left.get, int(LANES))),
    ]),
    ...phase.set(i32.add(phase.get, left.get)),
    ...when(left.get, [rest]),
  ];
  const total = (v: number, [a, b, c, d]: readonly number[]): Code =>
    f64x2.add(f64x2.add(lanes[a][v].get, lanes[b][v].get), f64x2.add(lanes[c][v].get, lanes[d][v].get));
  const store = (order: readonly number[]): Code[] =>
    vectors.map((v) => storeColumns(to.get, count, v, total(v, order)));
  return [
    ...at.set(from.get),
    ...phase.set(int(0)),
    ...lanes.flat().flatMap((lane) => lane.set(f64x2.constant(0))),
    ...runs(pattern, scope, at, left, run),
    ...when(i32.and(phase.get, int(1)), store([3, 0, 1, 2]), store([0, 1, 2, 3])),
  ];
}

function maxAcross(pattern: Pattern, scope: Scope, to: Local, from: Local, count: 1 | 2 | 4): Code {
  const [at, left] = scope.locals("i32", 2);
  const vectors = vectorsOf(count);
  const largest = scope.locals("v128", vectors.length);
  const strange = scope.locals("v128", vectors.length);
  const x = scope.local("v128");
  const run = repeatWhile(
    [
      ...vectors.flatMap((v) => [
        x.set(loadColumns(at.get, count, v)),
        largest[v].set(f64x2.laterMax(largest[v].get, x.get)),
        strange[v].set(v128.or(strange[v].get, f64x2.notEqual(x.get, x.get))),
      ]),
      at.set(i32.add(at.get, word("stride"))),
    ],
    left.tee(i32.subtract(left.get, int(1))),
  );
  return [
    ...at.set(from.get),
    ...vectors.flatMap((v) => [
      ...largest[v].set(f64x2.constant(-Infinity)),
      ...strange[v].set(f64x2.constant(0)),
    ]),
    ...runs(pattern, scope, at, left, run),
    ...vectors.flatMap((v) => storeColumns(to.get, count, v, v128.or(largest[v].get, strange[v].get))),
  ];
}
