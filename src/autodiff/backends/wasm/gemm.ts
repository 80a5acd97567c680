import { type Caller, type Code, loopWhile, ModuleWriter, repeatWhile, when } from "./assembler.ts";
import { f64, f64x2, i32, int, v128 } from "./instructions.ts";
import { own, PANELS, word } from "./memory.ts";
import { COLUMN_PANEL, COLUMNS, ROW_PANEL, ROWS, tileFunction } from "./tile.ts";

/**
 * The module of matrix products: C = op(A)·op(B) with packed panels (K. Goto and R. van de Geijn, "Anatomy of
 * high-performance matrix multiplication", ACM TOMS 34, 2008). Panels hold two rows of op(A), or eight columns of
 * op(B), side by side for up to `PANELS.depth` values of the inner index; missing rows and columns are zeros in the
 * panel and are never stored. Parameters: C, A, B (addresses), batch, m, n, k, whether the inner index is contiguous
 * in A and in B, their row lengths, and the steps between rows and between columns of C, in bytes.
 *
 * Measured (bench/gemm.ts; Node 20.20, one EPYC core, peak of f64x2 29.5 GFLOP/s): 20 to 21 GFLOP/s, 0.67 to 0.72 of
 * the peak, from 200×32×64 to 3072×256×1000, all four transpositions alike; 7 for 8×8×8. Of what is missing, 0.10 is
 * the loop itself, some 0.10 the taking up of a sum every 64 inner indices, the rest packing and panels that come from
 * the second-level cache; panels 64 to 256 deep differ by less than the noise.
 */
export function gemmModule(): ModuleWriter {
  const module = new ModuleWriter();
  const left = {
    across: packAcrossFunction(module, "rows", ROWS),
    along: packAlongFunction(module, "rows", ROWS),
  };
  const right = {
    across: packAcrossFunction(module, "columns", COLUMNS),
    along: packAlongFunction(module, "columns", COLUMNS),
  };
  const tile = tileFunction(module, "blocks");
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

/**
 * As `tile`, by way of a tile of its own, where only some rows and columns exist or columns are no neighbours: (a, b,
 * c, row step, column step, depth, first, rows, columns).
 */
function edgeFunction(module: ModuleWriter, tile: Caller): Caller {
  return module.function("edge", 9, (scope, a, b, c, row, column, depth, first, rows, columns) => {
    const [i, j] = scope.locals("i32", 2);
    const inC = i32.add(i32.add(c.get, i32.multiply(i.get, row.get)), i32.multiply(j.get, column.get));
    const inTile = i32.add(own(0), i32.add(i32.multiply(i.get, int(COLUMN_PANEL)), bytes(j.get)));
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
 * One product: (C, A, B, m, n, k, A's inner index contiguous, B's, row lengths of A and B in bytes). The steps between
 * rows and columns of C are words 11 and 12.
 */
function productFunction(
  module: ModuleWriter,
  left: Packers,
  right: Packers,
  tile: Caller,
  edge: Caller,
): Caller {
  return module.function("product", 10, (scope, c, a, b, m, n, k, alongA, alongB, stepA, stepB) => {
    const [row, column, l, depth, i, height, j, width, panelA, panelB, y, x] = scope.locals("i32", 12);
    const least = (size: Code, most: number): Code => i32.select(size, int(most), i32.less(size, int(most)));
    /** Packs lanes from `lane` on, inner indices from l on. */
    const pack = (
      packers: Packers,
      target: number,
      source: Code,
      lane: Code,
      lanes: Code,
      along: Code,
      step: Code,
    ): Code =>
      when(
        along,
        [
          packers.along(
            own(target),
            i32.add(i32.add(source, i32.multiply(lane, step)), bytes(l.get)),
            lanes,
            depth.get,
            step,
          ),
        ],
        [
          packers.across(
            own(target),
            i32.add(i32.add(source, i32.multiply(l.get, step)), bytes(lane)),
            lanes,
            depth.get,
            step,
          ),
        ],
      );
    const at = i32.add(
      i32.add(c.get, i32.multiply(i32.add(i.get, y.get), row.get)),
      i32.multiply(i32.add(j.get, x.get), column.get),
    );
    const whole = i32.and(
      i32.greaterEqual(i32.subtract(height.get, y.get), int(ROWS)),
      i32.greaterEqual(i32.subtract(width.get, x.get), int(COLUMNS)),
    );
    const inside = i32.and(whole, i32.equal(column.get, int(8)));
    const tiles = [
      x.set(int(0)),
      panelB.set(own(PANELS.right)),
      repeatWhile(
        [
          y.set(int(0)),
          panelA.set(own(PANELS.left)),
          repeatWhile(
            [
              when(
                inside,
                [tile(panelA.get, panelB.get, at, row.get, depth.get, i32.isZero(l.get))],
                [
                  edge(
                    panelA.get,
                    panelB.get,
                    at,
                    row.get,
                    column.get,
                    depth.get,
                    i32.isZero(l.get),
                    least(i32.subtract(height.get, y.get), ROWS),
                    least(i32.subtract(width.get, x.get), COLUMNS),
                  ),
                ],
              ),
              panelA.set(i32.add(panelA.get, i32.multiply(depth.get, int(ROW_PANEL)))),
            ],
            i32.less(y.tee(i32.add(y.get, int(ROWS))), height.get),
          ),
          panelB.set(i32.add(panelB.get, i32.multiply(depth.get, int(COLUMN_PANEL)))),
        ],
        i32.less(x.tee(i32.add(x.get, int(COLUMNS))), width.get),
      ),
    ];
    const rows = [
      i.set(int(0)),
      repeatWhile(
        [
          height.set(least(i32.subtract(m.get, i.get), PANELS.rows)),
          pack(left, PANELS.left, a.get, i.get, height.get, alongA.get, stepA.get),
          ...tiles,
        ],
        i32.less(i.tee(i32.add(i.get, int(PANELS.rows))), m.get),
      ),
    ];
    const depths = [
      l.set(int(0)),
      repeatWhile(
        [
          depth.set(least(i32.subtract(k.get, l.get), PANELS.depth)),
          pack(right, PANELS.right, b.get, j.get, width.get, alongB.get, stepB.get),
          ...rows,
        ],
        i32.less(l.tee(i32.add(l.get, int(PANELS.depth))), k.get),
      ),
    ];
    return [
      ...row.set(word(11)),
      ...column.set(word(12)),
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
    const [c, a, b, batch, m, n, k] = scope.locals("i32", 7);
    return [
      ...[c, a, b, batch, m, n, k].flatMap((variable, i) => variable.set(word(i))),
      ...repeatWhile(
        [
          product(c.get, a.get, b.get, m.get, n.get, k.get, word(7), word(8), word(9), word(10)),
          c.set(i32.add(c.get, bytes(i32.multiply(m.get, n.get)))),
          a.set(i32.add(a.get, bytes(i32.multiply(m.get, k.get)))),
          b.set(i32.add(b.get, bytes(i32.multiply(k.get, n.get)))),
        ],
        batch.tee(i32.subtract(batch.get, int(1))),
      ),
    ];
  });
}
