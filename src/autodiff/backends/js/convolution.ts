/** Convolutions in register tiles, with the bits of the definition in primitives/convolution.ts. */
import { type Geometry, meeting } from "../../primitives/convolution-geometry.ts";
import type { Kernel } from "../../primitives/rule.ts";

/** Along one axis: the kernel taps that meet a position of the wanted array, each with the source entry it multiplies. */
interface Taps {
  readonly taps: readonly number[];
  /** Source entries relative to the position's base. */
  readonly sources: readonly number[];
  readonly positions: number[];
  readonly bases: number[];
}

/**
 * Positions of one axis grouped by what they see: q = p·stride + k − padding, p wanted and q the source for the
 * output, the other way round for the input. Interior positions are one group per residue of the stride; those at
 * the edges see fewer taps.
 */
function groupPositions(geometry: Geometry, wanted: "input" | "output", axis: 0 | 1): Taps[] {
  const stride = geometry.stride[axis];
  const padding = geometry.padding[axis];
  const sourceLength = (wanted === "output" ? geometry.input : geometry.output)[axis];
  const groups = new Map<string, Taps>();
  for (let position = 0; position < geometry[wanted][axis]; position++) {
    const base =
      wanted === "output" ? position * stride - padding : Math.floor((position + padding) / stride);
    const taps: number[] = [];
    const sources: number[] = [];
    for (let k = 0; k < geometry.kernel[axis]; k++) {
      const source = wanted === "output" ? base + k : (position + padding - k) / stride;
      if (!Number.isInteger(source) || source < 0 || source >= sourceLength) continue;
      taps.push(k);
      sources.push(source - base);
    }
    const key = `${taps}|${sources}`;
    const group = groups.get(key) ?? { taps, sources, positions: [], bases: [] };
    groups.set(key, group);
    group.positions.push(position);
    group.bases.push(base);
  }
  return [...groups.values()];
}

/** Pixels of the wanted array that see the same taps: for tap t of a pixel, kernel[t] meets source[base + offsets[t]]. */
interface PixelGroup {
  readonly pixels: Int32Array;
  readonly bases: Int32Array;
  readonly kernel: Int32Array;
  readonly offsets: Int32Array;
}

function pixelGroups(geometry: Geometry, wanted: "input" | "output"): PixelGroup[] {
  const width = geometry[wanted][1];
  const sourceWidth = (wanted === "output" ? geometry.input : geometry.output)[1];
  const kernelWidth = geometry.kernel[1];
  const columns = groupPositions(geometry, wanted, 1);
  const pairs = (a: readonly number[], b: readonly number[], scale: number): Int32Array =>
    Int32Array.from(a.flatMap((first) => b.map((second) => first * scale + second)));
  return groupPositions(geometry, wanted, 0).flatMap((rows) =>
    columns.map((column) => ({
      pixels: pairs(rows.positions, column.positions, width),
      bases: pairs(rows.bases, column.bases, sourceWidth),
      kernel: pairs(rows.taps, column.taps, kernelWidth),
      offsets: pairs(rows.sources, column.sources, sourceWidth),
    })),
  );
}

/**
 * The output from input and kernel, or the input from kernel and output:
 *     map[n, a, pixel] = Σ_b Σ_t kernel[a, b, t]·source[n, b, base + offset_t],
 * a the wanted map's channels and b the source's, in tiles of 4 channels by 2 pixels.
 */
