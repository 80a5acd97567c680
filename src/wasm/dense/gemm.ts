/** Matrix products: panels of both factors are packed so that the register tile of `tile.ts` reads memory in order. */
import {
  type Caller,
  type Code,
  type Local,
  loopWhile,
  ModuleWriter,
  repeatWhile,
  when,
} from "../emit/assembler.ts";
import { type Call, wholeArrays } from "../emit/call.ts";
import { HEADER_START, own, PANELS } from "../emit/header.ts";
import { f64, f64x2, i32, int, v128 } from "../emit/instructions.ts";
import { gain } from "../emit/statements.ts";
import { kernelWords } from "../emit/words.ts";
import { type Arithmetic, SEPARATE } from "./arithmetic.ts";
import { leftStep, PRODUCT_TILE, rightStep, tileFunction } from "./tile.ts";

const { rows: ROWS, columns: COLUMNS } = PRODUCT_TILE;
const ROW_PANEL = leftStep(PRODUCT_TILE);
const COLUMN_PANEL = rightStep(PRODUCT_TILE);
/** Rows at a time: half as many as there is room for single entries. */
const MOST_ROWS = PANELS.rows / 2;

/** Sizes and steps of a batch of products C = op(A)·op(B), all at least 1; arrays are C, A, B. */
export interface GemmSizes {
  readonly batch: number;
  /** Rows and columns of C, and the length of the sums. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** From an entry of op(A) to the one in the next row, and to the next one of its row, in bytes. */
  readonly rowStep: number;
  readonly innerStep: number;
  /** 1 where the entries of a column of op(B) are neighbours in memory, 0 where those of a row are. */
  readonly contiguousColumns: 0 | 1;
  /** From one such run of neighbours to the next, in bytes. */
  readonly runStep: number;
}

const WORDS = kernelWords(
  ["c", "a", "b"],
  ["batch", "m", "n", "k", "rowStep", "innerStep", "contiguousColumns", "runStep"],
);

/**
 * A batch of matrix products, C = op(A)·op(B), one after another in memory: reads the second and third array, overwrites
 * the first. Every entry is a sum over blocks of 64 inner indices (`tile.ts`). Packed panels, as in K. Goto and R. van de
 * Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008. Measured rates: docs/performance.md.
 */
export function gemmCall(sizes: GemmSizes, arithmetic: Arithmetic = SEPARATE): Call {
  return {
    key: `matmul${arithmetic.key}`,
    write: () => gemmModule(arithmetic),
    arrays: wholeArrays(3),
    words: WORDS.pack(sizes),
  };
}

/**
 * The module. Panels hold four rows of op(A), every entry twice, or four columns of op(B), side by side for up to
 * `PANELS.depth` values of the inner index; what is missing at the edges is never stored.
 */
function gemmModule(arithmetic: Arithmetic): ModuleWriter {
  const module = new ModuleWriter();
  const left = packLeftFunction(module);
  const right = {
    across: packAcrossFunction(module, "columns", COLUMNS),
    along: packAlongFunction(module, "columns", COLUMNS),
  };
  const tile = tileFunction(module, PRODUCT_TILE, "blocks", arithmetic);
  const edge = edgeFunction(module, tile);
  const product = productFunction(module, left, right, tile, edge);
  productsFunction(module, product);
  return module;
}

interface Packers {
  readonly across: Caller;
  readonly along: Caller;
}

const bytes = (entries: Code): Code => i32.shiftLeft(entries, int(3));

/**
 * Panels of rows of the left factor, every entry twice: (target, source, rows, depth, row step, inner step), steps in
 * bytes. A missing row repeats the panel's first; its sums are not stored.
 */
function packLeftFunction(module: ModuleWriter): Caller {
  return module.function("left", 6, (scope, target, source, rows, depth, rowStep, innerStep) => {
    const lanes = scope.locals("i32", ROWS);
    const left = scope.local("i32");
    const start = (lane: number): Code =>
      lane === 0
        ? source.get
        : i32.select(i32.add(lanes[lane - 1].get, rowStep.get), source.get, i32.greater(rows.get, int(lane)));
    return loopWhile(i32.greater(rows.get, int(0)), [
      ...lanes.map((lane, i) => lane.set(start(i))),
      left.set(depth.get),
      repeatWhile(
        [
          ...lanes.map((lane, i) => v128.store(target.get, v128.loadSplat(lane.get), 16 * i)),
          ...lanes.map((lane) => gain(lane, innerStep.get)),
          gain(target, int(ROW_PANEL)),
        ],
        left.tee(i32.subtract(left.get, int(1))),
      ),
      gain(source, i32.multiply(rowStep.get, int(ROWS))),
      rows.set(i32.subtract(rows.get, int(ROWS))),
    ]);
  });
}

/**
 * Panels `wide` lanes wide of a matrix whose lanes are neighbours in memory: (target, source, lanes, depth, step in
 * bytes of the inner index).
 */
