import { join } from "node:path";
import { either, text, valueError } from "../../base/index.ts";
import { CLAIM_NAMES, type ClaimName, checkClaims } from "../../claims/index.ts";
import { claimsText } from "../../report/index.ts";
import type { RunEvents } from "../../run/index.ts";
import { canonical, didYouMean, nearest } from "../../settings/index.ts";
import { watchInterrupts } from "../terminal/signals.ts";
import { gitHash, version } from "../terminal/version.ts";
import { command } from "./command.ts";
import { environmentLine } from "./report.ts";
import { json, quiet, steps } from "./shared-settings.ts";
import { taskLine } from "./sweep-folder.ts";

/** A line of progress at most every so many milliseconds within a run. */
const LINE_INTERVAL = 5_000;

/** One claim, or all of them. */
function namesOf(words: readonly string[]): { readonly names: readonly ClaimName[] } {
  const name = words.length === 1 ? canonical(words[0]) : undefined;
  if (name === "all") return { names: CLAIM_NAMES };
  const found = CLAIM_NAMES.find((known) => known === name);
  if (found !== undefined) return { names: [found] };
  const names = [...CLAIM_NAMES, "all"];
  throw valueError(
    "claim",
    `one of ${names.join(", ")}`,
    words.join(" ") || "none",
    (name && didYouMean(nearest(name, names))) || "central-flows claim all measures them all",
  );
}

/** Measures claims and writes their page; the exit status is 0 whatever the verdict. */
export const claim = command({
  name: "claim",
  usage: "NAME [--out DIR] [--steps N] [--quiet] [--json]",
  summary: `measure a finding of the paper: ${CLAIM_NAMES.join(", ")}, or all`,
  about: [
    "Measures a finding of the paper again, prints numbers and a verdict, and writes a page with the",
    `figures: ${CLAIM_NAMES.join(", ")}, or all. A minute or some the first time; runs that`,
    "have ended are used again. Exit status 0 whatever the verdict.",
  ],
  settings: {
    out: {
      kind: either(text("DIR"), "none", null),
      default: null,
      help: "the folder of runs and page (claims in EXPERIMENT_DIR or experiments)",
    },
    steps: steps("steps of each run, instead of its preset's: for a quick look"),
    quiet,
    json: json("print numbers and verdicts as JSON"),
  },
  example: "claim adaptation --out my-claims",
  words: namesOf,
  async run({ names, out, steps, quiet, json }) {
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
        taskLine,
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
  },
});
