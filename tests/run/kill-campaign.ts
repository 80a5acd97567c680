/**
 * Kills a run again and again and resumes it: at random moments, by SIGKILL and SIGTERM, with a second writer at the same
 * folder, with stale and foreign files thrown in, every other run with an archive that grows every few rows. What must come out is the run that was left in peace.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Random } from "../../src/base/index.ts";
import { folderState, NAMES, openRows, readOutcome } from "../../src/record/index.ts";
import { rowDifference, type StepRow } from "../../src/simulation/index.ts";
import { MOONS, runWords } from "./small-runs.ts";

/** What a campaign is. */
export interface Campaign {
  /** Where runs are made. */
  readonly folder: string;
  readonly kills: number;
  /** The arguments of node that start the command line, before its words. */
  readonly command: readonly string[];
  readonly seed: number;
  readonly steps?: number;
  readonly progress?: (line: string) => void;
}

/** What came of it. */
export interface CampaignResult {
  kills: number;
  /** Kills that met a run with some rows and not all. */
  inside: number;
  /** Second writers, and those of them that were refused. */
  writers: number;
  refused: number;
  /** Files thrown in. */
  thrown: number;
  runs: number;
  rowsLost: number;
  rowsDiffering: number;
  /** Folders in which `resume` failed, with what it said. */
  readonly stuck: string[];
}

const words = (steps: number): string[] => [
  ...MOONS,
  "--steps",
  String(steps),
  "--checkpoint.frequency",
  "7",
];

