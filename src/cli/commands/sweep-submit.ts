import { availableParallelism } from "node:os";
import { choice, either, integer, valueError } from "../../base/index.ts";
import {
  duration,
  estimate,
  readSweep,
  runFolder,
  statusText,
  submitLocally,
  sweepStatus,
  uncancel,
} from "../../sweep/index.ts";
import { watchInterrupts } from "../terminal/signals.ts";
import { command } from "./command.ts";
import { quiet } from "./shared-settings.ts";
import { program, provenance, sweepFolder } from "./sweep-folder.ts";

/** A first look at what is to come takes at most a few seconds; nobody waits for it where it would be longer than the work. */
async function sayEstimate(
  directory: string,
  left: readonly number[],
  say: (line: string) => void,
): Promise<void> {
  const { secondsLeft } = await sweepStatus(directory);
  if (secondsLeft !== undefined)
    return say(`about ${duration(secondsLeft)} of computing, as the runs so far went`);
  const found = await estimate(directory, left, provenance("central-flows sweep submit"));
  if (found)
    say(
      `about ${duration(found.seconds)} of computing on one thread and ${(found.bytes / 2 ** 20).toFixed(1)} MiB, if all are like the first steps of the first`,
    );
}

/** Has the missing points of a sweep computed. */
export const submit = command({
  name: "sweep submit",
  usage: "DIR [--engine local] [--jobs N] [--quiet]",
  summary: "compute what is missing",
  about: ["Computes the points that are not final, on this machine. Killed, it goes on when called again."],
  settings: {
    engine: { kind: choice("local"), default: "local", help: "who computes" },
    jobs: {
      kind: either(integer({ min: 1 }), "auto", null),
      default: null,
      help: "tasks at once, also -j N (as many as cores)",
    },
    quiet,
  },
  example: "sweep submit sweeps/my-sweep --jobs 4",
  words(positionals): { readonly dir: string } {
    if (positionals.length !== 1)
      throw valueError("sweep submit", "one folder of a sweep", positionals.join(" ") || "none");
    return { dir: sweepFolder(positionals[0]) };
  },
  async run({ dir, jobs, quiet }) {
    const say = (line: string): void => {
      if (!quiet) process.stderr.write(`${line}\n`);
    };
    const sweep = readSweep(dir, "sweep submit");
    uncancel(dir);
    const { points } = await sweepStatus(dir);
    const left = points.filter(({ outcome }) => !outcome).map(({ point }) => point.index);
    if (!quiet && left.length > 0) await sayEstimate(dir, left, say);
    return computeHere(dir, jobs ?? availableParallelism(), say, (index) =>
      runFolder(sweep, sweep.points[index]),
    );
  },
});

/** Computes on this machine; the exit status is 0 when all points are final, 130 after Ctrl-C, else 1. */
async function computeHere(
  dir: string,
  jobs: number,
  say: (line: string) => void,
  folderOf: (index: number) => string,
): Promise<number> {
  const interrupts = watchInterrupts(say);
  try {
    const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
    const { final, total, unfinished } = await submitLocally(dir, {
      program: program(),
      jobs,
      threads,
      shouldStop: interrupts.asked,
      progress: ({ id }, code, done, of) => say(`${done} of ${of}  ${id}: ${wordOf(code)}`),
    });
    process.stdout.write(`${statusText(await sweepStatus(dir))}\n`);
    if (final === total) process.stdout.write(`next: central-flows sweep gather ${dir}\n`);
    else process.stdout.write(`go on with: central-flows sweep submit ${dir}\n`);
    if (final === total) return 0;
    if (interrupts.asked()) return 130;
    for (const [index, code] of unfinished) say(`${folderOf(index)}: ${wordOf(code)}`);
    return 1;
  } finally {
    interrupts.stop();
  }
}

const WORDS: Readonly<Record<number, string>> = {
  0: "done",
  1: "ended early",
  2: "refused",
  70: "failed on its way",
  75: "computed by somebody else",
  130: "interrupted",
};

const wordOf = (code: number | null): string =>
  code === null ? "killed" : (WORDS[code] ?? `exit status ${code}`);
