import { join } from "node:path";
import { either, flag, text, valueError } from "../../base/index.ts";
import { studiesText } from "../../report/index.ts";
import { canonical, didYouMean, nearest } from "../../settings/index.ts";
import { carryOut, STUDIES, STUDY_NAMES } from "../../studies/index.ts";
import { terminal, watchInterrupts } from "../terminal/signals.ts";
import { version } from "../terminal/version.ts";
import { command } from "./command.ts";
import { environmentLine } from "./report.ts";
import { json, quiet } from "./shared-settings.ts";

/** A line of progress at most every so many milliseconds. */
const LINE_INTERVAL = 5_000;
/** On a terminal, where a line replaces the last one. */
const TERMINAL_INTERVAL = 200;

/** One study, perhaps of a run, or all of them. */
function asked(words: readonly string[]): { readonly names: readonly string[]; readonly dir?: string } {
  const [first, ...rest] = words;
  const name = first === undefined ? undefined : canonical(first);
  if (name === "all" && rest.length === 0) return { names: STUDY_NAMES };
  const found = STUDIES.find((known) => known.name === name);
  if (found !== undefined && rest.length === 0) return { names: [found.name] };
  if (found?.ofRun !== undefined && rest.length === 1) return { names: [found.name], dir: rest[0] };
  const names = [...STUDY_NAMES, "all"];
  const known = name !== undefined && names.includes(name);
  const wrong = known ? rest.join(" ") : words.join(" ") || "none";
  const expected = known ? `no further words after ${name}` : `one of ${names.join(", ")}`;
  const advice = name !== undefined && !known ? didYouMean(nearest(name, names)) : undefined;
  throw valueError("study", expected, wrong, advice ?? "central-flows study all carries all of them out");
}

/** Carries studies out and writes their pages; the exit status is 0 whatever the verdicts. */
export const study = command({
  name: "study",
  usage: "NAME [DIR] [--out DIR] [--small] [--quiet] [--json]",
  summary: "measure what related papers say: help study names them",
  about: [
    "Measures what a related paper says, against criteria stated beforehand: prints numbers and a",
    "verdict, and writes NAME.html with figures, NAME.json, and NAME.svg with the first figure.",
    ...STUDIES.map(({ name, title }) => `  ${name.padEnd(15)} ${title}`),
    `  ${"all".padEnd(15)} all of them; those that are finished in the folder are kept`,
    "DIR after the name asks the question of a run of yours instead.",
  ],
  settings: {
    out: {
      kind: either(text("DIR"), "none", null),
      default: null,
      help: "the folder of the pages (studies in EXPERIMENT_DIR or experiments; of a run, its own)",
    },
    small: { kind: flag, default: false, help: "in a small form, of seconds, for a first look" },
    quiet,
    json: json("print numbers and verdicts as JSON"),
  },
  example: "study epsilon --out my-studies",
  words: asked,
  async run({ names, dir, out, small, quiet, json }) {
    const directory = out ?? dir ?? join(process.env.EXPERIMENT_DIR || "experiments", "studies");
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    const interrupts = watchInterrupts(say);
    const lines = progressLines(quiet);
    try {
      const outcome = await carryOut(names, {
        directory,
        size: small ? "small" : "full",
        version: version(),
        environment: environmentLine(),
        keep: names.length > 1,
        ...(dir !== undefined && { ofRun: dir }),
        progress: lines.show,
        shouldStop: interrupts.asked,
      });
      lines.end();
      if (outcome === "interrupted") {
        say(
          names.length > 1
            ? "interrupted; the same command goes on with what is not finished"
            : "interrupted; the same command begins again",
        );
        return 130;
      }
      const { studies, page } = outcome;
      if (json) {
        const plain = studies.map(({ name, holds, verdict, numbers, remarks }) => ({
          name,
          holds,
          verdict,
          numbers,
          remarks,
        }));
        process.stdout.write(`${JSON.stringify({ studies: plain, page }, null, 2)}\n`);
      } else process.stdout.write(`${studiesText(studies)}\npage ${page}\n`);
      return 0;
    } finally {
      lines.end();
      interrupts.stop();
    }
  },
});

/** Shows how far studies are: a line now and then, on a terminal one that is replaced. */
function progressLines(silent: boolean): {
  readonly show: (study: string, done: number, doing: string) => void;
  readonly end: () => void;
} {
  const replaced = terminal.isTTY;
  const interval = replaced ? TERMINAL_INTERVAL : LINE_INTERVAL;
  let said = Number.NEGATIVE_INFINITY;
  let last = "";
  return {
    show(study, done, doing) {
      const now = performance.now();
      if (silent || (study === last && now - said < interval)) return;
      [said, last] = [now, study];
      const line = `${study} ${Math.floor(100 * Math.min(1, Math.max(0, done)))}%  ${doing}`;
      terminal.write(
        replaced ? `\r\u001b[2K${line.slice(0, Math.max(20, terminal.columns - 1))}` : `${line}\n`,
      );
    },
    end() {
      if (replaced && last !== "") terminal.write("\r\u001b[2K");
      last = "";
    },
  };
}