function packAcrossFunction(module: ModuleWriter, name: string, wide: number): Caller {
  return module.function(`${name}Across`, 5, (scope, target, source, lanes, depth, step) => {
    const [from, left, to, present] = scope.locals("i32", 4);
    const overDepth = (copy: readonly Code[]): Code[] => [
      left.set(depth.get),
      repeatWhile(
        [...copy, to.set(i32.add(to.get, int(8 * wide))), from.set(i32.add(from.get, step.get))],
        left.tee(i32.subtract(left.get, int(1))),
      ),
    ];
    const whole = [
      from.set(source.get),
      to.set(target.get),
      ...overDepth(
        Array.from({ length: wide / 2 }, (_, pair) =>
          v128.store(to.get, v128.load(from.get, 16 * pair), 16 * pair),
        ),
      ),
    ];
    const partial = Array.from({ length: wide / 2 }, (_, pair) => [
      ...present.set(i32.subtract(lanes.get, int(2 * pair))),
      ...from.set(i32.add(source.get, int(16 * pair))),
      ...to.set(i32.add(target.get, int(16 * pair))),
      ...overDepth([
        when(
          i32.greater(present.get, int(1)),
          [v128.store(to.get, v128.load(from.get))],
          [
            when(
              i32.equal(present.get, int(1)),
              [v128.store(to.get, v128.loadLow(from.get))],
              [v128.store(to.get, f64x2.constant(0))],
            ),
          ],
        ),
      ]).flat(),
    ]);
    return loopWhile(i32.greater(lanes.get, int(0)), [
      when(i32.greaterEqual(lanes.get, int(wide)), whole, partial),
      target.set(i32.add(target.get, i32.multiply(depth.get, int(8 * wide)))),
      source.set(i32.add(source.get, int(8 * wide))),
      lanes.set(i32.subtract(lanes.get, int(wide))),
    ]);
  });
}

/** Panels of a matrix whose inner index is contiguous: (target, source, lanes, depth, step in bytes from lane to lane). */
function packAlongFunction(module: ModuleWriter, name: string, wide: number): Caller {
  return module.function(`${name}Along`, 5, (scope, target, source, lanes, depth, step) => {
    const [p, q, to, left, pair] = scope.locals("i32", 5);
    const [a, b] = scope.locals("v128", 2);
    const panelStep = 8 * wide;
    const two = [
      left.set(depth.get),
      loopWhile(i32.greaterEqual(left.get, int(2)), [
        a.set(v128.load(p.get)),
        b.set(v128.load(q.get)),
        v128.store(to.get, v128.shuffle(a.get, b.get, 0, 2)),
        v128.store(to.get, v128.shuffle(a.get, b.get, 1, 3), panelStep),
        p.set(i32.add(p.get, int(16))),
        q.set(i32.add(q.get, int(16))),
        to.set(i32.add(to.get, int(2 * panelStep))),
        left.set(i32.subtract(left.get, int(2))),
      ]),
      when(left.get, [f64.store(to.get, f64.load(p.get)), f64.store(to.get, f64.load(q.get), 8)]),
    ];
    const oneOrNone = [
      left.set(depth.get),
      repeatWhile(
        [
          when(
            i32.equal(lanes.get, int(1)),
            [v128.store(to.get, v128.loadLow(p.get))],
            [v128.store(to.get, f64x2.constant(0))],
          ),
          p.set(i32.add(p.get, int(8))),
          to.set(i32.add(to.get, int(panelStep))),
        ],
        left.tee(i32.subtract(left.get, int(1))),
      ),
    ];
    return loopWhile(i32.greater(lanes.get, int(0)), [
      pair.set(int(0)),
      repeatWhile(
        [
          to.set(i32.add(target.get, pair.get)),
          p.set(source.get),
          q.set(i32.add(p.get, step.get)),
          when(i32.greater(lanes.get, int(1)), two, oneOrNone),
          source.set(i32.add(source.get, i32.shiftLeft(step.get, int(1)))),
          lanes.set(i32.subtract(lanes.get, int(2))),
        ],
        i32.less(pair.tee(i32.add(pair.get, int(16))), int(panelStep)),
      ),
      target.set(i32.add(target.get, i32.multiply(depth.get, int(panelStep)))),
    ]);
  });
}

/** As `tile`, by way of a tile of its own, where only some rows and columns exist: (a, b, c, row step, depth, first, rows, columns). */
function edgeFunction(module: ModuleWriter, tile: Caller): Caller {
  return module.function("edge", 8, (scope, a, b, c, row, depth, first, rows, columns) => {
    const [i, j] = scope.locals("i32", 2);
    const inC = i32.add(i32.add(c.get, i32.multiply(i.get, row.get)), bytes(j.get));
    const inTile = i32.add(own(HEADER_START), i32.add(i32.multiply(i.get, int(COLUMN_PANEL)), bytes(j.get)));
    const entries = (copy: Code): Code => [
      ...i.set(int(0)),
      ...repeatWhile(
        [j.set(int(0)), repeatWhile([copy], i32.less(j.tee(i32.add(j.get, int(1))), columns.get))],
        i32.less(i.tee(i32.add(i.get, int(1))), rows.get),
      ),
    ];
    return [
      ...when(i32.isZero(first.get), [entries(f64.store(inTile, f64.load(inC), PANELS.tile))]),
      ...tile(a.get, b.get, own(PANELS.tile), int(COLUMN_PANEL), depth.get, first.get),
      ...entries(f64.store(inC, f64.load(inTile, PANELS.tile))),
    ];
  });
}

