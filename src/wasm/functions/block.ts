/** Straight-line code on pairs of doubles, and the constants and small formulas that the functions share. */
import type { Code, Local, Scope } from "../emit/assembler.ts";
import { f64x2, i32, int, v128 } from "../emit/instructions.ts";

/** Straight-line code that is being written, two doubles at a time. */
export class Block {
  readonly scope: Scope;
  private readonly written: Code[] = [];

  constructor(scope: Scope) {
    this.scope = scope;
  }

  get statements(): readonly Code[] {
    return this.written;
  }

  add(statement: Code): void {
    this.written.push(statement);
  }

  /** Computes a value once, here; returns the code that reads it. */
  keep(value: Code): Code {
    return this.variable(value).get;
  }

  variable(value: Code): Local {
    const local = this.scope.local("v128");
    this.add(local.set(value));
    return local;
  }

  /** As `keep`, for integers. */
  keepInteger(value: Code): Code {
    const local = this.scope.local("i32");
    this.add(local.set(value));
    return local.get;
  }
}

/** A constant in both lanes. */
export const c = f64x2.constant;
export const { add, subtract, multiply, divide, min, max, absolute, negate } = f64x2;

/** a·b + … in the order written: ((first + second) + third) …. */
export const sum = (first: Code, ...rest: readonly Code[]): Code => rest.reduce((a, b) => add(a, b), first);

/** a where the mask holds, else b. */
export const choose = (mask: Code, a: Code, b: Code): Code => v128.select(a, b, mask);

/** a where the mask holds, else +0. */
export const only = (mask: Code, a: Code): Code => v128.and(mask, a);

/** The sign bit of both lanes. */
export const SIGN = c(-0);

/** The size of `size`, not negative, with the sign of `sign`. */
export const withSign = (size: Code, sign: Code): Code => v128.or(size, v128.and(sign, SIGN));

/**
 * Doubles 2p and 2p + 1 of the table rows of both lanes, as one vector each; rows start at the byte addresses given.
 */
export function pairs(block: Block, rows: readonly [Code, Code], table: number, p: number): [Code, Code] {
  const low = block.keep(v128.load(rows[0], table + 16 * p));
  const high = block.keep(v128.load(rows[1], table + 16 * p));
  return [block.keep(v128.shuffle(low, high, 0, 2)), block.keep(v128.shuffle(low, high, 1, 3))];
}

/** Byte offsets of rows of 2^`shift` bytes whose numbers are bits `first` … `first` + `count` − 1 of the given words. */
export function rowOffsets(
  block: Block,
  words: readonly [Code, Code],
  first: number,
  count: number,
  shift: number,
): [Code, Code] {
  const mask = ((1 << count) - 1) << shift;
  const offset = (word: Code): Code =>
    block.keepInteger(
      i32.and(
        first > shift ? i32.shiftRight(word, int(first - shift)) : i32.shiftLeft(word, int(shift - first)),
        int(mask),
      ),
    );
  return [offset(words[0]), offset(words[1])];
}
