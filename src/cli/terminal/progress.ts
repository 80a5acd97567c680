/** What a progress display writes to: process.stderr, or something like it. */
export interface ProgressStream {
  write(words: string): unknown;
  /** The width of the terminal in columns. */
  readonly columns?: number;
}

export interface ProgressOptions {
  readonly stream: ProgressStream;
  /** The number of steps that makes the run complete. */
  readonly total: number;
  /** Steps that were done before, by a run that is being resumed. Default 0. */
  readonly start?: number;
  /** Write nothing. Default false. */
  readonly quiet?: boolean;
  /** Draw a bar, not lines. Default false. */
  readonly isTTY?: boolean;
  /** Milliseconds that never go back. Default performance.now. */
  readonly now?: () => number;
  /** Read for NO_COLOR and TERM=dumb. Default empty. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Where a run is. */
export interface ProgressState {
  /** Steps done. */
  readonly step: number;
  readonly loss?: number;
  readonly sharpness?: number;
  /** Number of critical eigenvalues. */
  readonly k?: number;
}

export interface Progress {
  /** Takes note of a step; writes if it is time to. */
  update(state: ProgressState): void;
  /** Writes a line of its own, above the bar if there is one. */
  note(line: string): void;
  /** Removes the bar, or writes the last line if it has not been written. Call once, also after a failure. */
  finish(): void;
}

/** Ten drawings a second: fast enough to look alive, slow enough not to cost anything. */
const BAR_INTERVAL = 100;
const LINE_INTERVAL = 5_000;
const LINE_FRACTION = 0.1;
/** Milliseconds over which the rate forgets; steps grow dearer as k grows. */
const RATE_MEMORY = 10_000;
const WIDEST_BAR = 30;
const NARROWEST_BAR = 8;

const ERASE_LINE = "\r\u001b[2K";
const GREEN = "\u001b[32m";
const DIM = "\u001b[2m";
const PLAIN = "\u001b[0m";

/** Seconds as 8s, 1m05s, 2h03m. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  const two = (n: number): string => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
}

const rateWords = (stepsPerSecond: number): string =>
  stepsPerSecond >= 0.1
    ? `${stepsPerSecond.toPrecision(3)} steps/s`
    : `${(1 / stepsPerSecond).toPrecision(3)} s/step`;

const quantities = ({ loss, sharpness, k }: ProgressState): string[] => [
  ...(loss === undefined ? [] : [`loss ${loss.toPrecision(4)}`]),
  ...(sharpness === undefined ? [] : [`sharpness ${sharpness.toPrecision(4)}`]),
  ...(k === undefined ? [] : [`k ${k}`]),
];

/** As many fields as fit in `width`, from the first on. */
function fitting(fields: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const field of fields) {
    used += field.length + 2;
    if (used > width) break;
    taken.push(field);
  }
  return taken;
}

function barLine(
  done: number,
  percent: string,
  fields: readonly string[],
  columns: number,
  colour: boolean,
): string {
  // One column stays free: a full line would wrap on some terminals, and could not be erased.
  const room = columns - 1 - percent.length - 1;
  const shown = fitting(fields, room - NARROWEST_BAR);
  const length = shown.reduce((sum, field) => sum + field.length + 2, 0);
  const size = Math.max(0, Math.min(WIDEST_BAR, room - length));
  const filled = Math.round(done * size);
  const full = "━".repeat(filled);
  const empty = (colour ? "━" : "─").repeat(size - filled);
  const bar = colour ? `${GREEN}${full}${PLAIN}${DIM}${empty}${PLAIN}` : full + empty;
  return `${percent} ${bar}${shown.map((field) => `  ${field}`).join("")}`;
}

/**
 * Shows how far a run is: on a terminal a bar with rate, time left, loss, sharpness and k, drawn at most ten times
 * a second and erased at the end; elsewhere a line about every five seconds or tenth of the run, whichever is
 * sooner, and at the end.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, total, start = 0, quiet = false, env = {} } = options;
  const now = options.now ?? (() => performance.now());
  const bar = (options.isTTY ?? false) && env.TERM !== "dumb";
  const colour = !env.NO_COLOR;

  const began = now();
  let state: ProgressState = { step: start };
  let stateTime = began;
  let secondsPerStep = 0;
  let drawn = false;
  let writtenTime = bar ? Number.NEGATIVE_INFINITY : began;
  let writtenStep = start;
  let finished = false;

  const measure = (step: number, time: number): void => {
    const steps = step - state.step;
    if (steps <= 0 || time <= stateTime) return;
    const latest = (time - stateTime) / 1000 / steps;
    const average = (time - began) / 1000 / (step - start);
    const weight = 1 - Math.exp(-(time - stateTime) / RATE_MEMORY);
    // Until it has a memory's worth of time behind it the mean over all steps is the better estimate.
    secondsPerStep =
      time - began < RATE_MEMORY ? average : secondsPerStep + weight * (latest - secondsPerStep);
    stateTime = time;
  };

  const fields = (): string[] => {
    const known = secondsPerStep > 0;
    const left =
      known && state.step < total ? [`${duration((total - state.step) * secondsPerStep)} left`] : [];
    return [
      `${state.step}/${total}`,
      ...left,
      ...quantities(state),
      ...(known ? [rateWords(1 / secondsPerStep)] : []),
    ];
  };

  const done = (): number => (total > 0 ? Math.min(1, Math.max(0, state.step / total)) : 1);

  const write = (time: number): void => {
    const percent = `${Math.floor(100 * done())}%`.padStart(4);
    if (bar) {
      stream.write(ERASE_LINE + barLine(done(), percent, fields(), stream.columns || 80, colour));
      drawn = true;
    } else stream.write(`${[`step ${fields()[0]}`, ...fields().slice(1)].join("  ")}\n`);
    writtenTime = time;
    writtenStep = state.step;
  };

  const due = (time: number): boolean => {
    if (bar) return time - writtenTime >= BAR_INTERVAL;
    const fraction = total > 0 ? (state.step - writtenStep) / total : 1;
    return fraction >= LINE_FRACTION || (state.step > writtenStep && time - writtenTime >= LINE_INTERVAL);
  };

  const erase = (): void => {
    if (drawn) stream.write(ERASE_LINE);
    drawn = false;
  };

  return {
    update(next) {
      if (quiet || finished) return;
      const time = now();
      measure(next.step, time);
      state = next;
      if (due(time)) write(time);
    },
    note(line) {
      if (quiet) return;
      const redraw = drawn;
      erase();
      stream.write(`${line}\n`);
      if (redraw && !finished) write(now());
    },
    finish() {
      if (quiet || finished) return;
      finished = true;
      if (bar) erase();
      else if (state.step > writtenStep) write(now());
    },
  };
}
