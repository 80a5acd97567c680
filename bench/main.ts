/**
 * `npm run bench [-- PART…] [--problem NAME…]`: measures the parts named, or all of them, and prints Markdown tables.
 * All ratios are taken within one run. Leave the machine alone while it measures.
 */
import { parseArgs } from "node:util";
import { isMisuse, valueError } from "../src/base/index.ts";
import { architectures } from "./architectures.ts";
import { central } from "./central.ts";
import { derivatives } from "./derivatives.ts";
import { elementwise } from "./elementwise.ts";
import { gemm } from "./gemm.ts";
import { growth } from "./growth.ts";
import { peers } from "./peers.ts";
import { PROBLEM_NAMES, type Problem, problem } from "./problems.ts";
import { progress } from "./table.ts";
import { machine } from "./timing.ts";

/** What a part may look at. */
export interface Request {
  readonly problems: readonly (() => Problem)[];
  /** Whether the part was asked for by name, and may install what it needs. */
  readonly named: boolean;
}

const PARTS: Readonly<Record<string, (request: Request) => void | Promise<void>>> = {
  gemm,
  elementwise,
  problems: derivatives,
  architectures,
  peers,
  central,
  growth,
};

const oneOf = (what: string, known: readonly string[], given: readonly string[]): void => {
  const strange = given.find((name) => !known.includes(name));
  if (strange !== undefined) throw valueError("bench", `${what}: ${known.join(", ")}`, strange);
};

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { problem: { type: "string", multiple: true, default: [] } },
  });
  oneOf("parts", Object.keys(PARTS), positionals);
  oneOf("problems", PROBLEM_NAMES, values.problem);
  const chosen = values.problem.length > 0 ? values.problem : PROBLEM_NAMES;
  const problems = chosen.map((name) => () => problem(name));
  console.log(`${machine()}. Times in milliseconds: median ± half the distance between the quartiles.`);
  for (const [name, part] of Object.entries(PARTS)) {
    const named = positionals.includes(name);
    if (positionals.length > 0 && !named) continue;
    progress(`${name} …`);
    await part({ problems, named });
  }
}

main().catch((error: unknown) => {
  const misuse = isMisuse(error) || (error instanceof TypeError && "code" in error);
  console.error(misuse && error instanceof Error ? error.message : error);
  process.exitCode = misuse ? 2 : 1;
});
