import {
  type Caller,
  type Code,
  type Local,
  loopWhile,
  ModuleWriter,
  repeatWhile,
  type Scope,
  when,
} from "./assembler.ts";
import { f64, i32, int, v128 } from "./instructions.ts";
import { PANELS, SCRATCH, word } from "./memory.ts";
import { COLUMN_PANEL, COLUMNS, ROW_PANEL, ROWS, tileFunction } from "./tile.ts";

/** Consecutive parameter words as locals. */
function parameters<K extends string>(
  scope: Scope,
  names: readonly K[],
): { values: Record<K, Local>; code: Code } {
  const values = Object.fromEntries(names.map((name) => [name, scope.local("i32")])) as Record<K, Local>;
  return { values, code: names.flatMap((name, i) => values[name].set(word(i))) };
}

const least = (a: Code, b: Code): Code => i32.select(a, b, i32.less(a, b));
const gain = (address: Local, step: Code): Code => address.set(i32.add(address.get, step));
const loseOne = (count: Local): Code => count.tee(i32.subtract(count.get, int(1)));

/**
 * A map (output or input) for a rectangle of its pixels that meet the same taps: products of panels of two made
 * channels by eight pixels, the pixels of all images one after another. The source's windows are packed straight into
 * a panel of eight; inner indices are (summed channel, tap) in row-major order.
 */
