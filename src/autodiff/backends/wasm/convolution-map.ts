/**
 * The output of a convolution, or its input, from the other one and the kernel. Both are maps of channels by pixels, and both
 * are products: the weights that a pixel meets times the window that it sees. Nothing of a window is written to memory but the
 * panel that the register tile reads. `convolution.ts` writes the calls.
 */
import {
  type Arithmetic,
  type Caller,
  COLUMN_PANEL,
  COLUMNS,
  CONVOLUTION_TILE,
  type Code,
  f64,
  gain,
  HEADER_START,
  i32,
  int,
  kernelWords,
  type Local,
  least,
  loseOne,
  ModuleWriter,
  own,
  PANELS,
  ROW_PANEL,
  ROWS,
  repeatWhile,
  SCRATCH,
  type Scope,
  tileFunction,
  v128,
  when,
} from "../../../wasm/index.ts";

/** Sizes, how many of each are taken at once, steps in bytes; whether sums start from the map instead of 0. */
export const MAP_WORDS = kernelWords(
  ["map", "source", "kernel"],
  [
    ...(["images", "made", "summed", "summedAtOnce", "madeAtOnce"] as const),
    ...(["madeStep", "summedStep", "mapPlane", "sourcePlane"] as const),
    ...(["tapRows", "kernelRow", "sourceTapRow", "tapColumns", "kernelColumn", "sourceTapColumn"] as const),
    ...(["rows", "mapRow", "sourceRow", "columns", "mapColumn", "sourceColumn"] as const),
    ...(["sourceImage", "continued"] as const),
  ],
);
const { word } = MAP_WORDS;

/**
 * A map (output or input) for a rectangle of its pixels that meet the same taps: products of panels of two made
 * channels by eight pixels, the pixels of all images one after another. The source's windows are packed straight into
 * a panel of eight; inner indices are (summed channel, tap) in row-major order. Sums start from 0, or from the map where
 * a call before this one has begun them.
 */
