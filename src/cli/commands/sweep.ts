import { accepted, either, flag, integer, valueError } from "../../base/index.ts";
import { tableText } from "../../report/index.ts";
import { didYouMean, nearest, readWords } from "../../settings/index.ts";
import {
  addPoints,
  cancelInSlurm,
  cancelSweep,
  gatherSweep,
  planSweep,
  pointAt,
  readSweep,
  retryPoints,
  runTask,
  statusJson,
  statusText,
  sweepStatus,
} from "../../sweep/index.ts";
import { watchInterrupts } from "../terminal/signals.ts";
import { version } from "../terminal/version.ts";
import { type Command, command, readCommand } from "./command.ts";
import { environmentLine, writeReport } from "./report.ts";
import { json } from "./shared-settings.ts";
import { oneSweep, provenance, queuedIn, sweepFolder, taskLine } from "./sweep-folder.ts";
import { submit } from "./sweep-submit.ts";

/** An index as it is typed. */
const indexOf = (name: string, word: string): number =>
  accepted(integer({ min: 0 }), name, readWords(integer({ min: 0 }), [word]));

const task = command({
  name: "sweep task",
  usage: "DIR INDEX [--threads N]",
  summary: "bring one point to its end; what every scheduler calls",
  about: [
    "Starts, continues or tells of one point. Exit status 0: done; 1: it ended early, which is a result;",
    "2: it cannot be computed as asked; these are final, and outcome.json is there. 75: somebody else",
    "computes it; 70: it failed on its way; anything else: interrupted.",
  ],
  settings: {
    threads: { kind: either(integer({ min: 1 }), "auto", null), default: null, help: "threads; same bits" },
  },
  example: "sweep task sweeps/my-sweep 7",
  words(positionals): { readonly dir: string; readonly index: number } {
    if (positionals.length !== 2)
      throw valueError(
        "sweep task",
        "the folder of a sweep and an index",
        positionals.join(" ") || "none",
        "for example central-flows sweep task sweeps/my-sweep 7",
      );
    return { dir: sweepFolder(positionals[0]), index: indexOf("sweep task", positionals[1]) };
  },
  async run({ dir, index, threads }) {
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    pointAt(readSweep(dir, "sweep task"), index, "sweep task");
    const interrupts = watchInterrupts(say);
    try {
      return await runTask(dir, index, {
        provenance: provenance(`central-flows sweep task ${dir} ${index}`),
        threads,
        say,
        events: {
          notice: say,
          shouldStop: interrupts.asked,
          concluding: async (outcome, built) => void (await writeReport(outcome, built)),
        },
      });
    } finally {
      interrupts.stop();
    }
  },
});

const status = command({
  name: "sweep status",
  usage: "DIR [--json]",
  summary: "how far it is, what failed and why",
  about: ["Counts points by state, with a sentence for each that failed. Reads files only."],
  settings: { json: json("print every point as JSON") },
  example: "sweep status sweeps/my-sweep --json",
  words: (positionals) => oneSweep("sweep status", positionals),
  async run({ dir, json }) {
    const found = await sweepStatus(
      dir,
      queuedIn(dir, (line) => process.stderr.write(`${line}\n`)),
    );
    process.stdout.write(json ? `${JSON.stringify(statusJson(found), null, 2)}\n` : `${statusText(found)}\n`);
    return 0;
  },
});

const gather = command({
  name: "sweep gather",
  usage: "DIR",
  summary: "one table, one HDF5 file, one page of the runs that have ended",
  about: ["Writes table.csv, sweep.hdf5 and index.html into the sweep's folder and prints the table."],
  settings: {},
  example: "sweep gather sweeps/my-sweep",
  words: (positionals) => oneSweep("sweep gather", positionals),
  async run({ dir }) {
    const { table, runs, total, files } = await gatherSweep(dir, {
      environment: environmentLine(),
      version: version(),
    });
    process.stdout.write(`${tableText(table)}\n${runs} of ${total} runs\n`);
    for (const [name, path] of Object.entries(files)) process.stdout.write(`${name.padEnd(6)} ${path}\n`);
    return 0;
  },
});

const retry = command({
  name: "sweep retry",
  usage: "DIR [INDEX…] [--failed]",
  summary: "make refused points, or those named, anew",
  about: [
    "Removes what points have left, so that submit computes them again: those refused, or those named.",
  ],
  settings: {
    failed: {
      kind: flag,
      default: false,
      help: "also those that ended early, which come out the same again",
    },
  },
  example: "sweep retry sweeps/my-sweep 3 7",
  words(positionals): { readonly dir: string; readonly indices: readonly number[] } {
    const [first, ...rest] = positionals;
    return {
      ...oneSweep("sweep retry", first === undefined ? [] : [first]),
      indices: rest.map((word) => indexOf("sweep retry", word)),
    };
  },
  run({ dir, indices, failed }) {
    const points = retryPoints(dir, { indices, failed });
    for (const { id } of points) process.stdout.write(`${id}\n`);
    process.stdout.write(
      points.length > 0
        ? `${points.length} anew; next: central-flows sweep submit ${dir}\n`
        : "nothing to retry: no point was refused\n",
    );
    return 0;
  },
});

