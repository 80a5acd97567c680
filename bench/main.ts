/**
 * `npm run bench [-- PART…] [--problem NAME…] [--json FILE] [--against FILE]`: measures the parts named, or all of them,
 * and prints Markdown tables; `--json` saves what was measured, `--against` prints ratios to what was saved before.
 * Ratios within a table are taken within one run. Leave the machine alone while it measures.
 */
import { parseArgs } from "node:util";
import { isMisuse, valueError } from "../src/base/index.ts";
import { architectures } from "./architectures.ts";
import { central } from "./central.ts";
import { derivatives } from "./derivatives.ts";
import { elementwise } from "./elementwise.ts";
import { gemm } from "./gemm.ts";
import { growth } from "./growth.ts";
import { lab } from "./lab.ts";
import { peers } from "./peers.ts";
import { PROBLEM_NAMES, problem } from "./problems.ts";
import { reference } from "./reference.ts";
import type { Request } from "./request.ts";
import { printAgainst, readSaved, type Saved, save } from "./saved.ts";
import { STEP_PROBLEMS, steps } from "./steps.ts";
import { progress, type TableData, takePrinted } from "./table.ts";
import { machine } from "./timing.ts";

/** A part prints its tables; one that measures in a process of its own returns what that one printed. */
const PARTS: Readonly<Record<string, (request: Request) => void | TableData[] | Promise<void>>> = {
  gemm,
  elementwise,
  derivatives,
  architectures,
  peers,
  reference,
  central,
  steps,
  growth,
  lab,
};

const oneOf = (what: string, known: readonly string[], given: readonly string[]): void => {
  const strange = given.find((name) => !known.includes(name));
  if (strange !== undefined) throw valueError("bench", `${what}: ${known.join(", ")}`, strange);
};

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      problem: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
      against: { type: "string" },
    },
  });
  oneOf("parts", Object.keys(PARTS), positionals);
  oneOf("problems", [...PROBLEM_NAMES, ...STEP_PROBLEMS], values.problem);
  // Read before hours of measuring.
  const then = values.against === undefined ? undefined : readSaved(values.against);
  const chosen = (known: readonly string[]): readonly string[] =>
    values.problem.length > 0 ? known.filter((name) => values.problem.includes(name)) : known;
  const problems = chosen(PROBLEM_NAMES).map((name) => () => problem(name));
  const stepProblems = chosen(STEP_PROBLEMS);
  console.log(`${machine()}. Times in milliseconds: median ± half the distance between the quartiles.`);
  const parts: Record<string, readonly TableData[]> = {} satisfies Saved["parts"];
  for (const [name, part] of Object.entries(PARTS)) {
    const named = positionals.includes(name);
    if (positionals.length > 0 && !named) continue;
    progress(`${name} …`);
    const elsewhere = (await part({ problems, stepProblems, named })) ?? [];
    parts[name] = [...takePrinted(), ...elsewhere];
    // After every part: what was measured is not lost when a later one ends badly.
    if (values.json !== undefined) save(values.json, parts);
  }
  if (then) printAgainst(then, parts);
}

try {
  await main();
} catch (error) {
  const misuse = isMisuse(error) || (error instanceof TypeError && "code" in error);
  console.error(misuse && error instanceof Error ? error.message : error);
  process.exitCode = misuse ? 2 : 1;
}