interface Started {
  readonly child: ChildProcess;
  readonly told: () => string;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Bytes of some rows. */
const ARCHIVE_AFTER = "150000";

function start({ command }: Campaign, argv: readonly string[], archived: boolean): Started {
  const env = { ...process.env, ...(archived && { CENTRAL_FLOWS_ARCHIVE_AFTER: ARCHIVE_AFTER }) };
  const child = spawn(process.execPath, [...command, ...argv], { stdio: ["ignore", "ignore", "pipe"], env });
  let told = "";
  child.stderr?.on("data", (chunk) => {
    told += chunk;
  });
  const exit = once(child, "close").then(([code, signal]) => ({ code, signal }));
  return { child, told: () => told, exit };
}

/** Waits until a file has been seen to change so often, as with every row, or for ten seconds; then a while. */
async function afterChanges(path: string, times: number, milliseconds: number): Promise<void> {
  const size = (): number => (existsSync(path) ? statSync(path).size : 0);
  let last = size();
  for (let waited = 0, changes = 0; changes < times && waited < 10_000; waited += 5) {
    await setTimeout(5);
    const now = size();
    if (now !== last) changes++;
    last = now;
  }
  await setTimeout(milliseconds);
}

/** Throws something into the folder of a stopped run that must not disturb it. */
function throwIn(folder: string, other: string, random: Random): void {
  const checkpoints = join(folder, NAMES.checkpoints);
  mkdirSync(checkpoints, { recursive: true });
  const foreign = readdirSync(join(other, NAMES.checkpoints)).filter((name) => name.endsWith(".npz"));
  const pick = foreign[Math.floor(random.uniform() * foreign.length)];
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  const acts = [
    () => copyFileSync(join(other, NAMES.checkpoints, pick), join(checkpoints, NAMES.resume)),
    () => copyFileSync(join(other, NAMES.checkpoints, pick), join(checkpoints, pick)),
    () => writeFileSync(join(checkpoints, "checkpoint_3.npz"), "no zip"),
    () => writeFileSync(join(checkpoints, NAMES.resume), new Uint8Array(1000)),
    () => writeFileSync(join(folder, "lock"), JSON.stringify({ host: hostname(), pid: gone, start: "" })),
    () => writeFileSync(join(folder, ".cf-0123456789abcdef01234567.tmp"), "half"),
    () => writeFileSync(join(folder, NAMES.data), "no HDF5"),
    () => writeFileSync(join(folder, "archive-7.hdf5"), "no HDF5"),
    () => {
      const fd = openSync(join(folder, NAMES.journal), "a");
      writeSync(fd, new Uint8Array(37).fill(0xc3));
      closeSync(fd);
    },
  ];
  acts[Math.floor(random.uniform() * acts.length)]();
}

/** Runs a campaign. */
export async function campaign(options: Campaign): Promise<CampaignResult> {
  const { folder, kills, seed, steps = 300, progress } = options;
  const random = new Random(seed, "kills");
  const whole = await runWords(join(folder, "peaceful"), words(steps));
  const other = join(folder, "other");
  await runWords(
    other,
    words(40).map((word) => (word === "0.02" ? "0.021" : word)),
  );
  const result: CampaignResult = {
    kills: 0,
    inside: 0,
    writers: 0,
    refused: 0,
    thrown: 0,
    runs: 0,
    rowsLost: 0,
    rowsDiffering: 0,
    stuck: [],
  };
  for (; result.kills < kills; result.runs++) {
    const run = join(folder, `disturbed-${result.runs}`);
    const archived = result.runs % 2 === 1;
    let seen = 0;
    for (;;) {
      const state = folderState(run);
      if (state === "ended") break;
      const resuming = state === "unfinished";
      if (resuming && random.uniform() < 0.2) {
        result.thrown++;
        throwIn(run, other, random);
      }
      const argv = resuming ? ["resume", run, "--quiet"] : ["run", ...words(steps), "--out", run, "--quiet"];
      const first = start(options, argv, archived);
      const second = random.uniform() < 0.2 ? start(options, argv, archived) : undefined;
      const kill = result.kills < kills;
      if (kill) {
        const wait =
          random.uniform() < 0.3
            ? setTimeout(1500 * random.uniform())
            : afterChanges(join(run, NAMES.journal), 1 + 30 * random.uniform(), 100 * random.uniform());
        await Promise.race([wait, first.exit]);
        const signal = random.uniform() < 0.5 ? "SIGKILL" : "SIGTERM";
        first.child.kill(signal);
        if (second && random.uniform() < 0.5) second.child.kill("SIGKILL");
        result.kills++;
      }
      for (const each of second ? [first, second] : [first]) {
        const { code } = await each.exit;
        const busy = /expected a folder that nobody writes|expected a folder without a run/.test(each.told());
        if (each === second) result.writers++;
        if (busy && second) result.refused++;
        else if (code !== null && ![0, 130].includes(code))
          result.stuck.push(`${run}: ${code} ${each.told()}`);
      }
      const kept = await keptRows(run);
      if (kept.length < seen) result.rowsLost += seen - kept.length;
      seen = kept.length;
      result.rowsDiffering += differing(kept, whole.rows);
      if (kill && seen > 0 && seen < steps) result.inside++;
      if (result.stuck.length > 5) return result;
    }
    const { rows } = { rows: await keptRows(run) };
    if (rows.length !== steps) result.rowsLost += steps - rows.length;
    if (readOutcome(run)?.digest !== whole.digest) result.rowsDiffering++;
    progress?.(`${result.kills} of ${kills} kills, ${result.runs + 1} runs: ${summary(result)}`);
  }
  return result;
}

/** The result in a line. */
export const summary = (result: CampaignResult): string =>
  `${result.rowsLost} rows lost, ${result.rowsDiffering} differing, ${result.stuck.length} folders stuck; ` +
  `${result.inside} kills inside a run, ${result.refused} of ${result.writers} second writers refused, ${result.thrown} files thrown in`;

async function keptRows(run: string): Promise<StepRow[]> {
  const state = folderState(run);
  return state === "unfinished" || state === "ended" ? [...(await openRows(run, "campaign")).rows()] : [];
}

const differing = (rows: readonly StepRow[], meant: readonly StepRow[]): number =>
  rows.filter((row, i) => rowDifference(meant[i], row) !== undefined).length;
