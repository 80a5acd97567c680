import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Random } from "../src/base/index.ts";
import { loadDataset, writeNpz } from "../src/data/index.ts";
import type { RunProfile } from "../src/simulation/index.ts";
import type { Request } from "./request.ts";
import { digits, measured, progress, Table } from "./table.ts";
import { summary } from "./timing.ts";

/** A run of the command line, measured between two numbers of steps. */
interface StepProblem {
  readonly flags: (folder: string) => string;
  readonly from: number;
  readonly to: number;
  /** How often both runs are measured. */
  readonly rounds: number;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const fixture = (name: string): string => join(ROOT, "tests/verify/fixtures/trajectories", `${name}.npz`);

/** Data and initial weights of a reference trajectory, of which the repository's cuts have all. */
const like = (name: string, rest: string): string =>
  `data:npz --data.path ${fixture(name)} --init ${fixture(name)} arch:mlp ${rest}`;
const MSE = "--data.criterion mse --data.classes 4 --arch.width 32";
const SQUARES = "--opt.beta2 0.99 --opt.bias-correction true --warm-start 5";
const SMALL = { from: 50, to: 110, rounds: 3 };

const PROBLEMS: Readonly<Record<string, StepProblem>> = {
  gd_mlp: { ...SMALL, flags: () => like("rmsprop_mlp", `${MSE} opt:gd --opt.lr 0.2`) },
  gd_mlp_ce: {
    ...SMALL,
    flags: () =>
      like("gd_mlp_ce", "--data.criterion ce --data.classes 10 --arch.width 16 opt:gd --opt.lr 0.25"),
  },
  scalar_rmsprop_mlp: {
    ...SMALL,
    flags: () => like("rmsprop_mlp", `${MSE} opt:scalar-rmsprop --opt.lr 0.1 ${SQUARES}`),
  },
  rmsprop_mlp: {
    ...SMALL,
    flags: () =>
      like(
        "rmsprop_mlp",
        `${MSE} opt:rmsprop --opt.lr 0.002 --opt.eps 1e-7 ${SQUARES} --eig.track-threshold 1.75`,
      ),
  },
  cnn: {
    ...{ from: 40, to: 70, rounds: 3 },
    flags: () => "data:digits --data.n 120 --data.classes 4 arch:cnn --arch.width 6 opt:gd --opt.lr 0.3",
  },
  vit: {
    ...{ from: 40, to: 70, rounds: 1 },
    flags: (folder) =>
      `data:npz --data.path ${colouredDigits(folder)} --data.criterion mse --data.classes 10 arch:vit --arch.patch-size 4 --arch.dim 16 --arch.depth 2 --arch.mlp-dim 32 --arch.num-heads 2 opt:gd --opt.lr 0.2`,
  },
  large_mlp: {
    ...{ from: 3, to: 11, rounds: 1 },
    flags: (folder) =>
      `data:npz --data.path ${madeImages(folder)} --data.criterion mse --data.classes 4 arch:mlp --arch.width 256 opt:gd --opt.lr 0.02`,
  },
};

/** The names that `--problem` takes here. */
export const STEP_PROBLEMS: readonly string[] = Object.keys(PROBLEMS);

/** The first digits with their one channel three times. */
function colouredDigits(folder: string): string {
  const { inputs, labels, n } = loadDataset("digits", { n: 64 }).train;
  const pixels = inputs.length / n;
  const coloured = new Float64Array(3 * inputs.length);
  for (let image = 0; image < n; image++)
    for (let channel = 0; channel < 3; channel++)
      coloured.set(inputs.subarray(image * pixels, (image + 1) * pixels), (3 * image + channel) * pixels);
  return written(folder, "digits", coloured, [n, 3, 8, 8], labels);
}

/** Images of 32×32 in three channels: of four classes, each a pattern of 8×8 enlarged four times, with noise. */
function madeImages(folder: string): string {
  const [n, classes, channels, coarse, size] = [1000, 4, 3, 8, 32];
  const random = new Random(1, "made images");
  const patterns = random.fillNormal(new Float64Array(classes * channels * coarse * coarse));
  const inputs = random.fillNormal(new Float64Array(n * channels * size * size)).map((noise, at) => {
    const [x, y] = [at % size, Math.floor(at / size) % size];
    const channel = Math.floor(at / size / size) % channels;
    const label = Math.floor(at / size / size / channels) % classes;
    const cell = Math.floor((y * coarse) / size) * coarse + Math.floor((x * coarse) / size);
    return patterns[(label * channels + channel) * coarse * coarse + cell] + 0.3 * noise;
  });
  const labels = Float64Array.from({ length: n }, (_, image) => image % classes);
  return written(folder, "images", inputs, [n, channels, size, size], labels);
}

function written(
  folder: string,
  name: string,
  inputs: Float64Array,
  shape: readonly number[],
  labels: Float64Array,
): string {
  const file = join(folder, `${name}.npz`);
  const arrays = {
    inputs: { shape, data: inputs },
    labels: { dtype: "<i8", shape: [labels.length], data: labels },
  };
  writeFileSync(file, writeNpz(arrays));
  return file;
}

/** The whole command in a process of its own, as a user starts it; what it printed and how many milliseconds it took. */
function wholeRun(flags: string, steps: number, folder: string): { printed: string; milliseconds: number } {
  const out = join(folder, "run");
  rmSync(out, { recursive: true, force: true });
  const words = `run ${flags} --runs central --eig.frequency 1 --steps ${steps} --quiet --json --out ${out}`;
  const start = performance.now();
  const printed = execFileSync(
    process.execPath,
    [...process.execArgv, join(ROOT, "src/cli/main.ts"), ...words.split(" ")],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  return { printed, milliseconds: performance.now() - start };
}

/** Milliseconds per step: the difference of two runs, each the best of as many as there are rounds. */
function perStep(flags: string, { from, to, rounds }: StepProblem, folder: string): number[] {
  const differences: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const short = wholeRun(flags, from, folder).milliseconds;
    const long = wholeRun(flags, to, folder).milliseconds;
    differences.push((long - short) / (to - from));
  }
  return differences;
}

const profileOf = (flags: string, steps: number, folder: string): RunProfile =>
  (JSON.parse(wholeRun(`${flags} --profile`, steps, folder).printed) as { profile: RunProfile }).profile;

/** Milliseconds in which loops are counted, and how often. */
const COUNTED = 400;
const COUNTS = 3;

/** How many turns of a loop that touches no memory are done until a time: its text runs on another thread, too. */
function turnsUntil(end: number): number {
  let turns = 0;
  let x = 1;
  while (performance.timeOrigin + performance.now() < end) {
    for (let i = 0; i < 20_000; i++) x = x * 0.999_999 + 1e-6;
    turns += x > 0 ? 1 : 0;
  }
  return turns;
}

const OTHER_LOOP = `
const { start, turns } = require("node:worker_threads").workerData;
const __name = (f) => f;
const turnsUntil = ${turnsUntil};
for (;;) {
  Atomics.wait(start, 0, 0);
  turns[0] = turnsUntil(turns[1]);
  Atomics.store(start, 0, 0);
  Atomics.notify(start, 0);
}`;

/** What two independent loops do at a time over what one does: the most that a second thread can gain here and now. */
function gainOfTwoLoops(): number {
  const start = new Int32Array(new SharedArrayBuffer(4));
  const turns = new Float64Array(new SharedArrayBuffer(16));
  const other = new Worker(OTHER_LOOP, { eval: true, workerData: { start, turns }, execArgv: [] });
  other.unref();
  const endOf = (): number => performance.timeOrigin + performance.now() + COUNTED;
  const together = (): number => {
    turns[1] = endOf();
    Atomics.store(start, 0, 1);
    Atomics.notify(start, 0);
    const own = turnsUntil(turns[1]);
    Atomics.wait(start, 0, 1, 10 * COUNTED);
    return own + turns[0];
  };
  together();
  const gains = Array.from({ length: COUNTS }, () => {
    const alone = turnsUntil(endOf());
    return together() / alone;
  });
  return summary(gains).median;
}

/**
 * A central step of the command line as users meet it, logging and files included: the difference of two whole runs, in
 * milliseconds and in yardsticks (the least of fifteen, before and after), with what it evaluates, where the time of the
 * derivatives goes, and what two threads gain over one, beside what two independent loops gain.
 */
export function steps({ stepProblems }: Request): void {
  console.log("\n### Central steps of whole runs\n");
  const folder = mkdtempSync(join(tmpdir(), "central-flows-steps-"));
  const table = new Table(
    ["problem", "steps", "ms", "yardstick, ms", "yardsticks", "gradients", "HVPs", "D³L[v,v,·]", "GFLOP"],
    "steps",
  );
  const stages = new Table(
    ["problem", "value", "gradient", "curvature", "third", "direction", "second order"],
    "milliseconds of all threads by stage",
  );
  const threads = new Table(
    ["problem", "one thread, ms", "two, ms", "gain", "gain of two loops", "gain over gain"],
    "two threads against two loops",
  );
  for (const name of stepProblems) {
    const problem = PROBLEMS[name];
    progress(`steps, ${name} …`);
    const flags = problem.flags(folder);
    const before = bestYardstick();
    const { median, spread, samples } = summary(perStep(flags, problem, folder));
    const unit = Math.min(before, bestYardstick());
    const loops = gainOfTwoLoops();
    const alone = summary(perStep(`${flags} --threads 1`, problem, folder)).median;
    // Where there are two cores, that is what was just measured.
    const both =
      availableParallelism() === 2
        ? median
        : summary(perStep(`${flags} --threads 2`, problem, folder)).median;
    const limit = (loops + gainOfTwoLoops()) / 2;
    threads.row(
      name,
      measured(alone, "less"),
      measured(both, "less"),
      measured(alone / both, "more"),
      digits(limit),
      measured(alone / both / limit, "more"),
    );
    // Told at once: what was measured is not lost when a later run ends badly.
    progress(`steps, ${name}: ${digits(median)} ms, ${digits(median / unit)} yardsticks …`);
    const { from, to } = problem;
    const [short, long] = [from, to].map((count) => profileOf(flags, count, folder));
    const per = (of: (profile: RunProfile["stages"][number]) => number, stage: string): number => {
      const find = (profile: RunProfile): number =>
        profile.stages.reduce((sum, one) => sum + (stage === "" || one.stage === stage ? of(one) : 0), 0);
      return (find(long) - find(short)) / (to - from);
    };
    const runs = (stage: string): number => per((one) => one.runs, stage) / long.chunks;
    table.row(
      name,
      `${from} to ${to}`,
      measured(median, "less", samples < 3 ? undefined : spread),
      digits(unit),
      measured(median / unit, "less"),
      measured(runs("gradient"), "less"),
      measured(runs("direction"), "less"),
      measured(runs("secondOrder"), "less"),
      measured(per((one) => one.flops, "") / 1e9, "less"),
    );
    stages.row(
      name,
      ...["value", "gradient", "curvature", "third", "direction", "secondOrder"].map((stage) =>
        digits(1000 * per((one) => one.seconds, stage)),
      ),
    );
  }
  rmSync(folder, { recursive: true });
  table.print();
  console.log("\nMilliseconds of all threads together, by stage of the derivatives:\n");
  stages.print();
  console.log("\nA step on two threads beside one, and two loops that touch no memory beside one:\n");
  threads.print();
}

/** The yardstick in a process of its own: measured in this one it has been a quarter slower, as V8 compiled it otherwise. */
function bestYardstick(): number {
  const file = join(ROOT, "bench/yardstick-alone.ts");
  return Number(execFileSync(process.execPath, [...process.execArgv, file], { encoding: "utf8" }));
}
