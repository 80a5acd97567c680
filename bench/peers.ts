import { ENGINES, nameOf, operationsOf } from "./operations.ts";
import { type Engine, installPeers, javaScriptEngines, torchEngine } from "./peers/engines.ts";
import { inNewFolder, writeProblem } from "./peers/exchange.ts";
import { type Attempt, OPERATIONS, type Outcome, outcomesOf, type Reference } from "./peers/outcomes.ts";
import { DIRECTIONS, type Problem } from "./problems.ts";
import type { Request } from "./request.ts";
import { digits, progress, Table, time } from "./table.ts";
import { compareTimes, type Times } from "./timing.ts";

const NONE = "–";
const COLUMNS = [
  "",
  "gradient",
  "HVP",
  "HVP, shared",
  "joint",
  "error of g",
  "of Hv",
  "of D³L",
  "HVP over ours",
  "joint over ours",
];

/** Our derivatives beside those of other libraries, each checked against ours. */
export function peers({ problems, named }: Request): void {
  console.log("\n### Against the peers\n");
  const engines = available(named);
  console.log(
    `\nHVP: with the primal; shared: at weights where others were taken. Joint: the gradient, ${DIRECTIONS} HVPs`,
  );
  console.log(
    "and every third derivative among their directions. A peer shows its fastest method that is right,",
  );
  console.log(
    "and its relative errors in the 2-norm against our results (bold: wrong). Over ours: on as many threads.",
  );
  for (const make of problems) {
    const given = make();
    console.log(`\n${given.name}, ${given.weights.length} weights, ${given.n} examples\n`);
    comparison(given, engines);
  }
}

/** The peers that are here; says how to get the others. */
function available(mayInstall: boolean): Engine[] {
  let found = javaScriptEngines();
  if (!found && mayInstall) {
    progress("installing the peers of bench/package.json");
    const failure = installPeers();
    if (failure) console.log(`The JavaScript peers could not be installed: ${failure}.\n`);
    else found = javaScriptEngines();
  }
  if (!found)
    console.log("Without JavaScript peers: `npm run bench -- peers` installs them, or `npm ci` in bench/.\n");
  const torch = torchEngine();
  if (!torch)
    console.log(
      "Without PyTorch: `python3 -m venv bench/.venv && bench/.venv/bin/pip install torch numpy`, or name a Python in BENCH_PYTHON.\n",
    );
  return [...(found ?? []), ...(torch ? [torch] : [])];
}

function comparison(given: Problem, engines: readonly Engine[]): void {
  const table = new Table(COLUMNS, given.name);
  const notes: string[] = [];
  progress(`${given.name}: ours`);
  const own = ENGINES.map((engine) => operationsOf(given, engine, given.vectors));
  const measured = compareTimes(
    own.flatMap(({ gradient, hvp, sharedHvp, joint }) => [gradient, hvp, sharedHvp, joint]),
  );
  const timesOf = (e: number): Times[] => measured.slice(4 * e, 4 * e + 4);
  /** Our times on wasm with as many threads. */
  const ours = (threads: number): Times[] =>
    timesOf(
      Math.max(
        0,
        ENGINES.findIndex((one) => one.backend === "wasm" && one.threads === threads),
      ),
    );
  ENGINES.forEach((engine, e) => {
    const times = timesOf(e);
    const [, hvp, , joint] = ours(engine.threads);
    const ratios = [times[1].median / hvp.median, times[3].median / joint.median].map(digits);
    table.row(`central-flows ${nameOf(engine)}`, ...times.map(time), "", "", "", ...ratios);
  });

  const [{ objective, joint, products, thirds }] = own;
  joint();
  const reference: Reference = { gradient: objective.gradient(), products, thirds };
  for (const each of own) each.objective.dispose();
  inNewFolder((folder) => {
    writeProblem(folder, given);
    for (const engine of engines) {
      progress(`${given.name}: ${engine.name}`);
      for (const outcome of outcomesOf(engine, folder, reference)) {
        const best = OPERATIONS.map((operation) => bestOf(outcome.attempts[operation]));
        const [, ownHvp, , ownJoint] = ours(outcome.threads);
        const over = (attempt: Attempt | undefined, { median }: Times): string =>
          attempt?.right ? digits(attempt.times.median / median) : NONE;
        table.row(
          outcome.name,
          ...best.map((attempt) => (attempt ? time(attempt.times) : NONE)),
          ...errorCells(best),
          over(best[1], ownHvp),
          over(best[3], ownJoint),
        );
        notes.push(...notesOf(outcome));
      }
    }
  });
  table.print();
  if (notes.length > 0) console.log(`\n${notes.map((note) => `- ${note}`).join("\n")}`);
}

/** The fastest attempt among those that are right, or among all where none is. */
function bestOf(attempts: readonly Attempt[]): Attempt | undefined {
  const right = attempts.filter((attempt) => attempt.right);
  const among = right.length > 0 ? right : attempts;
  return [...among].sort((a, b) => a.times.median - b.times.median)[0];
}

/** Errors of g, Hv and D³L: of the operation that is named after each, or of the joint pass. */
function errorCells([gradient, hvp, , joint]: readonly (Attempt | undefined)[]): string[] {
  const cell = (error: number | undefined, right: boolean | undefined): string => {
    if (error === undefined) return NONE;
    return right ? error.toExponential(0) : `**${error.toExponential(0)}**`;
  };
  return [
    cell(gradient?.errors[0], gradient?.right),
    cell(hvp?.errors[0], hvp?.right),
    cell(joint?.errors[2], joint?.right),
  ];
}

/** A line for operations that have several methods, one for those that are wrong, one for what failed. */
function notesOf({ name, attempts, failures }: Outcome): string[] {
  const compared = OPERATIONS.flatMap((operation) =>
    attempts[operation].length < 2
      ? []
      : [
          `${operation}: ${attempts[operation]
            .map(({ method, times, right, errors }) =>
              right
                ? `${method} ${digits(times.median)}`
                : `${method} ${digits(times.median)} and wrong (relative error ${Math.max(...errors).toExponential(0)})`,
            )
            .join(", ")}`,
        ],
  );
  return [...compared, ...new Set(failures)].map((note) => `${name}: ${note}`);
}
