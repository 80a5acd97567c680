import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Shape, sizeOf } from "../../src/autodiff/index.ts";
import { rowWeights } from "../../src/models/index.ts";
import { planePositions } from "../../src/models/layers/positions.ts";
import type { Problem } from "../problems.ts";

interface Placed {
  readonly shape: Shape;
  readonly start: number;
}

/**
 * Writes a problem where peers of any language can read it: problem.json, which says what it is and where its arrays
 * stand, and problem.f64, the arrays. Labels become rows of targets and weights of rows, images patches too.
 */
export function writeProblem(folder: string, problem: Problem): void {
  const { name, architecture, options, shape, n, examples, parameters, weights, vectors } = problem;
  const parts: Float64Array[] = [];
  let end = 0;
  const place = (data: Float64Array, of: Shape): Placed => {
    parts.push(data);
    const start = end;
    end += data.length;
    return { shape: of, start };
  };
  const placeAll = (flat: Float64Array): (Placed & { readonly name: string })[] => {
    let at = 0;
    return Object.entries(parameters).map(([parameter, of]) => {
      const data = flat.subarray(at, at + sizeOf(of));
      at += data.length;
      return { name: parameter, ...place(data, of) };
    });
  };
  const { inputs, labels } = examples;
  const rows = labels.length;
  const targets = new Float64Array(rows * shape.outputDim);
  labels.forEach((label, row) => {
    targets[row * shape.outputDim + label] = 1;
  });
  const p = weights.length;
  const description = {
    ...{ name, architecture, options, shape, n },
    parameters: placeAll(weights),
    directions: Array.from({ length: vectors.length / p }, (_, i) =>
      placeAll(vectors.subarray(i * p, (i + 1) * p)),
    ),
    arrays: {
      inputs: place(inputs, [n, ...shape.inputShape]),
      targets: place(targets, [rows, shape.outputDim]),
      // Half of the squared error, so that a peer needs no product with a number.
      rowWeights: place(
        rowWeights(labels).map((weight) => weight / 2),
        [rows, 1],
      ),
      ...(architecture === "vit" && patchArrays(problem, place)),
    },
    tokenPlanes: shape.vocabulary === undefined ? [] : tokenPlanes(problem, shape.vocabulary, place),
  };
  writeFileSync(join(folder, "problem.json"), JSON.stringify(description));
  const all = new Float64Array(end);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  writeFileSync(join(folder, "problem.f64"), all);
}

type Place = (data: Float64Array, shape: Shape) => Placed;

/** The patches of the images [n, tokens, patch], entries by row, column and channel, and the tokens' positions. */
function patchArrays({ shape, n, options, examples }: Problem, place: Place): Record<string, Placed> {
  const [channels, height, width] = shape.inputShape;
  const size = 4;
  const patches = new Float64Array(examples.inputs.length);
  let at = 0;
  for (let i = 0; i < n; i++)
    for (let top = 0; top < height; top += size)
      for (let left = 0; left < width; left += size)
        for (let y = top; y < top + size; y++)
          for (let x = left; x < left + size; x++)
            for (let c = 0; c < channels; c++)
              patches[at++] = examples.inputs[((i * channels + c) * height + y) * width + x];
  const tokens = (height / size) * (width / size);
  const dim = Number(options.dim);
  return {
    patches: place(patches, [n, tokens, size * size * channels]),
    positions: place(planePositions(height / size, width / size, dim), [tokens, dim]),
  };
}

/** For each position, [n, vocabulary] with a 1 where the token is. */
function tokenPlanes({ shape, n, examples }: Problem, vocabulary: number, place: Place): Placed[] {
  const [length] = shape.inputShape;
  return Array.from({ length }, (_, t) => {
    const plane = new Float64Array(n * vocabulary);
    for (let i = 0; i < n; i++) plane[i * vocabulary + examples.inputs[i * length + t]] = 1;
    return place(plane, [n, vocabulary]);
  });
}

/** The numbers in a file that a peer wrote. */
export function readResult(folder: string, file: string): Float64Array {
  const bytes = readFileSync(join(folder, file));
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Calls with a new folder, which is gone afterwards. */
export function inNewFolder<Result>(run: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "central-flows-bench-"));
  try {
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
