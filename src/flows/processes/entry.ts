import { valueError } from "../../base/index.ts";
import type { CompiledRule } from "../rules/compile.ts";
import { checkProjectedFlow } from "../rules/projected-rule.ts";
import type { Observation, Process, ProcessSetup } from "./process.ts";
import type { Quantities } from "./quantity.ts";
import type { ProcessSettings } from "./settings.ts";

/** What there is to know of one kind of process: how it is made, and as plain data what others say of it. */
export interface ProcessEntry {
  /** Its name where a run is described: in settings, in paths of quantities, in checkpoints. */
  readonly kind: string;
  /** Its name for readers. */
  readonly label: string;
  /** The kind whose eigenvalue settings hold: itself, or the one whose settings it shares. */
  readonly eigenSettings: string;
  /** Whether it can do without eigenpairs; `to-stop`: unless it is to end where the sharpness passes a bound. */
  readonly needsEigenvalues: "always" | "to-stop" | "never";
  /**
   * The rules that it is defined for: all, those whose P remembers squares, those with a second moment at rest, or those that
   * step by the gradient itself.
   */
  readonly rules: "all" | "squares" | "second moment" | "no momentum";
  /** Rules with a projection that it is defined for: all, those for which a flow at the edge is exact, or none. */
  readonly projected: "all" | "exact" | "none";
  /** Where among its quantities the eigensolver's are. */
  readonly solveLog: string;
  /**
   * Refuses a rule that the process is not defined for, as `rules` says.
   * @throws InputValueError
   */
  readonly check: (rule: CompiledRule) => void;
  readonly create: (setup: ProcessSetup, settings: ProcessSettings) => Process;
  /** What it logs of a step besides what every process does. A method, so that an entry may know its own observation. */
  quantities(observation: Observation): Quantities;
}

/** What most processes have. */
export const plainEntry = {
  needsEigenvalues: "never",
  rules: "all",
  projected: "none",
  solveLog: "eig_logs/",
  check: () => undefined,
  quantities: (): Quantities => ({}),
} as const;

/**
 * Refuses a rule that a process is not defined for, its projection included.
 *
 * @throws InputValueError
 */
export function checkProcess({ label, projected, check }: ProcessEntry, rule: CompiledRule): void {
  check(rule);
  if (rule.rule.projection === undefined || projected === "all") return;
  checkProjectedFlow(label.toLowerCase(), rule);
  if (projected === "none")
    throw valueError(label.toLowerCase(), "a rule without a projection", `${rule.rule.name} with one`);
}
