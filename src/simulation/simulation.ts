import type { Objective } from "../autodiff/index.ts";
import {
  type CompiledRule,
  checkProcess,
  type EigenSettings,
  finiteStart,
  type MiniBatches,
  type Precision,
  type Process,
  type ProcessKind,
  type ProcessSettings,
  type ProcessStatus,
  processEntry,
  type Quantity,
  warmStart,
} from "../flows/index.ts";
import { type Member, observeProcesses, type Watched } from "./observations.ts";
import { Plane } from "./plane.ts";
import { WarmStartLog } from "./warm-start-log.ts";

/** One process of a simulation with its own eigenvalue settings. */
export interface ProcessPlan {
  readonly kind: ProcessKind;
  readonly eigen: EigenSettings;
  readonly rawEigenvalues: boolean;
}

/** All that a simulation is made from; the same for a run and for a check against fixtures. */
export interface SimulationPlan extends ProcessSettings {
  readonly objective: Objective;
  readonly rule: CompiledRule;
  /** Before the warm start. Not changed. */
  readonly initialWeights: Float64Array;
  /** Discrete steps before the processes start. */
  readonly warmStart: number;
  /** What the optimizer's weights are rounded to after each step, in the warm start too. Default float64. */
  readonly precision?: Precision;
  /** What the optimizer steps by, in the warm start too. Default: all examples. */
  readonly batches?: MiniBatches;
  readonly processes: readonly ProcessPlan[];
  readonly seed: number;
  /** What is logged besides the flows' own numbers. */
  readonly watched: Watched;
}

/** A warm start after whose steps the loss is no number to go on with, or has exploded against that at the start. */
export interface DivergedWarmStart {
  readonly steps: number;
  readonly loss: number;
  readonly startLoss: number;
}

/** Processes side by side from one start (docs/derivations.md, section 4). */
export class Simulation {
  readonly processes: readonly Process[];
  /** Steps the warm start took. */
  readonly initialStep: number;
  /** Where the warm start ended early because it diverged: every process ends with its first step then. */
  readonly divergedWarmStart: DivergedWarmStart | undefined;
  /** The plane in which the paths are logged: part of what a checkpoint holds. */
  readonly plane = new Plane();
  private readonly plan: SimulationPlan;
  private readonly members: readonly Member[];
  private readonly warmStartLog: WarmStartLog | undefined;
  private row = 0;

  /**
   * Takes the warm start.
   * @throws InputValueError where a process is not defined for the rule or without eigenvalues, and where loss, gradient or,
   *   if eigenvalues are wanted, the Hessian are no numbers before any step
   */
  constructor(plan: SimulationPlan) {
    this.plan = plan;
    const entries = plan.processes.map(({ kind }) => processEntry(kind));
    for (const entry of entries) checkProcess(entry, plan.rule);
    const { objective, rule, initialWeights, seed } = plan;
    const tracked = plan.processes.some(({ eigen }) => eigen.frequency > 0);
    const startLoss = finiteStart(objective, initialWeights, tracked);
    const weights = initialWeights.slice();
    const state = rule.rule.initialState(rule.dimension);
    const warmSteps = Math.max(0, plan.warmStart);
    const stepping = {
      ...(plan.precision && { precision: plan.precision }),
      ...(plan.batches && { batches: plan.batches }),
    };
    this.warmStartLog =
      warmSteps > 0
        ? new WarmStartLog(
            objective,
            warmSteps,
            tracked,
            rule.preconditionerIsUniform ? rule.project : undefined,
          )
        : undefined;
    this.initialStep = warmStart(objective, rule, weights, state, warmSteps, {
      ...stepping,
      ...(this.warmStartLog && { observe: this.warmStartLog.observe }),
    });
    const loss = lossAt(objective, weights);
    const firstStep = this.initialStep;
    this.divergedWarmStart =
      this.initialStep < warmSteps ? { steps: this.initialStep, loss, startLoss } : undefined;
    this.members = plan.processes.map(({ eigen, rawEigenvalues }, i) => {
      const start = { objective, rule, weights, state, seed, startLoss, firstStep, ...stepping };
      const setup = { ...start, eigen, rawEigenvalues };
      return { entry: entries[i], process: entries[i].create(setup, plan) };
    });
    this.processes = this.members.map(({ process }) => process);
  }

  /** True while any process still moves. */
  get running(): boolean {
    return this.processes.some((process) => process.status.kind === "running");
  }

  /**
   * Prepares every process, logs them, moves them. The row's number decides where the plane turns and which point of the
   * warm start it carries.
   * @returns the row's quantities by HDF5 path
   * @throws what an objective throws, `Stopped` where it is asked to; then every process is where it was before the step
   */
  step(): Record<string, Quantity> {
    const { processes, members } = this;
    try {
      for (const process of processes) process.prepare();
      const quantities = {
        ...observeProcesses(members, this.plan.rule, this.plan.watched),
        ...this.plane.observe(this.row, processes),
        ...this.warmStartLog?.at(this.row),
      };
      for (const process of processes) process.advance();
      this.row++;
      return quantities;
    } catch (error) {
      for (const process of processes) process.withdraw();
      throw error;
    }
  }

  /** Goes on from a checkpoint, into which the processes have been put: the next row is `index`. */
  resumeAt(index: number, arrays: ReadonlyMap<string, Float64Array>): void {
    this.row = index;
    this.plane.restore(arrays);
  }

  statuses(): Record<string, ProcessStatus> {
    return Object.fromEntries(this.processes.map((process) => [process.kind, process.status]));
  }
}

function lossAt(objective: Objective, weights: Float64Array): number {
  objective.setWeights(weights);
  return objective.loss();
}
