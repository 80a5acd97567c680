/**
 * Lowers elementwise expressions, one operation or a whole group: generates a loop over memory whose body evaluates two
 * entries at a time in registers. Which operations and how each array moves make the kernel; lengths and strides are words.
 */
import {
  Block,
  type Call,
  type Code,
  declareImports,
  ELEMENTWISE,
  type ElementwiseName,
  type Imports,
  i32,
  int,
  type Local,
  loopWhile,
  loopWords,
  ModuleWriter,
  nestedLoops,
  type Scope,
  v128,
  when,
  word,
} from "../../../wasm/index.ts";
import { type Shape, sizeOf, stridesOf } from "../../graph/shape.ts";
import { coalesce, type LoopNest } from "../../primitives/loops.ts";
import type { Layout } from "../../primitives/rule.ts";

/** One operation; operands are numbers of values: first the inputs, then the steps in order. */
export interface Step {
  readonly op: ElementwiseName;
  readonly operands: readonly number[];
}

/** Elementwise operations evaluated together, entry by entry: intermediate values stay in registers. */
export interface Expression {
  readonly inputs: number;
  readonly steps: readonly Step[];
  /** The values that are stored. */
  readonly outputs: readonly number[];
}

/** How an array moves along the innermost loop: entry by entry, not at all, or by a stride. */
export type Motion = "next" | "stay" | "stride";

/** What an innermost loop does. */
export interface Inside {
  readonly expression: Expression;
  /** Outputs, then inputs. */
  readonly motions: readonly Motion[];
}

interface Pattern extends Inside {
  /** Loops around the innermost one. */
  readonly depth: number;
}

/** How an array of this stride, in entries, moves. */
export const motionOf = (stride: number): Motion =>
  stride === 1 ? "next" : stride === 0 ? "stay" : "stride";

const copy: Expression = { inputs: 1, steps: [], outputs: [0] };

/** The call, if any, that evaluates an expression at every index of `shape`: outputs, then inputs, laid out by `strides`. */
export function elementwiseCall(
  expression: Expression,
  shape: Shape,
  strides: readonly (readonly number[])[],
  arrays: Call["arrays"],
): Call[] {
  if (sizeOf(shape) === 0) return [];
  const nest = coalesce(shape, strides);
  const inner = nest.strides[nest.lengths.length - 1];
  const pattern: Pattern = {
    expression,
    motions: inner.map(motionOf),
    depth: nest.lengths.length - 1,
  };
  const key = JSON.stringify(pattern);
  return [{ key, write: () => elementwiseModule(pattern), arrays, words: nestWords(nest) }];
}

/** One primitive as an expression of its operands. */
export function lowerElementwise(op: ElementwiseName, operands: readonly Layout[], shape: Shape): Call[] {
  const expression: Expression = {
    inputs: operands.length,
    steps: [{ op, operands: operands.map((_, i) => i) }],
    outputs: [operands.length],
  };
  return elementwiseCall(
    expression,
    shape,
    [stridesOf(shape), ...operands.map((operand) => operand.strides)],
    [0, ...operands.map((_, i) => i + 1)].map((at) => ({ at, offset: 0 })),
  );
}

/** Copies entries of the first operand, or of operand `from`, at `offset`, to the places that `to` gives in the result. */
export function lowerCopy(
  shape: Shape,
  from: { readonly strides: readonly number[]; readonly offset: number; readonly operand?: number },
  to: { readonly strides: readonly number[]; readonly offset: number },
): Call[] {
  return elementwiseCall(
    copy,
    shape,
    [to.strides, from.strides],
    [
      { at: 0, offset: to.offset },
      { at: 1 + (from.operand ?? 0), offset: from.offset },
    ],
  );
}

/** Length and byte strides of the innermost loop, then the loops around it. */
function nestWords({ lengths, strides }: LoopNest): number[] {
  const depth = lengths.length - 1;
  const inner = strides[depth];
  const around = { lengths: lengths.slice(0, depth), strides: strides.slice(0, depth) };
  return [
    lengths[depth],
    ...inner.map((stride) => 8 * stride),
    ...loopWords(
      around,
      inner.map((stride) => stride * lengths[depth]),
    ),
  ];
}

function elementwiseModule(pattern: Pattern): ModuleWriter {
  const module = new ModuleWriter();
  const imports = declareImports(
    module,
    pattern.expression.steps.map((step) => step.op),
  );
  module.function("run", 0, (scope) => {
    const arrays = pattern.motions.length;
    const writer = new LoopWriter(pattern, imports, scope, arrays);
    const { addresses } = writer;
    const loops = nestedLoops(scope, pattern.depth, 2 * arrays + 1, addresses, writer.run());
    return [...addresses.flatMap((address, j) => address.set(word(j))), ...loops];
  });
  return module;
}

/** What else an innermost loop does with the values of every pair of entries, or of one. */
export interface Listener {
  /** `pair` counts the pairs since the last move, or in lanes those of four entries. */
  readonly hear: (block: Block, values: readonly Code[], pair: number, count: 1 | 2) => void;
  /** After so many entries. */
  readonly move: (entries: number) => Code;
}

