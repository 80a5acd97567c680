import { join } from "node:path";
import { writeFileAtomic } from "../record/index.ts";
import { type ClaimExperiment, type ClaimResult, renderClaims } from "../report/index.ts";
import type { RunEvents } from "../run/index.ts";
import { CLAIM_PRESET_NAMES, type Provenance } from "../settings/index.ts";
import type { Sweep } from "../sweep/index.ts";
import { measureAcceleration } from "./acceleration.ts";
import { measureAdaptation } from "./adaptation.ts";
import { bringAbout, type Experiment } from "./experiments.ts";
import { measurePrediction } from "./prediction.ts";

interface Claim {
  readonly title: string;
  readonly statement: string;
  readonly method: string;
  readonly measure: (experiment: Experiment, progress: (line: string) => void) => ClaimExperiment;
}

/** The paper's three findings (Cohen et al., arXiv 2410.24206), each with its measurement. */
const CLAIMS = {
  prediction: {
    title: "Prediction",
    statement:
      "The central flow, a smooth curve, predicts what the oscillating optimizer does on average: its loss, its squared gradient and the strength of its oscillation.",
    method:
      "Means over those steps of the second half of a run at which the flow has an eigenvalue at the edge: what the flow predicts, and what the optimizer, run side by side from the same start, had.",
    measure: measurePrediction,
  },
  adaptation: {
    title: "Adaptation",
    statement:
      "At the edge RMSProp’s ν goes to a value that the landscape alone determines: P̄ solves min tr P + gᵀP⁻¹g/η² over diagonal P subject to H ⪯ 2P.",
    method:
      "At every tenth step of the central flow the semidefinite problem is solved, with a certificate, and its ν̄ = (ηP̄)² compared with the ν of the flow there. Efficacy gᵀP⁻¹g is the rate at which −P⁻¹g lowers the loss; P̂ is the solution without the gradient’s term, the best gradient descent has P = S/2.",
    measure: measureAdaptation,
  },
  acceleration: {
    title: "Acceleration via regularization",
    statement:
      "The flow’s curvature penalty is why RMSProp is fast: without it the weights drift into sharper regions, the steps become smaller, and the loss ends higher.",
    method:
      "The ablated flow, the central flow without the penalty on the weights, is run from the same start; compared in the last step.",
    measure: measureAcceleration,
  },
} satisfies Readonly<Record<string, Claim>>;

/** The name of one claim. */
export type ClaimName = keyof typeof CLAIMS;

/** The claims by name, in the order of the page. */
export const CLAIM_NAMES = Object.keys(CLAIMS) as readonly ClaimName[];

/** Where and how claims are measured. */
export interface ClaimOptions {
  /** The folder of the pages and, in `sweep` below it, of a sweep over the presets. */
  readonly directory: string;
  /** The presets to run; default: those of the claims. */
  readonly presets?: readonly string[];
  /** Steps of each run instead of its preset's. */
  readonly steps?: number | null;
  readonly provenance: Provenance;
  /** The command that computes a point of the sweep over the presets, for other launchers. */
  readonly taskLine: (sweep: Sweep, index: number) => string;
  /** One line on the machine and engine, for the page. */
  readonly environment: string;
  /** Told what is being done. */
  readonly progress?: (line: string) => void;
  readonly events?: RunEvents;
}

/** What was found, and where it can be read. */
export interface ClaimOutcome {
  readonly claims: readonly ClaimResult[];
  /** The page's path. */
  readonly page: string;
}

/**
 * Runs the experiments of some claims (those that have ended are reused), measures, and writes one page.
 *
 * @returns "interrupted" if `events.interrupted` said so; the same call goes on from there
 * @throws what a run throws: misuse, or a disk that fails
 */
export async function checkClaims(
  names: readonly ClaimName[],
  options: ClaimOptions,
): Promise<ClaimOutcome | "interrupted"> {
  const { directory, presets = CLAIM_PRESET_NAMES, steps = null, provenance, environment } = options;
  const { progress = () => {}, events = {}, taskLine } = options;
  const how = { steps, provenance, events, taskLine, progress };
  const experiments = await bringAbout(presets, join(directory, "sweep"), how);
  if (experiments === "interrupted") return experiments;
  const claims = names.map((name) => judged(name, CLAIMS[name], experiments, progress));
  const page = join(directory, names.length === 1 ? `${names[0]}.html` : "index.html");
  writeFileAtomic(page, renderClaims(claims, environment));
  return { claims, page };
}

function judged(
  name: string,
  { title, statement, method, measure }: Claim,
  experiments: readonly Experiment[],
  progress: (line: string) => void,
): ClaimResult {
  const measured = experiments.map((experiment) => {
    progress(`${name}: ${experiment.name}`);
    const found = measure(experiment, progress);
    const ended = { label: "every process ran to the end", value: experiment.complete ? 1 : 0 };
    return experiment.complete
      ? found
      : { ...found, holds: false, numbers: [...found.numbers, { ...ended, criterion: "1", holds: false }] };
  });
  const failing = measured.filter(({ holds }) => !holds);
  const verdict =
    failing.length === 0
      ? `holds: every criterion is met in ${measured.map((each) => each.name).join(", ")}`
      : `does not hold here: ${failing.map(whyNot).join("; ")}${failing.length < measured.length ? `; holds in ${measured.flatMap((each) => (each.holds ? [each.name] : [])).join(", ")}` : ""}`;
  return { name, title, statement, method, experiments: measured, holds: failing.length === 0, verdict };
}

function whyNot({ name, numbers }: ClaimExperiment): string {
  const missed = numbers.filter(({ holds }) => holds === false);
  return `${name}: ${missed.map(({ label, value, criterion }) => `${label} is ${Number(value.toPrecision(3))}, wanted ${criterion}`).join(", ")}`;
}
