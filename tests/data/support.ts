import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Examples } from "../../src/data/index.ts";

/** The folder of files that make-files.py wrote. */
export const FILES = fileURLToPath(new URL("./files", import.meta.url));

/** One of those files. */
export function testFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${FILES}/${name}`));
}

/** Example i of a split. */
export function inputOf(examples: Examples, i: number): Float64Array {
  const size = examples.shape.reduce((a, b) => a * b, 1);
  return examples.inputs.subarray(i * size, (i + 1) * size);
}

/** Reads from files held in memory. */
export function inMemory(
  files: Readonly<Record<string, Uint8Array>>,
): (path: string) => Uint8Array | undefined {
  return (path) => files[path];
}

/** The pixel of make-files.py's images. */
export function pixel(image: number, channel: number, row: number, column: number): number {
  return (37 * image + 11 * channel + 3 * row + 5 * column) % 256;
}

/** The labels of make-files.py's 23 images. */
export const IMAGE_LABELS = Array.from({ length: 23 }, (_, i) => (3 * i) % 10);

/** The first ⌊n/classes⌋ positions of each class, class by class, by counting. */
export function firstPositions(labels: readonly number[], classes: number, n: number): number[] {
  const chosen: number[] = [];
  for (let c = 0; c < classes; c++) {
    let left = Math.floor(n / classes);
    for (let i = 0; i < labels.length; i++) if (labels[i] === c && left-- > 0) chosen.push(i);
  }
  return chosen;
}
