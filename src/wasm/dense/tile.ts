/** The register tile: the innermost loop of products and convolutions. */
import {
  block,
  type Caller,
  type Code,
  type Local,
  leaveIf,
  loopWhile,
  type ModuleWriter,
  repeatWhile,
  when,
} from "../emit/assembler.ts";
import { f64x2, i32, int, v128 } from "../emit/instructions.ts";
import type { Arithmetic } from "./arithmetic.ts";

/** The inner indices of a product are summed in blocks of so many (primitives/matmul.ts). */
const BLOCK = 64;

/** A register tile of doubles, and whether the left panel holds every entry twice, ready for both lanes. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly doubled: boolean;
}

/**
 * Eight accumulators of two doubles and the six operands of a step fill the registers. Measured in V8 (Node 20.20, panels
 * in the first-level cache, share of the peak of f64x2, sums of 64 terms): 4×4 doubled 0.75, 2×8 doubled 0.72, 2×8 0.66,
 * 4×4 0.59; 3×6, 4×6, 6×4 and 5×4 spill. Doubled entries are plain loads; a load that doubles costs an address more.
 */
export const PRODUCT_TILE: Tile = { rows: 4, columns: 4, doubled: true };

/** The tile of convolutions. */
export const ROWS = 2;
/** Columns of the tile of convolutions. */
export const COLUMNS = 8;
/** Bytes of one inner index in its left panel. */
export const ROW_PANEL = ROWS * 8;
/** Bytes of one inner index in its right panel. */
export const COLUMN_PANEL = COLUMNS * 8;
/** The tile of convolutions: wide, because the pixels of a window are neighbours. */
export const CONVOLUTION_TILE: Tile = { rows: ROWS, columns: COLUMNS, doubled: false };

/** Bytes of one inner index in the left and in the right panel. */
export const leftStep = ({ rows, doubled }: Tile): number => rows * (doubled ? 16 : 8);
/** Bytes of one inner index in the right panel. */
export const rightStep = ({ columns }: Tile): number => columns * 8;

/** Inner indices per turn of the loop. */
const TURN = 8;

/**
 * The tile at `c` (row length `row` bytes) gains, or if `first` (0 or 1) becomes, panel a times panel b: (a, b, c, row,
 * depth, first). Order of summation: `blocks` of 64 inner indices from 0, each then added to the tile, as in
 * primitives/matmul.ts; or one sum that `continues` from the tile, as in primitives/convolution.ts.
 */
export function tileFunction(
  module: ModuleWriter,
  tile: Tile,
  order: "blocks" | "continues",
  { multiplyAdd }: Arithmetic,
): Caller {
  const { rows, columns: width, doubled } = tile;
  const [stepA, stepB] = [leftStep(tile), rightStep(tile)];
  return module.function("tile", 6, (scope, a, b, c, row, depth, first) => {
    const vectors = width / 2;
    const sums = scope.locals("v128", rows * vectors);
    const columns = scope.locals("v128", vectors);
    const x = scope.local("v128");
    const [count, at, end, whole] = scope.locals("i32", 4);
    const step = (l: number): Code => [
      ...columns.flatMap((column, j) => column.set(v128.load(b.get, l * stepB + 16 * j))),
      ...Array.from({ length: rows }, (_, i) => [
        ...x.set(doubled ? v128.load(a.get, l * stepA + 16 * i) : v128.loadSplat(a.get, l * stepA + 8 * i)),
        ...columns.flatMap((column, j) => {
          const sum = sums[i * vectors + j];
          return sum.set(multiplyAdd(x.get, column.get, sum.get));
        }),
      ]).flat(),
    ];
    const next = (steps: number): Code => [
      ...a.set(i32.add(a.get, int(steps * stepA))),
      ...b.set(i32.add(b.get, int(steps * stepB))),
    ];
    // Between the steps of a turn are ways out that are never taken (the higher bits of `first` are 0): without these V8
    // hoists all loads of a turn above the arithmetic and spills, which costs half the rate and more.
    const turns = [
      block(
        loopWhile(i32.notEqual(a.get, whole.get), [
          ...Array.from({ length: TURN - 1 }, (_, l) => [
            ...step(l),
            ...leaveIf(i32.and(first.get, int(2 << l)), 2),
          ]),
          step(TURN - 1),
          next(TURN),
        ]),
      ),
      loopWhile(i32.notEqual(a.get, end.get), [step(0), next(1)]),
    ];
    /** For every vector of the tile, in memory order. */
    const overTile = (write: (sum: Local, offset: number) => Code): Code[] => [
      at.set(c.get),
      ...Array.from({ length: rows }, (_, i) => [
        ...Array.from({ length: vectors }, (_, j) => write(sums[i * vectors + j], 16 * j)).flat(),
        ...at.set(i32.add(at.get, row.get)),
      ]),
    ];
    const clear = sums.map((sum) => sum.set(f64x2.constant(0)));
    const take = overTile((sum, offset) => sum.set(v128.load(at.get, offset)));
    const put = overTile((sum, offset) => v128.store(at.get, sum.get, offset));
    const deposit = overTile((sum, offset) =>
      v128.store(at.get, f64x2.add(v128.load(at.get, offset), sum.get), offset),
    );
    const rest = i32.and(count.get, int(TURN - 1));
    const range = [
      end.set(i32.add(a.get, i32.multiply(count.get, int(stepA)))),
      whole.set(i32.subtract(end.get, i32.multiply(rest, int(stepA)))),
    ];
    if (order === "continues")
      return [
        ...when(first.get, clear, take),
        ...count.set(depth.get),
        ...range.flat(),
        ...turns.flat(),
        ...put.flat(),
      ];
    return repeatWhile(
      [
        ...clear,
        count.set(i32.select(depth.get, int(BLOCK), i32.less(depth.get, int(BLOCK)))),
        depth.set(i32.subtract(depth.get, count.get)),
        ...range,
        ...turns,
        when(first.get, put, deposit),
        first.set(int(0)),
      ],
      depth.get,
    );
  });
}