export function mapModule(): ModuleWriter {
  const module = new ModuleWriter();
  const tile = tileFunction(module, "continues");
  const packWeights = packWeightsFunction(module);
  const packWindows = packWindowsFunction(module);
  module.function("run", 0, (scope) => {
    const { values: p, code } = parameters(scope, [
      ...(["map", "source", "kernel", "images", "made", "summed", "summedAtOnce", "madeAtOnce"] as const),
      ...(["madeStep", "summedStep", "mapPlane", "sourcePlane"] as const),
      ...(["tapRows", "kernelRow", "sourceTapRow", "tapColumns", "kernelColumn", "sourceTapColumn"] as const),
      ...(["rows", "mapRow", "sourceRow", "columns", "mapColumn", "sourceColumn"] as const),
    ]);
    const [b, summedNow, depth, a, madeNow] = scope.locals("i32", 5);
    const [n, y, x, to, from, toRow, fromRow, toImage, fromImage] = scope.locals("i32", 9);
    const [j, count, i, panel, target, neighbours] = scope.locals("i32", 6);

    /** Writes down where the next eight pixels are; what is missing at the end repeats the last one. */
    const place = i32.shiftLeft(j.get, int(2));
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
          gain(fromImage, i32.multiply(p.summed.get, p.sourcePlane.get)),
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
              i32.store(place, from.get, SCRATCH.sources),
              i32.store(place, to.get, SCRATCH.targets),
              ...nextPixel,
              gain(count, int(1)),
            ],
            [i32.store(place, i32.load(i32.subtract(place, int(4)), SCRATCH.sources), SCRATCH.sources)],
          ),
        ],
        i32.less(j.tee(i32.add(j.get, int(1))), int(COLUMNS)),
      ),
    ];

    const first = i32.isZero(b.get);
    const channel = i32.multiply(i32.add(a.get, i.get), p.mapPlane.get);
    const direct = i32.and(neighbours.get, i32.greaterEqual(i32.subtract(madeNow.get, i.get), int(ROWS)));
    /** Copies the existing part of the tile to or from the map. */
    const exchange = (copy: (inMap: Code, inTile: Code) => Code): Code[] => [
      target.set(channel),
      j.set(int(0)),
      repeatWhile(
        [
          copy(i32.add(i32.load(place, SCRATCH.targets), target.get), i32.shiftLeft(j.get, int(3))),
          when(i32.greater(i32.subtract(madeNow.get, i.get), int(1)), [
            copy(
              i32.add(i32.add(i32.load(place, SCRATCH.targets), target.get), p.mapPlane.get),
              i32.add(i32.shiftLeft(j.get, int(3)), int(COLUMN_PANEL)),
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
          int(PANELS.right),
          i32.add(i32.load(int(SCRATCH.targets)), channel),
          p.mapPlane.get,
          depth.get,
          first,
        ),
      ],
      [
        when(
          b.get,
          exchange((inMap, inTile) => f64.store(inTile, f64.load(inMap), PANELS.tile)),
        ),
        tile(panel.get, int(PANELS.right), int(PANELS.tile), int(COLUMN_PANEL), depth.get, first),
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
          panel.set(int(PANELS.left)),
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

/** Positions of the map kernel's parameter words that its packers read too. */
const MAP = {
  kernel: 2,
  madeStep: 8,
  summedStep: 9,
  sourcePlane: 11,
  tapRows: 12,
  kernelRow: 13,
  sourceTapRow: 14,
  tapColumns: 15,
  kernelColumn: 16,
  sourceTapColumn: 17,
};

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
        rows.set(word(MAP.tapRows)),
        repeatWhile(
          [
            rowStart.set(offset.get),
            columns.set(word(MAP.tapColumns)),
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
      i32.add(word(MAP.kernel), i32.multiply(made.get, word(MAP.madeStep))),
      i32.multiply(summed.get, word(MAP.summedStep)),
    );
    const steps = {
      summed: word(MAP.summedStep),
      row: word(MAP.kernelRow),
      column: word(MAP.kernelColumn),
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
      ...to.set(int(PANELS.left)),
      ...left.set(count.get),
      ...repeatWhile(
        [
          // A missing second channel repeats the first; its sums are not stored.
          next.set(
            i32.select(i32.add(from.get, word(MAP.madeStep)), from.get, i32.greater(left.get, int(1))),
          ),
          overTaps(scope, summedCount.get, offset, steps, body),
          from.set(i32.add(next.get, word(MAP.madeStep))),
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
      summed: word(MAP.sourcePlane),
      row: word(MAP.sourceTapRow),
      column: word(MAP.sourceTapColumn),
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
      ...sources.flatMap((source, j) => source.set(i32.load(int(0), SCRATCH.sources + 4 * j))),
      ...to.set(int(PANELS.right)),
      ...when(
        consecutive,
        [overTaps(scope, summed.get, offset, steps, [...neighbours, next])],
        [overTaps(scope, summed.get, offset, steps, [...scattered, next])],
      ),
    ];
  });
}

/**
 * One tap of the kernel: products of panels of two channels of the input by eight of the output, inner indices (image,
 * row, column) in order, some images or some rows of one image at a time; sums are taken up from the result, which the
 * caller has zeroed.
 */
export function kernelModule(): ModuleWriter {
  const module = new ModuleWriter();
  const tile = tileFunction(module, "continues");
  const packInput = packPlanesFunction(module, "packInput", ROWS);
  const packOutput = packPlanesFunction(module, "packOutput", COLUMNS);
  module.function("run", 0, (scope) => {
    const { values: p, code } = parameters(scope, [
      ...(["kernel", "input", "output"] as const),
      ...(["images", "imagesAtOnce", "rows", "rowsAtOnce", "columns", "channels", "outputs"] as const),
      ...(["channelStep", "outputStep", "inputPlane", "inputRow", "inputColumn"] as const),
      ...(["outputPlane", "outputRow"] as const),
    ]);
    const [n, imagesNow, row, rowsNow, depth] = scope.locals("i32", 5);
    const [o, c, panelIn, panelOut, i, j, at] = scope.locals("i32", 7);
    const inputImage = i32.multiply(p.channels.get, p.inputPlane.get);
    const outputImage = i32.multiply(p.outputs.get, p.outputPlane.get);
    const pack = (
      packer: Caller,
      target: number,
      array: Local,
      lanes: Local,
      plane: Local,
      image: Code,
      rowStep: Local,
      columnStep: Code,
    ): Code =>
      packer(
        int(target),
        i32.add(i32.add(array.get, i32.multiply(n.get, image)), i32.multiply(row.get, rowStep.get)),
        lanes.get,
        plane.get,
        imagesNow.get,
        image,
        rowsNow.get,
        rowStep.get,
        p.columns.get,
        columnStep,
      );
    const inTile = i32.add(i32.multiply(i.get, int(COLUMN_PANEL)), i32.shiftLeft(j.get, int(3)));
    const exchange = (copy: Code): Code => [
      ...i.set(int(0)),
      ...repeatWhile(
        [
          j.set(int(0)),
          at.set(
            i32.add(
              i32.add(p.kernel.get, i32.multiply(i32.add(c.get, i.get), p.channelStep.get)),
              i32.multiply(o.get, p.outputStep.get),
            ),
          ),
          repeatWhile(
            [copy, gain(at, p.outputStep.get)],
            i32.less(j.tee(i32.add(j.get, int(1))), least(i32.subtract(p.outputs.get, o.get), int(COLUMNS))),
          ),
        ],
        i32.less(i.tee(i32.add(i.get, int(1))), least(i32.subtract(p.channels.get, c.get), int(ROWS))),
      ),
    ];
    const tiles = [
      o.set(int(0)),
      panelOut.set(int(PANELS.right)),
      repeatWhile(
        [
          c.set(int(0)),
          panelIn.set(int(PANELS.left)),
          repeatWhile(
            [
              exchange(f64.store(inTile, f64.load(at.get), PANELS.tile)),
              tile(panelIn.get, panelOut.get, int(PANELS.tile), int(COLUMN_PANEL), depth.get, int(0)),
              exchange(f64.store(at.get, f64.load(inTile, PANELS.tile))),
              gain(panelIn, i32.multiply(depth.get, int(ROW_PANEL))),
            ],
            i32.less(c.tee(i32.add(c.get, int(ROWS))), p.channels.get),
          ),
          gain(panelOut, i32.multiply(depth.get, int(COLUMN_PANEL))),
        ],
        i32.less(o.tee(i32.add(o.get, int(COLUMNS))), p.outputs.get),
      ),
    ];
    const rows = [
      row.set(int(0)),
      repeatWhile(
        [
          rowsNow.set(least(i32.subtract(p.rows.get, row.get), p.rowsAtOnce.get)),
          depth.set(i32.multiply(imagesNow.get, i32.multiply(rowsNow.get, p.columns.get))),
          pack(
            packInput,
            PANELS.left,
            p.input,
            p.channels,
            p.inputPlane,
            inputImage,
            p.inputRow,
            p.inputColumn.get,
          ),
          pack(
            packOutput,
            PANELS.right,
            p.output,
            p.outputs,
            p.outputPlane,
            outputImage,
            p.outputRow,
            int(8),
          ),
          ...tiles,
        ],
        i32.less(row.tee(i32.add(row.get, p.rowsAtOnce.get)), p.rows.get),
      ),
    ];
    return [
      ...code,
      ...n.set(int(0)),
      ...repeatWhile(
        [imagesNow.set(least(i32.subtract(p.images.get, n.get), p.imagesAtOnce.get)), ...rows],
        i32.less(n.tee(i32.add(n.get, p.imagesAtOnce.get)), p.images.get),
      ),
    ];
  });
  return module;
}

/**
 * Panels of `wide` planes: (target, source, planes, plane step, images, image step, rows, row step, columns, column
 * step), steps in bytes. A missing last plane of a pair repeats the one before, missing pairs stay as they are: their
 * sums are not stored.
 */
function packPlanesFunction(module: ModuleWriter, name: string, wide: number): Caller {
  return module.function(
    name,
    10,
    (scope, target, source, planes, plane, images, image, rows, row, columns, column) => {
      const [pair, to, p, q, pRow, qRow, pImage, qImage] = scope.locals("i32", 8);
      const [imagesLeft, rowsLeft, columnsLeft, end] = scope.locals("i32", 4);
      const copyPair = [
        pImage.set(source.get),
        qImage.set(i32.select(i32.add(source.get, plane.get), source.get, i32.greater(planes.get, int(1)))),
        to.set(i32.add(target.get, pair.get)),
        imagesLeft.set(images.get),
        repeatWhile(
          [
            pRow.set(pImage.get),
            qRow.set(qImage.get),
            rowsLeft.set(rows.get),
            repeatWhile(
              [
                p.set(pRow.get),
                q.set(qRow.get),
                columnsLeft.set(columns.get),
                repeatWhile(
                  [
                    v128.store(to.get, v128.loadHigh(q.get, v128.loadLow(p.get))),
                    gain(to, int(8 * wide)),
                    gain(p, column.get),
                    gain(q, column.get),
                  ],
                  loseOne(columnsLeft),
                ),
                gain(pRow, row.get),
                gain(qRow, row.get),
              ],
              loseOne(rowsLeft),
            ),
            gain(pImage, image.get),
            gain(qImage, image.get),
          ],
          loseOne(imagesLeft),
        ),
        source.set(i32.add(source.get, i32.shiftLeft(plane.get, int(1)))),
        planes.set(i32.subtract(planes.get, int(2))),
        end.set(i32.subtract(to.get, pair.get)),
      ];
      return loopWhile(i32.greater(planes.get, int(0)), [
        pair.set(int(0)),
        repeatWhile(
          [when(i32.greater(planes.get, int(0)), copyPair)],
          i32.less(pair.tee(i32.add(pair.get, int(16))), int(8 * wide)),
        ),
        target.set(end.get),
      ]);
    },
  );
}
