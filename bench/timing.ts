import { arch, cpus, platform } from "node:os";

export interface Times {
  readonly best: number;
  readonly median: number;
  /** Half the distance between the quartiles, over the median. */
  readonly spread: number;
  readonly samples: number;
}

/** As many samples of a function as the time allows, within these; a slow one is content with its first call. */
const ROUNDS = { least: 3, most: 15 };
const SLOW = 1000;
/** Long enough that the clock's resolution does not show, short enough to fit between interruptions. */
const SLICE = 2;
/** Calls before the clock counts: V8 compiles what runs often; what runs for long has no need of three. */
const WARM = { calls: 3, milliseconds: 300 };

/**
 * Milliseconds per call of several functions, their slices interleaved so that all meet the same machine.
 * @param seconds to spend on each, about
 */
export function compareTimes(functions: readonly (() => void)[], seconds = 0.5): Times[] {
  const all = functions.map((run) => {
    const warm = warmTime(run);
    const calls = Math.max(1, Math.round(SLICE / warm));
    return { run, calls, samples: warm > SLOW ? [warm] : [], left: 1000 * seconds };
  });
  for (let round = 0; round < ROUNDS.most; round++)
    for (const one of all) {
      const { run, calls, samples } = one;
      if (one.left <= 0 && (samples.length >= ROUNDS.least || samples[0] > SLOW)) continue;
      const start = performance.now();
      for (let i = 0; i < calls; i++) run();
      const spent = performance.now() - start;
      samples.push(spent / calls);
      one.left -= spent;
    }
  return all.map(({ samples }) => summary(samples));
}

/** Calls until warm; the milliseconds of the last call. */
function warmTime(run: () => void): number {
  let last = 0;
  let total = 0;
  for (let i = 0; i <= WARM.calls && total < WARM.milliseconds; i++) {
    const start = performance.now();
    run();
    last = performance.now() - start;
    total += last;
  }
  return Math.max(1e-4, last);
}

/** Median, least and spread of samples, which it sorts. */
export function summary(samples: number[]): Times {
  samples.sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.floor(share * samples.length)];
  return {
    best: samples[0],
    median: at(0.5),
    spread: (at(0.75) - at(0.25)) / 2 / at(0.5),
    samples: samples.length,
  };
}

/** A line that says where numbers come from. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${platform()} ${arch()}, Node ${process.version}`;