export function contractToMap(geometry: Geometry, wanted: "input" | "output"): Kernel {
  const { images, channels, outputs, kernel, input, output } = geometry;
  const taps = kernel[0] * kernel[1];
  const isOutput = wanted === "output";
  const [made, summed] = isOutput ? [outputs, channels] : [channels, outputs];
  const madeStep = isOutput ? channels * taps : taps;
  const summedStep = isOutput ? taps : channels * taps;
  const [mapPlane, sourcePlane] = isOutput
    ? [output[0] * output[1], input[0] * input[1]]
    : [input[0] * input[1], output[0] * output[1]];
  const groups = pixelGroups(geometry, wanted);
  const tiled = made - (made % 4);
  return (memory, at) => {
    const [mapArray, sourceArray, kernelArray] = isOutput ? [at[0], at[1], at[2]] : [at[0], at[2], at[1]];
    for (let n = 0; n < images; n++) {
      const map = mapArray + n * made * mapPlane;
      const source = sourceArray + n * summed * sourcePlane;
      for (const group of groups) {
        const { pixels, bases } = group;
        const paired = pixels.length - (pixels.length % 2);
        for (let a = 0; a < tiled; a += 4)
          for (let i = 0; i < paired; i += 2)
            mapTile(
              memory,
              map + a * mapPlane + pixels[i],
              map + a * mapPlane + pixels[i + 1],
              mapPlane,
              kernelArray + a * madeStep,
              madeStep,
              summedStep,
              source + bases[i],
              source + bases[i + 1],
              sourcePlane,
              summed,
              group.kernel,
              group.offsets,
            );
        for (let a = 0; a < made; a++)
          for (let i = a < tiled ? paired : 0; i < pixels.length; i++)
            memory[map + a * mapPlane + pixels[i]] = mapEntry(
              memory,
              kernelArray + a * madeStep,
              summedStep,
              source + bases[i],
              sourcePlane,
              summed,
              group.kernel,
              group.offsets,
            );
      }
    }
  };
}

/** Two pixels of four neighbouring channels of the map. */
function mapTile(
  m: Float64Array,
  first: number,
  second: number,
  plane: number,
  weights: number,
  madeStep: number,
  summedStep: number,
  sourceA: number,
  sourceB: number,
  sourcePlane: number,
  summed: number,
  kernel: Int32Array,
  offsets: Int32Array,
): void {
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  const taps = kernel.length;
  for (let b = 0; b < summed; b++) {
    const w = weights + b * summedStep;
    const p = sourceA + b * sourcePlane;
    const q = sourceB + b * sourcePlane;
    for (let t = 0; t < taps; t++) {
      const k = w + kernel[t];
      const x = m[p + offsets[t]];
      const y = m[q + offsets[t]];
      const w0 = m[k];
      const w1 = m[k + madeStep];
      const w2 = m[k + 2 * madeStep];
      const w3 = m[k + 3 * madeStep];
      a0 += w0 * x;
      a1 += w1 * x;
      a2 += w2 * x;
      a3 += w3 * x;
      b0 += w0 * y;
      b1 += w1 * y;
      b2 += w2 * y;
      b3 += w3 * y;
    }
  }
  m[first] = a0;
  m[first + plane] = a1;
  m[first + 2 * plane] = a2;
  m[first + 3 * plane] = a3;
  m[second] = b0;
  m[second + plane] = b1;
  m[second + 2 * plane] = b2;
  m[second + 3 * plane] = b3;
}

function mapEntry(
  m: Float64Array,
  weights: number,
  summedStep: number,
  source: number,
  sourcePlane: number,
  summed: number,
  kernel: Int32Array,
  offsets: Int32Array,
): number {
  let total = 0;
  for (let b = 0; b < summed; b++)
    for (let t = 0; t < kernel.length; t++)
      total += m[weights + b * summedStep + kernel[t]] * m[source + b * sourcePlane + offsets[t]];
  return total;
}

/** One tap of the kernel and the rectangle of output positions it meets. */
interface TapRange {
  readonly tap: number;
  readonly rows: number;
  readonly columns: number;
  /** Where the rectangle starts in an output plane, and what it meets first in an input plane. */
  readonly outputStart: number;
  readonly inputStart: number;
}

function tapRanges(geometry: Geometry): TapRange[] {
  const { kernel, output, input, stride, padding } = geometry;
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const ky = Math.floor(tap / kernel[1]);
    const kx = tap % kernel[1];
    const y = meeting(geometry, 0, ky);
    const x = meeting(geometry, 1, kx);
    return {
      tap,
      rows: y.to - y.from,
      columns: x.to - x.from,
      outputStart: y.from * output[1] + x.from,
      inputStart: (y.from * stride[0] + ky - padding[0]) * input[1] + x.from * stride[1] + kx - padding[1],
    };
  });
}