/**
 * One product: (C, A, B, m, n, k, steps of A from row to row and of its inner index, whether B's inner index is
 * contiguous, row length of B), steps in bytes. A panel of A stays in the first-level cache while those of B pass.
 */
function productFunction(
  module: ModuleWriter,
  left: Caller,
  right: Packers,
  tile: Caller,
  edge: Caller,
): Caller {
  return module.function("product", 10, (scope, c, a, b, m, n, k, rowA, innerA, alongB, stepB) => {
    const [row, l, depth, i, height, j, width, panelA, panelB, y, x] = scope.locals("i32", 11);
    const least = (size: Code, most: number): Code => i32.select(size, int(most), i32.less(size, int(most)));
    const packLeft = left(
      own(PANELS.left),
      i32.add(i32.add(a.get, i32.multiply(i.get, rowA.get)), i32.multiply(l.get, innerA.get)),
      height.get,
      depth.get,
      rowA.get,
      innerA.get,
    );
    /** Packs columns from j on, inner indices from l on. */
    const packRight = (packer: Caller, inner: Local, lane: Local): Code =>
      packer(
        own(PANELS.right),
        i32.add(i32.add(b.get, i32.multiply(lane.get, stepB.get)), bytes(inner.get)),
        width.get,
        depth.get,
        stepB.get,
      );
    const at = i32.add(
      i32.add(c.get, i32.multiply(i32.add(i.get, y.get), row.get)),
      bytes(i32.add(j.get, x.get)),
    );
    const rowsLeft = i32.subtract(height.get, y.get);
    const columnsLeft = i32.subtract(width.get, x.get);
    const whole = i32.and(i32.greaterEqual(rowsLeft, int(ROWS)), i32.greaterEqual(columnsLeft, int(COLUMNS)));
    const common = [panelA.get, panelB.get, at, row.get, depth.get, i32.isZero(l.get)];
    const tiles = [
      y.set(int(0)),
      panelA.set(own(PANELS.left)),
      repeatWhile(
        [
          x.set(int(0)),
          panelB.set(own(PANELS.right)),
          repeatWhile(
            [
              when(
                whole,
                [tile(...common)],
                [edge(...common, least(rowsLeft, ROWS), least(columnsLeft, COLUMNS))],
              ),
              gain(panelB, i32.multiply(depth.get, int(COLUMN_PANEL))),
            ],
            i32.less(x.tee(i32.add(x.get, int(COLUMNS))), width.get),
          ),
          gain(panelA, i32.multiply(depth.get, int(ROW_PANEL))),
        ],
        i32.less(y.tee(i32.add(y.get, int(ROWS))), height.get),
      ),
    ];
    const rows = [
      i.set(int(0)),
      repeatWhile(
        [height.set(least(i32.subtract(m.get, i.get), MOST_ROWS)), packLeft, ...tiles],
        i32.less(i.tee(i32.add(i.get, int(MOST_ROWS))), m.get),
      ),
    ];
    const depths = [
      l.set(int(0)),
      repeatWhile(
        [
          depth.set(least(i32.subtract(k.get, l.get), PANELS.depth)),
          when(alongB.get, [packRight(right.along, l, j)], [packRight(right.across, j, l)]),
          ...rows,
        ],
        i32.less(l.tee(i32.add(l.get, int(PANELS.depth))), k.get),
      ),
    ];
    return [
      ...row.set(bytes(n.get)),
      ...j.set(int(0)),
      ...repeatWhile(
        [width.set(least(i32.subtract(n.get, j.get), PANELS.columns)), ...depths],
        i32.less(j.tee(i32.add(j.get, int(PANELS.columns))), n.get),
      ),
    ];
  });
}

/** The exported entry: a batch of products of sizes ≥ 1, from the parameter words. */
function productsFunction(module: ModuleWriter, product: Caller): void {
  module.function("run", 0, (scope) => {
    const {
      values: { c, a, b, batch, m, n, k, rowStep, innerStep, contiguousColumns, runStep },
      code,
    } = WORDS.locals(scope);
    return [
      ...code,
      ...repeatWhile(
        [
          product(
            ...[c.get, a.get, b.get, m.get, n.get, k.get],
            ...[rowStep.get, innerStep.get, contiguousColumns.get, runStep.get],
          ),
          gain(c, bytes(i32.multiply(m.get, n.get))),
          gain(a, bytes(i32.multiply(m.get, k.get))),
          gain(b, bytes(i32.multiply(k.get, n.get))),
        ],
        batch.tee(i32.subtract(batch.get, int(1))),
      ),
    ];
  });
}
