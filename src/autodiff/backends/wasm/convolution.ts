/**
 * Lowers convolutions: cuts the wanted array into parts that meet the kernel in the same way, so that no generated code asks
 * where an edge is. Two kernels do the work: `convolution-map.ts` and `convolution-kernel.ts`.
 */
import { type Arithmetic, type Call, fillCalls, PANELS } from "../../../wasm/index.ts";
import type { PrimitiveParams } from "../../graph/graph.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import { type Geometry, geometryOf, meeting } from "../../primitives/convolution-geometry.ts";
import type { Layout } from "../../primitives/rule.ts";
import { KERNEL_WORDS, kernelModule } from "./convolution-kernel.ts";
import { MAP_WORDS, mapModule } from "./convolution-map.ts";

type Params = PrimitiveParams["convolution"];
/** A member of the convolution family. */
export function lowerConvolution(
  params: Params,
  [first, second]: readonly Layout[],
  shape: Shape,
  arithmetic: Arithmetic,
): Call[] {
  if (sizeOf(first.shape) * sizeOf(second.shape) === 0) return fillCalls(0, sizeOf(shape));
  if (sizeOf(shape) === 0) return [];
  const geometry = geometryOf(params, [first.shape, second.shape]) as Geometry;
  const { wanted } = params;
  return wanted === "kernel" ? toKernel(geometry, arithmetic) : toMap(geometry, wanted, arithmetic);
}

/** Equally spaced numbers. */
interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Along one axis: equally spaced positions of the wanted map that meet the same taps of the kernel. */
interface Run {
  readonly positions: Range;
  /** The source entry that the first tap meets, for each position. */
  readonly met: Range;
  readonly taps: Range;
  /** How far the next tap's source entry is. */
  readonly tapStep: number;
}

/**
 * Splits the positions of an axis into runs. q = p·stride + k − padding: for the output p the source is q and the next
 * tap is one entry on; for the input q the source is p, only every stride-th tap meets one, and the next is one back.
 */
function runsOf(geometry: Geometry, wanted: "input" | "output", axis: 0 | 1): Run[] {
  const stride = geometry.stride[axis];
  const padding = geometry.padding[axis];
  const forward = wanted === "output";
  const sourceLength = (forward ? geometry.input : geometry.output)[axis];
  const positionStep = forward ? 1 : stride;
  const tapStep = forward ? 1 : -1;
  const runs: { positions: Range; met: Range; taps: Range; tapStep: number }[] = [];
  for (let residue = 0; residue < positionStep; residue++)
    for (let p = residue; p < geometry[wanted][axis]; p += positionStep) {
      const source = (k: number): number => (forward ? p * stride + k - padding : (p + padding - k) / stride);
      const taps = Array.from({ length: geometry.kernel[axis] }, (_, k) => k).filter(
        (k) => Number.isInteger(source(k)) && source(k) >= 0 && source(k) < sourceLength,
      );
      const last = runs[runs.length - 1];
      const start = taps[0] ?? 0;
      if (
        p !== residue &&
        last.taps.start === start &&
        last.taps.count === taps.length &&
        (taps.length === 0 || source(start) === last.met.start + last.met.step * last.positions.count)
      )
        runs[runs.length - 1] = {
          ...last,
          positions: { ...last.positions, count: last.positions.count + 1 },
        };
      else
        runs.push({
          positions: { start: p, step: positionStep, count: 1 },
          met: { start: taps.length === 0 ? 0 : source(start), step: forward ? stride : 1, count: 1 },
          taps: { start, step: positionStep === 1 ? 1 : stride, count: taps.length },
          tapStep,
        });
    }
  return runs;
}

/** The output from input and kernel or the input from kernel and output, a call for each pair of runs. */
function toMap(geometry: Geometry, wanted: "input" | "output", arithmetic: Arithmetic): Call[] {
  const { images, channels, outputs, kernel, input, output } = geometry;
  const taps = kernel[0] * kernel[1];
  const forward = wanted === "output";
  const [made, summed] = forward ? [outputs, channels] : [channels, outputs];
  const [madeStep, summedStep] = forward ? [channels * taps, taps] : [taps, channels * taps];
  const [map, source] = forward ? [output, input] : [input, output];
  const mapPlane = map[0] * map[1];
  const sourcePlane = source[0] * source[1];
  const columns = runsOf(geometry, wanted, 1);
  const calls: Call[] = [];
  let untouched = false;
  for (const y of runsOf(geometry, wanted, 0))
    for (const x of columns) {
      if (y.taps.count * x.taps.count === 0) {
        untouched = true;
        continue;
      }
      const [sourceAt, kernelAt] = forward ? [1, 2] : [2, 1];
      inPanels(summed, y.taps.count, x.taps.count).forEach((part, i) => {
        const met = part.rows * part.columns;
        const summedAtOnce = Math.min(part.summed, Math.max(1, Math.floor(PANELS.depth / met)));
        const room = Math.floor((PANELS.depth * PANELS.rows) / (summedAtOnce * met));
        const sourceStart =
          part.first * sourcePlane +
          (y.met.start + part.row * y.tapStep) * source[1] +
          (x.met.start + part.column * x.tapStep);
        const kernelStart =
          part.first * summedStep +
          (y.taps.start + part.row * y.taps.step) * kernel[1] +
          (x.taps.start + part.column * x.taps.step);
        calls.push({
          key: `convolution map${arithmetic.key}`,
          write: () => mapModule(arithmetic),
          arrays: [
            { at: 0, offset: y.positions.start * map[1] + x.positions.start },
            { at: sourceAt, offset: sourceStart },
            { at: kernelAt, offset: kernelStart },
          ],
          words: MAP_WORDS.pack({
            ...{ images, made, summed: part.summed, summedAtOnce, madeAtOnce: room - (room % 2) },
            ...{ madeStep: 8 * madeStep, summedStep: 8 * summedStep },
            ...{ mapPlane: 8 * mapPlane, sourcePlane: 8 * sourcePlane },
            ...{ tapRows: part.rows, tapColumns: part.columns },
            ...{ kernelRow: 8 * y.taps.step * kernel[1], sourceTapRow: 8 * y.tapStep * source[1] },
            ...{ kernelColumn: 8 * x.taps.step, sourceTapColumn: 8 * x.tapStep },
            ...{ rows: y.positions.count, columns: x.positions.count },
            ...{ mapRow: 8 * y.positions.step * map[1], sourceRow: 8 * y.met.step * source[1] },
            ...{ mapColumn: 8 * x.positions.step, sourceColumn: 8 * x.met.step },
            ...{ sourceImage: 8 * summed * sourcePlane, continued: i === 0 ? 0 : 1 },
          }),
        });
      });
    }
  return [...(untouched ? fillCalls(0, images * made * mapPlane) : []), ...calls];
}