/**
 * The kernel from input and output: kernel[o, c, k] = Σ_n Σ_p input[n, c, p·stride + k − padding]·output[n, o, p], in
 * tiles of 4 outputs by 2 channels. Images are outermost, so that one image's planes stay in cache; the sums of a tile go
 * on where the image before left them, which is the same order of summation.
 */
export function contractToKernel(geometry: Geometry): Kernel {
  const { images, channels, outputs, kernel, input, output, stride } = geometry;
  const taps = kernel[0] * kernel[1];
  const inputPlane = input[0] * input[1];
  const outputPlane = output[0] * output[1];
  const ranges = tapRanges(geometry);
  const rowStep = stride[0] * input[1];
  const tiledOutputs = outputs - (outputs % 4);
  const tiledChannels = channels - (channels % 2);
  const filterStep = channels * taps;
  return (memory, at) => {
    memory.fill(0, at[0], at[0] + outputs * filterStep);
    for (let n = 0; n < images; n++) {
      const x = at[1] + n * channels * inputPlane;
      const y = at[2] + n * outputs * outputPlane;
      for (const range of ranges) {
        const sums = at[0] + range.tap;
        const from = x + range.inputStart;
        const met = y + range.outputStart;
        for (let o = 0; o < tiledOutputs; o += 4)
          for (let c = 0; c < tiledChannels; c += 2)
            kernelTile(
              memory,
              sums + o * filterStep + c * taps,
              filterStep,
              taps,
              from + c * inputPlane,
              inputPlane,
              met + o * outputPlane,
              outputPlane,
              range,
              rowStep,
              stride[1],
              output[1],
            );
        for (let o = 0; o < outputs; o++)
          for (let c = o < tiledOutputs ? tiledChannels : 0; c < channels; c++)
            kernelEntry(
              memory,
              sums + o * filterStep + c * taps,
              from + c * inputPlane,
              met + o * outputPlane,
              range,
              rowStep,
              stride[1],
              output[1],
            );
      }
    }
  };
}

/** Adds one image's share of one tap to four filters by two channels. */
function kernelTile(
  m: Float64Array,
  sums: number,
  filterStep: number,
  taps: number,
  input: number,
  inputPlane: number,
  output: number,
  outputPlane: number,
  { rows, columns }: TapRange,
  rowStep: number,
  step: number,
  outputRow: number,
): void {
  let s00 = m[sums];
  let s01 = m[sums + taps];
  let s10 = m[sums + filterStep];
  let s11 = m[sums + filterStep + taps];
  let s20 = m[sums + 2 * filterStep];
  let s21 = m[sums + 2 * filterStep + taps];
  let s30 = m[sums + 3 * filterStep];
  let s31 = m[sums + 3 * filterStep + taps];
  for (let row = 0; row < rows; row++) {
    let p = input + row * rowStep;
    let q = output + row * outputRow;
    for (let column = 0; column < columns; column++) {
      const x0 = m[p];
      const x1 = m[p + inputPlane];
      const y0 = m[q];
      const y1 = m[q + outputPlane];
      const y2 = m[q + 2 * outputPlane];
      const y3 = m[q + 3 * outputPlane];
      s00 += x0 * y0;
      s01 += x1 * y0;
      s10 += x0 * y1;
      s11 += x1 * y1;
      s20 += x0 * y2;
      s21 += x1 * y2;
      s30 += x0 * y3;
      s31 += x1 * y3;
      p += step;
      q++;
    }
  }
  m[sums] = s00;
  m[sums + taps] = s01;
  m[sums + filterStep] = s10;
  m[sums + filterStep + taps] = s11;
  m[sums + 2 * filterStep] = s20;
  m[sums + 2 * filterStep + taps] = s21;
  m[sums + 3 * filterStep] = s30;
  m[sums + 3 * filterStep + taps] = s31;
}

function kernelEntry(
  m: Float64Array,
  sum: number,
  input: number,
  output: number,
  { rows, columns }: TapRange,
  rowStep: number,
  step: number,
  outputRow: number,
): void {
  let total = m[sum];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      total += m[input + row * rowStep + column * step] * m[output + row * outputRow + column];
  m[sum] = total;
}