export function mapModule(arithmetic: Arithmetic): ModuleWriter {
  const module = new ModuleWriter();
  const tile = tileFunction(module, CONVOLUTION_TILE, "continues", arithmetic);
  const packWeights = packWeightsFunction(module);
  const packWindows = packWindowsFunction(module);
  module.function("run", 0, (scope) => {
    const { values: p, code } = MAP_WORDS.locals(scope);
    const [b, summedNow, depth, a, madeNow] = scope.locals("i32", 5);
    const [n, y, x, to, from, toRow, fromRow, toImage, fromImage] = scope.locals("i32", 9);
    const [j, count, i, panel, target, neighbours] = scope.locals("i32", 6);

    /** Writes down where the next eight pixels are; what is missing at the end repeats the last one. */
    const pixel = i32.add(own(HEADER_START), i32.shiftLeft(j.get, int(2)));
    const nextPixel = [
      gain(x, int(1)),
      gain(to, p.mapColumn.get),
      gain(from, p.sourceColumn.get),
      when(i32.equal(x.get, p.columns.get), [
        x.set(int(0)),
        gain(y, int(1)),
        gain(toRow, p.mapRow.get),
        gain(fromRow, p.sourceRow.get),
        when(i32.equal(y.get, p.rows.get), [
          y.set(int(0)),
          gain(n, int(1)),
          gain(toImage, i32.multiply(p.made.get, p.mapPlane.get)),
          gain(fromImage, p.sourceImage.get),
          toRow.set(toImage.get),
          fromRow.set(fromImage.get),
        ]),
        to.set(toRow.get),
        from.set(fromRow.get),
      ]),
    ];
    const takePixels = [
      neighbours.set(
        i32.and(
          i32.equal(p.mapColumn.get, int(8)),
          i32.greaterEqual(i32.subtract(p.columns.get, x.get), int(COLUMNS)),
        ),
      ),
      j.set(int(0)),
      count.set(int(0)),
      repeatWhile(
        [
          when(
            i32.less(n.get, p.images.get),
            [
              i32.store(pixel, from.get, SCRATCH.sources),
              i32.store(pixel, to.get, SCRATCH.targets),
              ...nextPixel,
              gain(count, int(1)),
            ],
            [i32.store(pixel, i32.load(i32.subtract(pixel, int(4)), SCRATCH.sources), SCRATCH.sources)],
          ),
        ],
        i32.less(j.tee(i32.add(j.get, int(1))), int(COLUMNS)),
      ),
    ];

    const begun = i32.or(b.get, p.continued.get);
    const first = i32.isZero(begun);
    const channel = i32.multiply(i32.add(a.get, i.get), p.mapPlane.get);
    const direct = i32.and(neighbours.get, i32.greaterEqual(i32.subtract(madeNow.get, i.get), int(ROWS)));
    /** Copies the existing part of the tile to or from the map. */
    const exchange = (copy: (inMap: Code, inTile: Code) => Code): Code[] => [
      target.set(channel),
      j.set(int(0)),
      repeatWhile(
        [
          copy(
            i32.add(i32.load(pixel, SCRATCH.targets), target.get),
            i32.add(own(HEADER_START), i32.shiftLeft(j.get, int(3))),
          ),
          when(i32.greater(i32.subtract(madeNow.get, i.get), int(1)), [
            copy(
              i32.add(i32.add(i32.load(pixel, SCRATCH.targets), target.get), p.mapPlane.get),
              i32.add(own(HEADER_START), i32.add(i32.shiftLeft(j.get, int(3)), int(COLUMN_PANEL))),
            ),
          ]),
        ],
        i32.less(j.tee(i32.add(j.get, int(1))), count.get),
      ),
    ];
    const makeTile = when(
      direct,
      [
        tile(
          panel.get,
          own(PANELS.right),
          i32.add(i32.load(own(SCRATCH.targets)), channel),
          p.mapPlane.get,
          depth.get,
          first,
        ),
      ],
      [
        when(
          begun,
          exchange((inMap, inTile) => f64.store(inTile, f64.load(inMap), PANELS.tile)),
        ),
        tile(panel.get, own(PANELS.right), own(PANELS.tile), int(COLUMN_PANEL), depth.get, first),
        ...exchange((inMap, inTile) => f64.store(inMap, f64.load(inTile, PANELS.tile))),
      ],
    );
    const pixels = [
      ...[n, y, x].map((index) => index.set(int(0))),
      ...[to, toRow, toImage].map((address) => address.set(p.map.get)),
      ...[from, fromRow, fromImage].map((address) =>
        address.set(i32.add(p.source.get, i32.multiply(b.get, p.sourcePlane.get))),
      ),
      repeatWhile(
        [
          ...takePixels,
          packWindows(summedNow.get),
          i.set(int(0)),
          panel.set(own(PANELS.left)),
          repeatWhile(
            [makeTile, gain(panel, i32.multiply(depth.get, int(ROW_PANEL)))],
            i32.less(i.tee(i32.add(i.get, int(ROWS))), madeNow.get),
          ),
        ],
        i32.less(n.get, p.images.get),
      ),
    ];
    const channels = [
      a.set(int(0)),
      repeatWhile(
        [
          madeNow.set(least(i32.subtract(p.made.get, a.get), p.madeAtOnce.get)),
          packWeights(a.get, madeNow.get, b.get, summedNow.get),
          ...pixels,
        ],
        i32.less(a.tee(i32.add(a.get, p.madeAtOnce.get)), p.made.get),
      ),
    ];
    return [
      ...code,
      ...b.set(int(0)),
      ...repeatWhile(
        [
          summedNow.set(least(i32.subtract(p.summed.get, b.get), p.summedAtOnce.get)),
          depth.set(i32.multiply(summedNow.get, i32.multiply(p.tapRows.get, p.tapColumns.get))),
          ...channels,
        ],
        i32.less(b.tee(i32.add(b.get, p.summedAtOnce.get)), p.summed.get),
      ),
    ];
  });
  return module;
}

