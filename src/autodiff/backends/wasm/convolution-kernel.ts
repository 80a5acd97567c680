/**
 * The kernel of a convolution from its input and output, one tap at a time. The generated code is a product of packed panels,
 * as in `wasm/dense/gemm.ts`: inner indices are the pixels that meet under the tap. `convolution.ts` writes its calls.
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
  type HeaderOffset,
  i32,
  int,
  kernelWords,
  type Local,
  least,
  loopWhile,
  loseOne,
  ModuleWriter,
  own,
  PANELS,
  ROW_PANEL,
  ROWS,
  repeatWhile,
  tileFunction,
  v128,
  when,
} from "../../../wasm/index.ts";

/** Sizes, how many of each are taken at once, and steps in bytes. */
export const KERNEL_WORDS = kernelWords(
  ["kernel", "input", "output"],
  [
    ...(["images", "imagesAtOnce", "rows", "rowsAtOnce", "columns", "columnsAtOnce"] as const),
    ...(["channels", "outputs", "channelStep", "outputStep"] as const),
    ...(["inputImage", "inputPlane", "inputRow", "inputColumn"] as const),
    ...(["outputImage", "outputPlane", "outputRow"] as const),
  ],
);

/**
 * One tap of the kernel: products of panels of two channels of the input by eight of the output, inner indices (image,
 * row, column) in order, some images, or some rows of one image, or some columns of one row at a time; sums go on
 * from the result, which the caller has zeroed.
 */
export function kernelModule(arithmetic: Arithmetic): ModuleWriter {
  const module = new ModuleWriter();
  const tile = tileFunction(module, CONVOLUTION_TILE, "continues", arithmetic);
  const packInput = packPlanesFunction(module, "packInput", ROWS);
  const packOutput = packPlanesFunction(module, "packOutput", COLUMNS);
  module.function("run", 0, (scope) => {
    const { values: p, code } = KERNEL_WORDS.locals(scope);
    const [n, imagesNow, row, rowsNow, column, columnsNow, depth] = scope.locals("i32", 7);
    const [o, c, panelIn, panelOut, i, j, at] = scope.locals("i32", 7);
    const pack = (
      packer: Caller,
      target: HeaderOffset,
      array: Local,
      lanes: Local,
      plane: Local,
      image: Local,
      rowStep: Local,
      columnStep: Code,
    ): Code =>
      packer(
        own(target),
        i32.add(
          i32.add(array.get, i32.multiply(n.get, image.get)),
          i32.add(i32.multiply(row.get, rowStep.get), i32.multiply(column.get, columnStep)),
        ),
        lanes.get,
        plane.get,
        imagesNow.get,
        image.get,
        rowsNow.get,
        rowStep.get,
        columnsNow.get,
        columnStep,
      );
    const inTile = i32.add(
      own(HEADER_START),
      i32.add(i32.multiply(i.get, int(COLUMN_PANEL)), i32.shiftLeft(j.get, int(3))),
    );
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
      panelOut.set(own(PANELS.right)),
      repeatWhile(
        [
          c.set(int(0)),
          panelIn.set(own(PANELS.left)),
          repeatWhile(
            [
              exchange(f64.store(inTile, f64.load(at.get), PANELS.tile)),
              tile(panelIn.get, panelOut.get, own(PANELS.tile), int(COLUMN_PANEL), depth.get, int(0)),
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
    const columns = [
      column.set(int(0)),
      repeatWhile(
        [
          columnsNow.set(least(i32.subtract(p.columns.get, column.get), p.columnsAtOnce.get)),
          depth.set(i32.multiply(imagesNow.get, i32.multiply(rowsNow.get, columnsNow.get))),
          pack(
            packInput,
            PANELS.left,
            p.input,
            p.channels,
            p.inputPlane,
            p.inputImage,
            p.inputRow,
            p.inputColumn.get,
          ),
          pack(
            packOutput,
            PANELS.right,
            p.output,
            p.outputs,
            p.outputPlane,
            p.outputImage,
            p.outputRow,
            int(8),
          ),
          ...tiles,
        ],
        i32.less(column.tee(i32.add(column.get, p.columnsAtOnce.get)), p.columns.get),
      ),
    ];
    const rows = [
      row.set(int(0)),
      repeatWhile(
        [rowsNow.set(least(i32.subtract(p.rows.get, row.get), p.rowsAtOnce.get)), ...columns],
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
