import { choice, either, integer, valueError } from "../../base/index.ts";
import { fixtureFiles, type Verdict, verifyAll } from "../../verify/index.ts";
import { command } from "./command.ts";
import { json } from "./shared-settings.ts";

const number = (value: number): string => (value === 0 ? "0" : value.toExponential(1));

/** One line per verdict, for people. */
function line(verdict: Verdict): string {
  if ("skipped" in verdict) return `skip  ${verdict.case}  ${verdict.skipped}`;
  const judgement = verdict.pass === null ? "    " : verdict.pass ? "pass" : "FAIL";
  const bound = verdict.pass === null ? "not judged" : `tolerance ${number(verdict.tolerance)}`;
  const found = `${verdict.case}  ${verdict.quantity}  error ${number(verdict.error)}  ${bound}`;
  return `${judgement}  ${found}  (${verdict.rule})`;
}

/**
 * A verdict for programs. What is reported without judgement has no tolerance, does not fail and says `judged: false`.
 * JSON has no infinity: an error that is not finite is written as null.
 */
function asJson(verdict: Verdict): object {
  if ("skipped" in verdict || verdict.pass !== null) return verdict;
  return { ...verdict, tolerance: null, pass: true, judged: false };
}

export const verify = command({
  name: "verify",
  usage: "PATH… [--json] [--backend auto|js|wasm|wasm-fma] [--threads N|auto]",
  summary: "check the engine against reference fixtures",
  about: [
    "Checks the engine against fixtures: folders of NAME.json and NAME.npz, or such files. Prints the",
    "error, the tolerance, the verdict and the rule that the tolerance comes from, of every quantity;",
    "exit status 1 if one fails.",
  ],
  settings: {
    json: json("print one array of {case, quantity, error, tolerance, rule, pass} instead"),
    backend: {
      kind: choice("auto", "js", "wasm", "wasm-fma"),
      default: "auto",
      help: "the backend to check",
    },
    threads: {
      kind: either(integer({ min: 1 }), "auto", "auto"),
      default: "auto",
      help: "threads to evaluate with; the same bits whatever their number",
    },
  },
  example: "verify fixtures/derivatives",
  words(paths) {
    if (paths.length > 0) return { paths };
    const advice = "for example central-flows verify fixtures";
    throw valueError("verify", "folders or files of fixtures", "none", advice);
  },
  run({ paths, json, backend, threads }) {
    const files = paths.flatMap(fixtureFiles);
    const all: Verdict[] = [];
    const isTTY = process.stderr.isTTY === true;
    for (const file of files) {
      const verdicts = verifyAll([file], {
        backend,
        threads,
        progress: (name, step, steps) => {
          if (isTTY)
            process.stderr.write(`\r\u001b[2K${name} ${step}/${steps}${step === steps ? "\r\u001b[2K" : ""}`);
        },
      });
      all.push(...verdicts);
      if (!json) for (const verdict of verdicts) process.stdout.write(`${line(verdict)}\n`);
      else if (!isTTY) process.stderr.write(`${file}: ${verdicts.length} checks\n`);
    }
    if (json) {
      process.stdout.write(`${JSON.stringify(all.map(asJson), null, 2)}\n`);
    } else {
      const count = (pass: boolean | null): number =>
        all.filter((v) => !("skipped" in v) && v.pass === pass).length;
      const skipped = all.filter((v) => "skipped" in v).length;
      process.stdout.write(
        `${count(true)} passed, ${count(false)} failed, ${skipped} skipped, ${count(null)} not judged\n`,
      );
    }
    const failed = all.some((verdict) => !("skipped" in verdict) && verdict.pass === false);
    return failed || all.length === 0 ? 1 : 0;
  },
});