/** Loops over (summed channel, tap row, tap column) with an offset in bytes that follows them. */
function overTaps(
  scope: Scope,
  summed: Code,
  offset: Local,
  steps: { readonly summed: Code; readonly row: Code; readonly column: Code },
  body: readonly Code[],
): Code {
  const [channels, rows, columns, channelStart, rowStart] = scope.locals("i32", 5);
  return [
    ...offset.set(int(0)),
    ...channels.set(summed),
    ...repeatWhile(
      [
        channelStart.set(offset.get),
        rows.set(word("tapRows")),
        repeatWhile(
          [
            rowStart.set(offset.get),
            columns.set(word("tapColumns")),
            repeatWhile([...body, gain(offset, steps.column)], loseOne(columns)),
            offset.set(i32.add(rowStart.get, steps.row)),
          ],
          loseOne(rows),
        ),
        offset.set(i32.add(channelStart.get, steps.summed)),
      ],
      loseOne(channels),
    ),
  ];
}

/** Panels of two made channels of the kernel: (first made channel, how many, first summed channel, how many). */
function packWeightsFunction(module: ModuleWriter): Caller {
  return module.function("packWeights", 4, (scope, made, count, summed, summedCount) => {
    const [from, next, to, offset, left] = scope.locals("i32", 5);
    const start = i32.add(
      i32.add(word("kernel"), i32.multiply(made.get, word("madeStep"))),
      i32.multiply(summed.get, word("summedStep")),
    );
    const steps = {
      summed: word("summedStep"),
      row: word("kernelRow"),
      column: word("kernelColumn"),
    };
    const body = [
      v128.store(
        to.get,
        v128.loadHigh(i32.add(next.get, offset.get), v128.loadLow(i32.add(from.get, offset.get))),
      ),
      gain(to, int(ROW_PANEL)),
    ];
    return [
      ...from.set(start),
      ...to.set(own(PANELS.left)),
      ...left.set(count.get),
      ...repeatWhile(
        [
          // A missing second channel repeats the first; its sums are not stored.
          next.set(i32.select(i32.add(from.get, word("madeStep")), from.get, i32.greater(left.get, int(1)))),
          overTaps(scope, summedCount.get, offset, steps, body),
          from.set(i32.add(next.get, word("madeStep"))),
          left.set(i32.subtract(left.get, int(ROWS))),
        ],
        i32.greater(left.get, int(0)),
      ),
    ];
  });
}

/** The panel of the eight pixels' windows: (summed channels). */
function packWindowsFunction(module: ModuleWriter): Caller {
  return module.function("packWindows", 1, (scope, summed) => {
    const sources = scope.locals("i32", COLUMNS);
    const [offset, to] = scope.locals("i32", 2);
    const pairs = Array.from({ length: COLUMNS / 2 }, (_, pair) => pair);
    const steps = {
      summed: word("sourcePlane"),
      row: word("sourceTapRow"),
      column: word("sourceTapColumn"),
    };
    const at = (j: number): Code => i32.add(sources[j].get, offset.get);
    const next = gain(to, int(COLUMN_PANEL));
    const neighbours = pairs.map((pair) => v128.store(to.get, v128.load(at(0), 16 * pair), 16 * pair));
    const scattered = pairs.map((pair) =>
      v128.store(to.get, v128.loadHigh(at(2 * pair + 1), v128.loadLow(at(2 * pair))), 16 * pair),
    );
    const consecutive = sources
      .slice(1)
      .map((source, j) => i32.equal(i32.subtract(source.get, sources[j].get), int(8)))
      .reduce((all, one) => i32.and(all, one));
    return [
      ...sources.flatMap((source, j) => source.set(i32.load(own(SCRATCH.sources), 4 * j))),
      ...to.set(own(PANELS.right)),
      ...when(
        consecutive,
        [overTaps(scope, summed.get, offset, steps, [...neighbours, next])],
        [overTaps(scope, summed.get, offset, steps, [...scattered, next])],
      ),
    ];
  });
}