const cancel = command({
  name: "sweep cancel",
  usage: "DIR",
  summary: "call it off; submit goes on from there",
  about: ["Stops tasks after their step and starts no more. What is computed stays; submit goes on from it."],
  settings: {},
  example: "sweep cancel sweeps/my-sweep",
  words: (positionals) => oneSweep("sweep cancel", positionals),
  run({ dir }) {
    const { stopped, elsewhere } = cancelSweep(dir);
    const arrays = cancelInSlurm(dir);
    if (arrays > 0)
      process.stdout.write(`${arrays} ${arrays === 1 ? "array" : "arrays"} taken out of Slurm's queue\n`);
    process.stdout.write(`cancelled; ${stopped} tasks on this machine were asked to stop\n`);
    for (const { id } of elsewhere) process.stdout.write(`${id} is computed on another machine\n`);
    return 0;
  },
});

/** The folder of a new sweep: of a path the path, of a name that in `sweeps`. */
function newSweep(name: string, first: string | undefined): string {
  if (first !== undefined && !first.startsWith("-") && !/^(opt|data|arch):|=/i.test(first)) return first;
  throw valueError(
    name,
    "a name for the sweep",
    first ?? "none",
    "for example central-flows sweep my-sweep opt:gd --sweep opt.lr=0.1,0.2 --sweep seed=0..4",
  );
}

const add = command({
  name: "sweep add",
  usage: "DIR [flags] --sweep FLAG=VALUES …",
  summary: "append points; indices of points never change",
  about: ["Appends the points of further axes, with the words that all points share; known points stay."],
  settings: {},
  example: "sweep add sweeps/my-sweep --sweep opt.lr=0.8 --sweep seed=0..4",
  words: () => ({ dir: "", argv: [] as readonly string[] }),
  read: ([first, ...argv]) => ({ dir: sweepFolder(newSweep("sweep add", first)), argv }),
  run({ dir, argv }) {
    const { sweep, added } = addPoints(dir, argv, taskLine);
    process.stdout.write(`${added} points added, ${sweep.points.length} in all\n`);
    if (added > 0) process.stdout.write(`next: central-flows sweep submit ${dir}\n`);
    return 0;
  },
});

const plan = command({
  name: "sweep plan",
  usage: "NAME [run's words] --sweep FLAG=VALUES …",
  summary: "the same as sweep NAME",
  about: ["The same as sweep NAME, for a sweep that is to have the name of one of these commands."],
  settings: {},
  example: "sweep plan my-sweep --sweep seed=0..4",
  words: () => ({ dir: "", argv: [] as readonly string[] }),
  read: ([first, ...argv]) => ({ dir: sweepFolder(newSweep("sweep", first)), argv }),
  run({ dir, argv }) {
    const { sweep, known } = planSweep(dir, argv, taskLine);
    const { points, axes } = sweep;
    const steps = points.reduce((sum, point) => sum + point.steps, 0);
    process.stdout.write(
      `${known ? "already planned: " : ""}${points.length} runs over ${axes.join(", ")}, ${steps} steps in all: ${dir}\n` +
        `next: central-flows sweep submit ${dir}\n`,
    );
    return 0;
  },
});

const PARTS = [
  submit,
  status,
  gather,
  retry,
  cancel,
  add,
  task,
  plan,
] as readonly unknown[] as readonly Command[];

/** What `sweep` was asked: one of its commands, with what that one was asked. */
export interface SweepAsked {
  readonly part: string;
  readonly asked: unknown;
}

function readSweepCommand([first, ...rest]: readonly string[]): SweepAsked {
  const found = PARTS.find(({ name }) => name === `sweep ${first}`);
  if (found)
    return {
      part: found.name,
      asked: readCommand(found, found === (submit as unknown) ? withJobs(rest) : rest),
    };
  const names = PARTS.map(({ name }) => name.slice("sweep ".length));
  const near =
    first !== undefined && !rest.some((word) => /^--(sweep|together)/.test(word))
      ? nearest(first, names)
      : [];
  if (near.length > 0)
    throw valueError("sweep", `a new name and axes, or one of ${names.join(", ")}`, first, didYouMean(near));
  return {
    part: plan.name,
    asked: readCommand(plan as unknown as Command, first === undefined ? [] : [first, ...rest]),
  };
}

/** `-j` is what many programs call it. */
const withJobs = (argv: readonly string[]): readonly string[] => {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  return argv.map((word, i) =>
    i < end ? word.replace(/^-j(?=\d|$|=)=?(\d*)$/, (_, n) => (n ? `--jobs=${n}` : "--jobs")) : word,
  );
};

/** Many runs over some axes. */
export const sweep = command({
  name: "sweep",
  usage: "NAME [run's words] --sweep FLAG=VALUES … [--together FLAG=VALUES FLAG=VALUES …]",
  summary: "many runs over some settings: plan, compute, gather",
  about: [
    "Plans a run for every value of every axis: each is checked at once, and computed later, here",
    "or by a scheduler. VALUES are words with commas between, 0..4 (whole numbers), a..b:n or",
    "log:a..b:n (n numbers); opt, data and arch are axes as well. Axes after --together go side by side.",
    "A NAME without a slash lies in sweeps/.",
  ],
  settings: {},
  parts: PARTS,
  example: "sweep my-sweep opt:gd --steps 400 --sweep opt.lr=0.1,0.2 --sweep seed=0..4",
  words: (): SweepAsked => ({ part: plan.name, asked: {} }),
  read: readSweepCommand,
  run({ part, asked }) {
    const found = PARTS.find(({ name }) => name === part) as Command;
    return found.run(asked as never);
  },
});
