import type { Objective } from "../../autodiff/index.ts";
import { allFinite, type SolverStatus } from "../../linalg/index.ts";
import type { BatchSharpness } from "../batches/batch-sharpness.ts";
import type { GradientNoise } from "../batches/gradient-noise.ts";
import type { MiniBatches } from "../batches/mini-batches.ts";
import type { EigenSettings, TrackedPairs } from "../dynamics/eigen-tracker.ts";
import type { Oscillation } from "../dynamics/oscillation.ts";
import type { CompiledRule } from "../rules/compile.ts";

/**
 * Why a process ended, as a code with its numbers; what a user may do about it is for the layers above to say.
 * - `diverged`: a number at `where` is not finite, or the loss has exploded
 * - `preconditioner`: an entry of P is not a positive number
 * - `sharpness`: the effective sharpness passed the bound, both in the unit where c = 2
 * - `too-many-critical`: at least so many eigenvalues are at or beyond the edge
 * - `complementarity`: the problem for Σ, of so many critical eigenvalues, ended so
 * - `stationary-preconditioner`: the problem for P̄ ended so
 */
export type Ending =
  | { readonly code: "diverged"; readonly where: "gradient" | "state" | "curvature" }
  | { readonly code: "preconditioner" }
  | { readonly code: "sharpness"; readonly sharpness: number; readonly bound: number }
  | { readonly code: "too-many-critical"; readonly critical: number }
  | { readonly code: "complementarity"; readonly critical: number; readonly solver: SolverStatus }
  | { readonly code: "stationary-preconditioner"; readonly solver: SolverStatus };

/** How a process stands. A stopped or failed process keeps its last weights. */
export type ProcessStatus =
  | { readonly kind: "running" }
  | { readonly kind: "stopped" | "failed"; readonly ending: Ending };

/** What an optimizer with mini-batches shows of the batch of its step, at the weights before it. */
export interface SeenBatch {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly sharpness: BatchSharpness;
  /** Of one batch's gradient, along the tracked eigenvectors, if there are any. */
  readonly noise: GradientNoise | undefined;
}

/** What a process shows of one step: all of it at the observed weights, before they move. */
export interface Observation {
  readonly weights: Float64Array;
  readonly state: Float64Array;
  readonly preconditioner: Float64Array;
  readonly loss: number;
  readonly gradient: Float64Array;
  /** The network's outputs on the training examples, if the loss names them. */
  readonly outputs: Float64Array;
  /** Eigenpairs of the effective Hessian, if they are tracked. */
  readonly pairs: TrackedPairs | undefined;
  /** Eigenvalues of the Hessian itself, as many, if they are tracked or follow from the others. */
  readonly hessianValues: Float64Array | undefined;
  /** Seconds by part of the work. */
  readonly times: Readonly<Record<string, number>>;
  /** Substeps taken in this step, where their number changes. */
  readonly substeps?: number;
  /** Σ, for flows that average an oscillation out; without directions where there is none. */
  readonly oscillation?: Oscillation;
  /** The weights of the process less those observed, for one that is observed elsewhere. */
  readonly displacement?: Float64Array;
  /** The step's mini-batch, where the optimizer has them; loss, gradient and curvature above are those of all examples. */
  readonly batch?: SeenBatch;
}

/** What all processes are made from. The objective is shared: whoever needs it sets its weights first. */
export interface ProcessSetup {
  readonly objective: Objective;
  readonly rule: CompiledRule;
  readonly weights: Float64Array;
  readonly state: Float64Array;
  /** `trackThreshold` is in the unit where the critical value is 2. */
  readonly eigen: EigenSettings;
  /** Also track eigenvalues of the Hessian itself where they do not follow from those of P⁻¹H. */
  readonly rawEigenvalues: boolean;
  readonly seed: number;
  /** The loss at the initial weights, by which an exploding loss is told from a catapult. Without it only infinities are. */
  readonly startLoss?: number;
  /** What the optimizer steps by, in discrete and midpoint. Default: all examples. The flows see all of them in any case. */
  readonly batches?: MiniBatches;
  /** Steps of the optimizer before the first, those of a warm start: they count for which batch is next. Default 0. */
  readonly firstStep?: number;
  /** What the optimizer's weights are rounded to after each step, in discrete and midpoint. Default float64: not at all. */
  readonly precision?: Precision;
}

/** The number format that an optimizer keeps its weights in; flows are always in float64. */
export type Precision = "float64" | "float32";

/** Rounds weights to a precision, in place, and returns them. Rounding to float32 is exact arithmetic: the same bits everywhere. */
export function toPrecision(weights: Float64Array, precision: Precision = "float64"): Float64Array {
  if (precision === "float32") for (let l = 0; l < weights.length; l++) weights[l] = Math.fround(weights[l]);
  return weights;
}

/** One of the processes. A step is `prepare` (evaluate, decide), reading `observation`, `advance`. */
export interface Process {
  readonly kind: string;
  readonly status: ProcessStatus;
  /**
   * Evaluates the current step. Never throws for numbers that overflow: the status says so. What the objective throws
   * is thrown on, with the process where it was before.
   */
  prepare(): void;
  /** The step prepared last. Undefined once a process has failed without having anything to show. */
  readonly observation: Observation | undefined;
  /** Moves to the weights and state that `prepare` found. */
  advance(): void;
  /** Takes back a `prepare` that no `advance` has followed: the step is still to be evaluated. */
  withdraw(): void;
  /** Everything that the rest of the run depends on, by name; `restore` makes the next steps equal to the bit. */
  snapshot(): Record<string, Float64Array>;
  restore(snapshot: Readonly<Record<string, Float64Array>>): void;
}

/** Whether P can be divided by and divides by something: a learning rate of 0 makes it infinite. */
export function allPositive(values: Float64Array): boolean {
  for (const value of values) if (!(value > 0 && value < Number.POSITIVE_INFINITY)) return false;
  return true;
}

/**
 * A loss this many times the start's (and 1) is a divergence that has not yet overflowed: catapults stay below 10³. Its
 * eigenpairs, of which hundreds may be beyond the edge, are not looked for.
 */
const EXPLOSION = 1e5;

/** Whether the loss and gradient at the objective's weights are numbers a run can go on with. */
export function isUsable({
  objective,
  startLoss = Number.POSITIVE_INFINITY,
}: Pick<ProcessSetup, "objective" | "startLoss">): boolean {
  const loss = objective.loss();
  if (!Number.isFinite(loss) || Math.abs(loss) > EXPLOSION * (1 + Math.abs(startLoss))) return false;
  return allFinite(objective.gradient());
}
