import { join } from "node:path";
import { choice, either, list, text, valueError } from "../base/index.ts";
import { contestText, holdContest, MODELS, PROBLEMS } from "../contest/index.ts";
import { command } from "./commands/command.ts";
import { environmentLine } from "./commands/report.ts";
import { json, quiet, steps } from "./commands/shared-settings.ts";
import { watchInterrupts } from "./terminal/signals.ts";

/** Names of problems; none: all. */
function problemsOf(words: readonly string[]): { readonly problems: readonly string[] } {
  const names = PROBLEMS.map(({ name }) => name);
  const stray = words.find((word) => !names.includes(word));
  if (stray !== undefined)
    throw valueError("contest", `problems among ${names.join(", ")}`, stray, "name none for all of them");
  return { problems: words.length > 0 ? words : names };
}

/** Models against the optimizer; a page, and what it shows as JSON. */
export const contest = command({
  name: "contest",
  usage: "[PROBLEM …] [--models NAME …] [--out DIR] [--steps N] [--quiet] [--json]",
  summary: "continuous models against the optimizer, on the same runs",
  about: [
    "Runs continuous models of an optimizer beside it on toys with known answers and on small networks,",
    "and scores what each predicts: path, loss, sharpness, onset and size of the oscillation, and its",
    "cost. Writes a page and contest.json. Some minutes the first time; what is there is used again, so",
    "that an interrupted contest goes on. docs/beyond.md tells of the models.",
  ],
  settings: {
    models: {
      kind: list(choice(...MODELS)),
      default: MODELS,
      help: "the models that take part",
    },
    out: {
      kind: either(text("DIR"), "none", null),
      default: null,
      help: "the folder of page and results (contest in EXPERIMENT_DIR or experiments)",
    },
    steps: steps("steps of each problem, instead of its own: for a quick look"),
    quiet,
    json: json("print the results as JSON"),
  },
  example: "contest toy-adam mlp-adam --out my-contest",
  words: problemsOf,
  run({ problems, models, out, steps, quiet, json }) {
    const directory = out ?? join(process.env.EXPERIMENT_DIR || "experiments", "contest");
    const say = (line: string): void => {
      if (!quiet) process.stderr.write(`${line}\n`);
    };
    const interrupts = watchInterrupts(say);
    try {
      const outcome = holdContest({
        directory,
        problems,
        models,
        steps,
        environment: environmentLine(),
        progress: say,
        shouldStop: interrupts.asked,
      });
      if (outcome === "interrupted") {
        process.stderr.write("interrupted; the same command goes on from here\n");
        return 130;
      }
      if (json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
      else process.stdout.write(`${contestText(outcome.results, models)}\npage ${outcome.page}\n`);
      return 0;
    } finally {
      interrupts.stop();
    }
  },
});
