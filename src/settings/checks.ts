import { valueError } from "../base/index.ts";
import { type ProcessKind, processEntry } from "../flows/index.ts";
import { accepted, type Kind } from "./kinds.ts";
import { optimizers } from "./parts.ts";
import { optionsOf, valueAt } from "./table.ts";
import type { EigConfig, ReferenceProcess, RunConfig, Selection } from "./types.ts";

/** The names of the parts of a run. */
export const selectionOf = ({ opt, data, arch }: RunConfig): Selection => ({
  opt: opt.name,
  data: data.name,
  arch: arch.name,
  ...(opt.name === "own" && { ownOptions: opt.options }),
});

/** The eigenvalue settings of one process: the common ones with its own in their place. */
export function eigOf(config: Pick<RunConfig, "eig" | ReferenceProcess>, process: ProcessKind): EigConfig {
  const own = Object.entries(config[processEntry(process).eigenSettings].eig).filter(
    ([, value]) => value !== null,
  );
  return { ...config.eig, ...Object.fromEntries(own) };
}

/** The processes of a run that cannot do without eigenvalues: stable needs none where it never stops. */
const needingEigenvalues = ({ runs, stable }: Pick<RunConfig, "runs" | "stable">): ProcessKind[] =>
  runs.filter((process) => {
    const { needsEigenvalues } = processEntry(process);
    return needsEigenvalues === "always" || (needsEigenvalues === "to-stop" && stable.maxSeff !== null);
  });

/** Those of them whose frequency nothing but the common one sets. */
export const relyingOnCommonFrequency = (config: RunConfig): ProcessKind[] =>
  needingEigenvalues(config).filter(
    (process) => config[processEntry(process).eigenSettings].eig.frequency === null,
  );

const DEFAULT_FINAL_FRACTION = optimizers.gd.fields.finalFraction.default;

function checkSchedule({ opt, steps, warmStart }: RunConfig): void {
  const { schedule, warmupSteps, totalSteps, stepEvery, stepFactor, finalFraction, lr, weightDecay } = opt;
  const idle = (name: string, value: number, readBy: string) =>
    valueError(`--opt.${name}`, `--opt.schedule ${readBy}`, `${value} with --opt.schedule ${schedule}`);
  if (warmupSteps > 0 && schedule !== "warmup" && schedule !== "cosine")
    throw idle("warmup-steps", warmupSteps, "warmup or cosine");
  if (totalSteps !== -1 && schedule !== "cosine") throw idle("total-steps", totalSteps, "cosine");
  if (finalFraction !== DEFAULT_FINAL_FRACTION && schedule !== "cosine")
    throw idle("final-fraction", finalFraction, "cosine");
  if (stepEvery !== -1 && schedule !== "step") throw idle("step-every", stepEvery, "step");
  const missing = (name: string, example: string) =>
    valueError(`--opt.schedule ${schedule}`, `--opt.${name}`, "none", `for example --opt.${name} ${example}`);
  if (schedule === "warmup" && warmupSteps === 0) throw missing("warmup-steps", "10");
  if (schedule === "step" && stepEvery === -1) throw missing("step-every", "100");
  const end = totalSteps === -1 ? Math.max(warmStart, 0) + steps : totalSteps;
  if (schedule === "cosine" && warmupSteps >= end)
    throw valueError("--opt.warmup-steps", `fewer steps than the ${end} of the cosine`, String(warmupSteps));
  const drops = schedule === "step" ? Math.floor((Math.max(warmStart, 0) + steps) / stepEvery) : 0;
  const last = lr * stepFactor ** drops;
  if (!(last > 0 && last < Number.POSITIVE_INFINITY))
    throw valueError(
      "--opt.step-factor",
      "a learning rate above 0 and finite to the end",
      `${lr} times ${stepFactor}^${drops}`,
      "drop less often (--opt.step-every) or by less",
    );
  const most = Math.max(lr, last);
  if (most * weightDecay >= 1)
    throw valueError(
      "--opt.weight-decay",
      "less than 1/η, for a step would take all of the weights away",
      `${weightDecay} with η = ${most}`,
    );
}

type Inputs = "images" | "points" | "tokens" | "any arrays";

const GIVES: { readonly [D in Selection["data"]]: Inputs } = {
  digits: "images",
  cifar10: "images",
  mnist: "images",
  "fashion-mnist": "images",
  sst2: "tokens",
  sorting: "tokens",
  copying: "tokens",
  moons: "points",
  circles: "points",
  classification: "points",
  npz: "any arrays",
};

const READS: { readonly [A in Selection["arch"]]: readonly Inputs[] } = {
  mlp: ["images", "points"],
  cnn: ["images"],
  resnet: ["images"],
  vit: ["images"],
  lstm: ["tokens"],
  transformer: ["tokens"],
  mamba: ["tokens"],
};