/** A range of summed channels, and the rectangle of taps that is met of each. */
interface Part {
  readonly first: number;
  readonly summed: number;
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Everything at once, or parts that fit a panel each, in the order of summation: channel, row, column. */
function inPanels(summed: number, rows: number, columns: number): Part[] {
  if (rows * columns <= PANELS.longest) return [{ first: 0, summed, row: 0, rows, column: 0, columns }];
  const height = Math.max(1, Math.floor(PANELS.longest / columns));
  const parts: Part[] = [];
  for (let first = 0; first < summed; first++)
    for (let row = 0; row < rows; row += height)
      for (let column = 0; column < columns; column += PANELS.longest)
        parts.push({
          ...{ first, summed: 1 },
          ...{ row, rows: Math.min(height, rows - row) },
          ...{ column, columns: Math.min(PANELS.longest, columns - column) },
        });
  return parts;
}

/** Long enough that loading and storing the sums is a few percent, short enough for the cache. */
const KERNEL_DEPTH = 512;

/** Channels and filters of a call at most: a panel of so many has room for eight inner indices. */
const KERNEL_PLANES = 4096;

/** The kernel from input and output, a call for each tap. */
function toKernel(geometry: Geometry, arithmetic: Arithmetic): Call[] {
  const { images, channels, outputs, kernel, input, output, stride, padding } = geometry;
  const taps = kernel[0] * kernel[1];
  const even = (n: number, to: number): number => to * Math.ceil(n / to);
  const channelsAtOnce = Math.min(channels, KERNEL_PLANES);
  const outputsAtOnce = Math.min(outputs, KERNEL_PLANES);
  const most = Math.min(
    KERNEL_DEPTH,
    Math.floor((PANELS.depth * PANELS.rows) / even(channelsAtOnce, 2)),
    Math.floor((PANELS.depth * PANELS.columns) / even(outputsAtOnce, 8)),
  );
  const inputPlane = input[0] * input[1];
  const outputPlane = output[0] * output[1];
  const calls: Call[] = [];
  for (let ky = 0; ky < kernel[0]; ky++)
    for (let kx = 0; kx < kernel[1]; kx++) {
      const y = meeting(geometry, 0, ky);
      const x = meeting(geometry, 1, kx);
      const rows = y.to - y.from;
      const columns = x.to - x.from;
      if (rows * columns === 0) continue;
      const columnsAtOnce = Math.min(columns, most);
      const rowsAtOnce = Math.min(rows, Math.max(1, Math.floor(most / columns)));
      const imagesAtOnce =
        rowsAtOnce < rows || columnsAtOnce < columns
          ? 1
          : Math.min(images, Math.floor(most / (rows * columns)));
      const inputStart =
        (y.from * stride[0] + ky - padding[0]) * input[1] + x.from * stride[1] + kx - padding[1];
      for (let o = 0; o < outputs; o += outputsAtOnce)
        for (let c = 0; c < channels; c += channelsAtOnce)
          calls.push({
            key: `convolution kernel${arithmetic.key}`,
            write: () => kernelModule(arithmetic),
            arrays: [
              { at: 0, offset: (o * channels + c) * taps + ky * kernel[1] + kx },
              { at: 1, offset: inputStart + c * inputPlane },
              { at: 2, offset: y.from * output[1] + x.from + o * outputPlane },
            ],
            words: KERNEL_WORDS.pack({
              ...{ images, imagesAtOnce, rows, rowsAtOnce, columns, columnsAtOnce },
              channels: Math.min(channelsAtOnce, channels - c),
              outputs: Math.min(outputsAtOnce, outputs - o),
              ...{ channelStep: 8 * taps, outputStep: 8 * channels * taps },
              ...{ inputImage: 8 * channels * inputPlane, inputPlane: 8 * inputPlane },
              ...{ inputRow: 8 * stride[0] * input[1], inputColumn: 8 * stride[1] },
              ...{ outputImage: 8 * outputs * outputPlane, outputPlane: 8 * outputPlane },
              outputRow: 8 * output[1],
            }),
          });
    }
  return [...fillCalls(0, outputs * channels * taps), ...calls];
}
