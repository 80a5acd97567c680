import { arch, cpus, platform } from "node:os";

export interface Times {
  readonly best: number;
  readonly median: number;
  /** Half the distance between the quartiles, over the median. */
  readonly spread: number;
}

const ROUNDS = 15;
/** Long enough that the clock's resolution does not show, short enough to fit between interruptions. */
const SLICE = 2;

/** Milliseconds per call of several functions, their slices interleaved so that all meet the same machine. */
export function compareTimes(functions: readonly (() => void)[]): Times[] {
  const repeats = functions.map((run) => {
    for (let i = 0; i < 3; i++) run();
    const start = performance.now();
    run();
    return Math.max(1, Math.round(SLICE / Math.max(1e-4, performance.now() - start)));
  });
  const samples: number[][] = functions.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    functions.forEach((run, f) => {
      const start = performance.now();
      for (let i = 0; i < repeats[f]; i++) run();
      samples[f].push((performance.now() - start) / repeats[f]);
    });
  return samples.map((list) => {
    list.sort((a, b) => a - b);
    const median = list[ROUNDS >> 1];
    return { best: list[0], median, spread: (list[(3 * ROUNDS) >> 2] - list[ROUNDS >> 2]) / 2 / median };
  });
}

/** A line that says where numbers come from. */
export const machine = (): string =>
  `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, ${platform()} ${arch()}, Node ${process.version}`;
