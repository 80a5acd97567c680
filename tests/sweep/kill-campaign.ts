/**
 * Computes a sweep on this machine while its tasks and its submitters are killed at random moments. What must come out
 * are the runs of the same sweep that was left in peace.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Random } from "../../src/base/index.ts";
import { lockHolder, readOutcome } from "../../src/record/index.ts";
import { planSweep, runFolder, type Sweep } from "../../src/sweep/index.ts";
import { taskLine } from "./small-sweeps.ts";

/** What a campaign is. */
export interface Campaign {
  readonly folder: string;
  /** The arguments of node that start the command line, before its words. */
  readonly command: readonly string[];
  readonly kills: number;
  readonly seed: number;
}

/** What came of it. */
export interface CampaignResult {
  kills: number;
  /** Kills of a task that held a run. */
  tasks: number;
  submissions: number;
  /** Final points that were final no longer, or had changed. */
  lost: number;
  /** Points that are not final in the end, or whose rows differ. */
  readonly differing: string[];
}

/** Twelve runs of a second or two. */
const WORDS =
  "opt:gd data:moons arch:mlp --data.n=40 --data.n-test 6 --arch.width 4 --runs discrete central --steps 150 --checkpoint.frequency 20 --sweep opt.lr=0.2,0.5,1,2 --sweep seed=0..2";

const plan = (directory: string): Sweep => planSweep(directory, WORDS.split(" "), taskLine).sweep;

const digestOf = (sweep: Sweep, index: number): string | undefined =>
  readOutcome(runFolder(sweep, sweep.points[index]))?.digest;

/** Starts a submitter. */
export function startSubmitter(
  command: readonly string[],
  directory: string,
): { readonly child: ChildProcess; readonly ended: Promise<unknown> } {
  const words = ["sweep", "submit", directory, "--engine", "local", "--jobs", "2", "--quiet"];
  const child = spawn(process.execPath, [...command, ...words], { stdio: "ignore" });
  return { child, ended: once(child, "close") };
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Runs a campaign. */
export async function campaign({ folder, command, kills, seed }: Campaign): Promise<CampaignResult> {
  const random = new Random(seed, "sweep kills");
  const peaceful = plan(join(folder, "peaceful"));
  await startSubmitter(command, peaceful.directory).ended;
  const sweep = plan(join(folder, "disturbed"));
  const result: CampaignResult = { kills: 0, tasks: 0, submissions: 0, lost: 0, differing: [] };
  const seen = new Map<number, string>();
  const look = (): number => {
    for (const { index } of sweep.points) {
      const now = digestOf(sweep, index);
      if (seen.has(index) && seen.get(index) !== now) result.lost++;
      if (now !== undefined) seen.set(index, now);
    }
    return sweep.points.length - seen.size;
  };
  const holders = (): number[] =>
    sweep.points.flatMap((point) => lockHolder(runFolder(sweep, point))?.pid ?? []);
  while (look() > 0 && result.submissions < 20 + 2 * kills) {
    result.submissions++;
    const { child, ended } = startSubmitter(command, sweep.directory);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over && result.kills < kills) {
      // Most kills meet a task at work, some a submitter that has just begun.
      const early = random.uniform() < 0.1;
      for (let waited = 0; waited < 200 && !over && !early && holders().length === 0; waited++)
        await setTimeout(50);
      await Promise.race([ended, setTimeout(800 * random.uniform())]);
      if (over) break;
      const running = holders();
      const signal = random.uniform() < 0.6 ? "SIGKILL" : "SIGTERM";
      const whole = random.uniform() < 0.3 || running.length === 0;
      kill(whole ? (child.pid as number) : running[Math.floor(random.uniform() * running.length)], signal);
      result.kills++;
      if (!whole) result.tasks++;
      else if (signal === "SIGKILL") break;
    }
    await ended;
  }
  for (const { index, id } of sweep.points)
    if (digestOf(sweep, index) === undefined || digestOf(sweep, index) !== digestOf(peaceful, index))
      result.differing.push(id);
  return result;
}
