import { availableParallelism } from "node:os";
import { choice, either, integer, text, valueError } from "../../base/index.ts";
import {
  duration,
  estimate,
  hasSlurm,
  queuedPoints,
  readSweep,
  runFolder,
  statusText,
  submitLocally,
  submitToSlurm,
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
  usage: "DIR [--engine local|slurm] [flags] [-- words for sbatch]",
  summary: "compute what is missing",
  about: [
    "Computes the points that are not final, on this machine or as an array of Slurm's. Killed, or at the",
    "time limit, they go on when started again, to the same bits.",
  ],
  settings: {
    engine: {
      kind: either(choice("local", "slurm"), "auto", null),
      default: null,
      help: "who computes (slurm where there is sbatch, else local)",
    },
    jobs: {
      kind: either(integer({ min: 1 }), "auto", null),
      default: null,
      help: "local: tasks at once, also -j N; auto: as many as cores",
    },
    perTask: {
      kind: integer({ min: 1 }),
      default: 1,
      help: "slurm: points of an array task, one after another",
    },
    atOnce: {
      kind: either(integer({ min: 1 }), "auto", null),
      default: null,
      help: "slurm: array tasks at once; auto: as many as it gives",
    },
    setup: {
      kind: either(text("LINES"), "none", null),
      default: null,
      help: "slurm: shell that runs first, such as 'module load node'",
    },
    quiet,
  },
  example: "sweep submit sweeps/my-sweep --engine slurm --at-once 50 -- --partition=main --time=60",
  words(positionals): { readonly dir: string; readonly sbatch: readonly string[] } {
    const [first, ...sbatch] = positionals;
    if (first === undefined || first.startsWith("-") || (sbatch.length > 0 && !sbatch[0].startsWith("-")))
      throw valueError(
        "sweep submit",
        "one folder of a sweep, and words for sbatch after --",
        positionals.join(" ") || "none",
        "for example central-flows sweep submit sweeps/my-sweep -- --partition=main",
      );
    return { dir: sweepFolder(first), sbatch };
  },
  async run({ dir, engine, jobs, perTask, atOnce, setup, quiet, sbatch }) {
    const say = (line: string): void => {
      if (!quiet) process.stderr.write(`${line}\n`);
    };
    const sweep = readSweep(dir, "sweep submit");
    const chosen = engine ?? (hasSlurm() ? "slurm" : "local");
    if (chosen === "local" && sbatch.length > 0)
      throw valueError(
        "sweep submit",
        "words after -- with --engine slurm",
        sbatch.join(" "),
        "leave them out",
      );
    uncancel(dir);
    const queued = chosen === "slurm" ? new Set(queuedPoints(dir).keys()) : new Set<number>();
    const { points } = await sweepStatus(dir, queued);
    const left = points
      .filter(({ outcome, point }) => !outcome && !queued.has(point.index))
      .map(({ point }) => point.index);
    if (!quiet && left.length > 0) await sayEstimate(dir, left, say);
    if (chosen === "local")
      return computeHere(dir, jobs ?? availableParallelism(), say, (index) =>
        runFolder(sweep, sweep.points[index]),
      );
    if (left.length === 0) process.stdout.write("every point is final or in Slurm's queue\n");
    const options = { program: program(), perTask, atOnce, setup: setup ?? "", sbatch };
    for (const { job, tasks } of left.length > 0 ? submitToSlurm(sweep, left, options) : [])
      process.stdout.write(`job ${job}: ${tasks.flat().length} points in ${tasks.length} array tasks\n`);
    process.stdout.write(`see: central-flows sweep status ${dir}\n`);
    return 0;
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
