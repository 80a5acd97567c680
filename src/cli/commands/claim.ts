import { join } from "node:path";
import { type ClaimName, checkClaims } from "../../claims/index.ts";
import { claimsText } from "../../report/index.ts";
import type { RunEvents } from "../../run/index.ts";
import { watchInterrupts } from "../signals.ts";
import { gitHash, version } from "../version.ts";
import { environmentLine } from "./report.ts";

export interface ClaimCommand {
  readonly names: readonly ClaimName[];
  /** The folder; null: `claims` where experiments are. */
  readonly out: string | null;
  readonly steps: number | null;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** A line of progress at most every so many milliseconds within a run. */
const LINE_INTERVAL = 5_000;

/** Measures claims and writes their page; the exit status is 0 whatever the verdict. */
export async function claimCommand({ names, out, steps, quiet, json }: ClaimCommand): Promise<number> {
  const directory = out ?? join(process.env.EXPERIMENT_DIR || "experiments", "claims");
  const say = (line: string): void => {
    if (!quiet) process.stderr.write(`${line}\n`);
  };
  const interrupts = watchInterrupts(say);
  let said = performance.now();
  const events: RunEvents = {
    shouldStop: interrupts.asked,
    notice: say,
    row: (row, total) => {
      if (performance.now() - said < LINE_INTERVAL) return;
      said = performance.now();
      say(`  step ${row.index + 1} of ${total}`);
    },
  };
  try {
    const outcome = await checkClaims(names, {
      directory,
      steps,
      provenance: { cmd: `central-flows claim ${names.join(" ")}`, gitHash: gitHash(), version: version() },
      environment: environmentLine(),
      progress: say,
      events,
    });
    if (outcome === "interrupted") {
      process.stderr.write("interrupted; the same command goes on from here\n");
      return 130;
    }
    const { claims, page } = outcome;
    if (json) {
      const plain = claims.map(({ name, holds, verdict, experiments }) => ({
        name,
        holds,
        verdict,
        experiments: experiments.map((each) => ({
          name: each.name,
          holds: each.holds,
          numbers: each.numbers,
        })),
      }));
      process.stdout.write(`${JSON.stringify({ claims: plain, page }, null, 2)}\n`);
    } else process.stdout.write(`${claimsText(claims)}\npage ${page}\n`);
    return 0;
  } finally {
    interrupts.stop();
  }
}
