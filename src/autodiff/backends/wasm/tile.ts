import {
  block,
  type Caller,
  type Code,
  type Local,
  leaveIf,
  type ModuleWriter,
  repeatWhile,
  when,
} from "./assembler.ts";
import { f64x2, i32, int, v128 } from "./instructions.ts";

/** The inner indices of a product are summed in blocks of so many (primitives/matmul.ts). */
const BLOCK = 64;

/**
 * Rows and columns of a register tile: 2×8 doubles are eight accumulators of two, which leaves registers for operands.
 * Measured in V8 (Node 20, panels in cache, share of the peak of f64x2): 2×8 0.90, 4×4 0.86; 3×6, 4×6, 6×4 and 5×4
 * spill and stay below 0.66. Of the two panels that meet, 2×8 streams the narrow one.
 */
export const ROWS = 2;
export const COLUMNS = 8;
export const ROW_PANEL = ROWS * 8;
export const COLUMN_PANEL = COLUMNS * 8;

/**
 * The tile at `c` (row length `row` bytes) gains, or if `first` becomes, panel a times panel b: (a, b, c, row, depth,
 * first). Order of summation: `blocks` of 64 inner indices from 0, each then added to the tile, as in
 * primitives/matmul.ts; or one sum that `continues` from the tile, as in primitives/convolution.ts.
 */
export function tileFunction(module: ModuleWriter, order: "blocks" | "continues"): Caller {
  return module.function("tile", 6, (scope, a, b, c, row, depth, first) => {
    const VECTORS = COLUMNS / 2;
    const sums = scope.locals("v128", ROWS * VECTORS);
    const columns = scope.locals("v128", VECTORS);
    const x = scope.local("v128");
    const [count, at, end] = scope.locals("i32", 3);
    const TURN = 4;
    const lasts = scope.locals("i32", TURN - 1);
    const step = (l: number): Code => [
      ...columns.flatMap((column, j) => column.set(v128.load(b.get, l * COLUMN_PANEL + 16 * j))),
      ...Array.from({ length: ROWS }, (_, i) => [
        ...x.set(v128.loadSplat(a.get, l * ROW_PANEL + 8 * i)),
        ...columns.flatMap((column, j) => {
          const sum = sums[i * VECTORS + j];
          return sum.set(f64x2.add(sum.get, f64x2.multiply(x.get, column.get)));
        }),
      ]).flat(),
    ];
    // Four inner indices per turn with ways out between them: without these V8 hoists all loads of a turn above the
    // arithmetic and spills, which halves the rate.
    const turns = block(
      repeatWhile(
        [
          ...lasts.flatMap((last, l) => [step(l), leaveIf(i32.equal(a.get, last.get), 1)]),
          step(TURN - 1),
          a.set(i32.add(a.get, int(TURN * ROW_PANEL))),
          b.set(i32.add(b.get, int(TURN * COLUMN_PANEL))),
        ],
        i32.notEqual(a.get, end.get),
      ),
    );
    /** For every vector of the tile, in memory order. */
    const overTile = (write: (sum: Local, place: number) => Code): Code[] => [
      at.set(c.get),
      ...Array.from({ length: ROWS }, (_, i) => [
        ...Array.from({ length: VECTORS }, (_, j) => write(sums[i * VECTORS + j], 16 * j)).flat(),
        ...at.set(i32.add(at.get, row.get)),
      ]),
    ];
    const clear = sums.map((sum) => sum.set(f64x2.constant(0)));
    const take = overTile((sum, place) => sum.set(v128.load(at.get, place)));
    const put = overTile((sum, place) => v128.store(at.get, sum.get, place));
    const deposit = overTile((sum, place) =>
      v128.store(at.get, f64x2.add(v128.load(at.get, place), sum.get), place),
    );
    const range = [
      end.set(i32.add(a.get, i32.multiply(count.get, int(ROW_PANEL)))),
      ...lasts.map((last, l) => last.set(i32.subtract(end.get, int((l + 1) * ROW_PANEL)))),
    ];
    if (order === "continues")
      return [
        ...when(first.get, clear, take),
        ...count.set(depth.get),
        ...range.flat(),
        ...turns,
        ...put.flat(),
      ];
    return repeatWhile(
      [
        ...clear,
        count.set(i32.select(depth.get, int(BLOCK), i32.less(depth.get, int(BLOCK)))),
        depth.set(i32.subtract(depth.get, count.get)),
        ...range,
        turns,
        when(first.get, put, deposit),
        first.set(int(0)),
      ],
      depth.get,
    );
  });
}