/** Writes the innermost loop of a kernel: its length is word `length`, its byte strides follow. */
export class LoopWriter {
  readonly addresses: readonly Local[];
  readonly left: Local;
  private readonly pattern: Inside;
  private readonly imports: Imports;
  private readonly scope: Scope;
  private readonly strides: readonly Code[];
  private readonly length: number;
  private readonly listener: Listener | undefined;

  constructor(pattern: Inside, imports: Imports, scope: Scope, length: number, listener?: Listener) {
    this.pattern = pattern;
    this.imports = imports;
    this.scope = scope;
    this.length = length;
    this.listener = listener;
    this.addresses = scope.locals("i32", pattern.motions.length);
    this.strides = pattern.motions.map((motion, j) =>
      motion === "stride" ? word(length + 1 + j) : int(motion === "next" ? 8 : 0),
    );
    this.left = scope.local("i32");
  }

  /** The innermost loop: several pairs of entries per turn where the work is small, then pairs, then one. */
  run(): Code {
    const { expression, motions } = this.pattern;
    const length = expression.steps.reduce((total, { op }) => total + ELEMENTWISE[op].length, 1);
    const pairs = motions.includes("stride") || length > 8 ? 1 : length > 3 ? 2 : 4;
    const fixed = this.splats();
    const loop = (count: number): Code => [
      ...loopWhile(i32.greaterEqual(this.left.get, int(2 * count)), [
        ...Array.from({ length: count }, (_, pair) => this.entries(fixed.values, pair, 2)),
        this.advance(2 * count),
        this.left.set(i32.subtract(this.left.get, int(2 * count))),
      ]),
    ];
    return [
      ...this.left.set(word(this.length)),
      ...fixed.code,
      ...(pairs > 1 ? loop(pairs) : []),
      ...loop(1),
      ...when(this.left.get, [this.entries(fixed.values, 0, 1), this.advance(1)]),
    ];
  }

  /** The innermost loop in turns of four entries, so that the r-th is heard as entry r mod 4 of two pairs. */
  runInLanes(): Code {
    const fixed = this.splats();
    const some = (lane: number, count: 1 | 2): Code[] => [
      this.entries(fixed.values, 0, count, lane),
      this.advance(count),
      this.left.set(i32.subtract(this.left.get, int(count))),
    ];
    return [
      ...this.left.set(word(this.length)),
      ...fixed.code,
      ...loopWhile(i32.greaterEqual(this.left.get, int(4)), [...some(0, 2), ...some(1, 2)]),
      ...when(
        i32.greaterEqual(this.left.get, int(2)),
        [...some(0, 2), when(this.left.get, some(1, 1))],
        [when(this.left.get, some(0, 1))],
      ),
    ];
  }

  /** Loads the inputs that do not move. */
  private splats(): { readonly values: readonly (Code | undefined)[]; readonly code: Code } {
    const { expression, motions } = this.pattern;
    const block = new Block(this.scope);
    const values = Array.from({ length: expression.inputs }, (_, i) => {
      const array = expression.outputs.length + i;
      return motions[array] === "stay" ? block.keep(v128.loadSplat(this.addresses[array].get)) : undefined;
    });
    return { values, code: block.statements.flat() };
  }

  /** Evaluates a pair of entries, or one with an unused lane, and stores the outputs. */
  private entries(fixed: readonly (Code | undefined)[], pair: number, count: 1 | 2, heard = pair): Code {
    const { expression } = this.pattern;
    const { outputs, inputs, steps } = expression;
    const block = new Block(this.scope);
    const values = Array.from(
      { length: inputs },
      (_, i) => fixed[i] ?? block.keep(this.load(outputs.length + i, pair, count)),
    );
    for (const { op, operands } of steps)
      values.push(
        ELEMENTWISE[op].write(
          block,
          operands.map((value) => values[value]),
          this.imports,
        ),
      );
    outputs.forEach((value, array) => {
      block.add(this.store(array, values[value], pair, count));
    });
    this.listener?.hear(block, values, heard, count);
    return block.statements.flat();
  }

  private load(array: number, pair: number, count: 1 | 2): Code {
    const address = this.addresses[array].get;
    if (count === 1) return v128.loadLow(address);
    if (this.pattern.motions[array] === "next") return v128.load(address, 16 * pair);
    return v128.loadHigh(i32.add(address, this.strides[array]), v128.loadLow(address));
  }

  private store(array: number, value: Code, pair: number, count: 1 | 2): Code {
    const address = this.addresses[array].get;
    if (count === 1) return v128.storeLow(address, value);
    if (this.pattern.motions[array] === "next") return v128.store(address, value, 16 * pair);
    return [
      ...v128.storeLow(address, value),
      ...v128.storeHigh(i32.add(address, this.strides[array]), value),
    ];
  }

  private advance(entries: number): Code {
    const moves = this.pattern.motions.flatMap((motion, j) => {
      if (motion === "stay") return [];
      const address = this.addresses[j];
      const step = motion === "next" ? int(8 * entries) : i32.multiply(this.strides[j], int(entries));
      return address.set(i32.add(address.get, step));
    });
    return [...moves, ...(this.listener?.move(entries) ?? [])];
  }
}