function checkParts({ data, arch }: RunConfig): void {
  const given = GIVES[data.name];
  if (given !== "any arrays" && !READS[arch.name].includes(given)) {
    const networks = Object.entries(READS).flatMap(([name, reads]) =>
      reads.includes(given) ? [`arch:${name}`] : [],
    );
    const sets = Object.entries(GIVES).flatMap(([name, gives]) =>
      READS[arch.name].includes(gives) ? [`data:${name}`] : [],
    );
    throw valueError(
      `arch:${arch.name}`,
      `data of ${READS[arch.name].join(" or ")}`,
      `data:${data.name}, which gives ${given}`,
      `with this network ${sets.join(", ")} would do, with these data ${networks.join(", ")}`,
    );
  }
  if (arch.name === "vit" && arch.dim % 4 !== 0)
    throw valueError(
      "--arch.dim",
      "a multiple of 4 (sines and cosines of two coordinates)",
      String(arch.dim),
    );
  if (arch.name === "transformer" && arch.dModel % arch.nhead !== 0)
    throw valueError(
      "--arch.d-model",
      `a multiple of --arch.nhead, which is ${arch.nhead}`,
      String(arch.dModel),
    );
  if ("n" in data && "classes" in data) checkClasses(data.name, data.n, data.classes);
  if (data.name === "sst2" && data.n % 2 !== 0)
    throw valueError("--data.n", "an even number, half for each sentiment", String(data.n));
}

function checkClasses(name: string, n: number, classes: number | "binary" | null): void {
  const count = classes === "binary" ? 2 : classes;
  if (count === null) return;
  if (name !== "classification" && count > 10)
    throw valueError("--data.classes", `at most the 10 classes of data:${name}`, String(count));
  if (n < count) throw valueError("--data.n", `at least one example of each of ${count} classes`, String(n));
}

function checkRivals({ opt, runs }: RunConfig): void {
  // Whether a custom rule has a second moment, the rule itself tells, when it is run.
  const rulesOf = (process: ProcessKind) => processEntry(process).rules;
  const rival = runs.find(
    (process) =>
      rulesOf(process) === "second moment" || (rulesOf(process) === "squares" && opt.name !== "own"),
  );
  if (rival !== undefined && !("beta2" in opt))
    throw valueError(
      "--runs",
      `an optimizer with a second moment for ${rival}`,
      `opt:${opt.name}`,
      `leave ${rival} out, or take opt:rmsprop`,
    );
  const atRest = runs.find((process) => rulesOf(process) === "second moment");
  if (atRest !== undefined && "beta1" in opt)
    throw valueError(
      "--runs",
      `an optimizer without momentum for ${atRest}`,
      `opt:${opt.name}`,
      `leave ${atRest} out, or take opt:rmsprop`,
    );
}

function checkEigenvalues(config: RunConfig): void {
  for (const process of needingEigenvalues(config)) {
    if (eigOf(config, process).frequency === -1)
      throw valueError(
        "--eig.frequency",
        `at least 1, since the ${process} flow needs eigenvalues`,
        "-1 (never)",
        `give --eig.frequency 1, or leave ${process} out of --runs`,
      );
  }
}

function checkStart({ init, load }: RunConfig): void {
  if (load.fromProcess !== null && load.path === null)
    throw valueError("--load.from-process", "a checkpoint in --load.path", "none");
  if (load.path !== null && init !== null)
    throw valueError("--init", "either initial weights or a checkpoint", "--init and --load.path");
}

/** What is allowed but may not be what was meant. */
function doubts(config: RunConfig): string[] {
  const notices: string[] = [];
  const { central, checkpoint, load, runs, steps, warmStart } = config;
  const tracked = eigOf(config, "central").trackThreshold;
  if (runs.includes("central") && tracked > central.sdcpThreshold)
    notices.push(
      `eigenvalues between --central.sdcp-threshold ${central.sdcpThreshold} and --eig.track-threshold ${tracked} may be missed: a smaller track threshold is safe`,
    );
  if (load.path !== null && warmStart > 0)
    notices.push("--warm-start is skipped: the run starts from --load.path");
  const late = checkpoint.steps.filter((step) => step >= steps);
  if (late.length > 0)
    notices.push(`no checkpoint at ${late.join(", ")}: a run of ${steps} steps has steps 0 to ${steps - 1}`);
  return notices;
}

/**
 * Checks every value of a configuration and how the values go together.
 *
 * @param config read only
 * @returns sentences on what is allowed but may not be meant
 * @throws InputKindError or InputValueError naming the flag to change
 */
export function checkRun(config: RunConfig): string[] {
  for (const { flag, path, field } of optionsOf(selectionOf(config))) {
    const kind: Kind<unknown> = field.kind;
    accepted(kind, `--${flag}`, kind.check(valueAt(config, path)));
  }
  checkSchedule(config);
  checkParts(config);
  checkRivals(config);
  checkEigenvalues(config);
  checkStart(config);
  return doubts(config);
}
