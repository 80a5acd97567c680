import type { Objective } from "../autodiff/index.ts";
import {
  AblatedProcess,
  CentralProcess,
  type CentralSettings,
  type CompiledRule,
  DiscreteProcess,
  type EigenSettings,
  MidpointProcess,
  type Precision,
  type Process,
  type ProcessKind,
  type ProcessSetup,
  type ProcessStatus,
  StableProcess,
  type StableSettings,
  StationaryProcess,
  warmStart,
} from "../flows/index.ts";
import { observeProcesses, type Watched } from "./observations.ts";
import { Plane } from "./plane.ts";
import type { Quantity } from "./rows.ts";
import { WarmStartLog } from "./warm-start-log.ts";

/** One process of a simulation with its own eigenvalue settings. */
export interface ProcessPlan {
  readonly kind: ProcessKind;
  readonly eigen: EigenSettings;
  readonly rawEigenvalues: boolean;
}

/** All that a simulation is made from; the same for a run and for a check against fixtures. */
export interface SimulationPlan {
  readonly objective: Objective;
  readonly rule: CompiledRule;
  /** Before the warm start. Not changed. */
  readonly initialWeights: Float64Array;
  /** Discrete steps before the processes start. */
  readonly warmStart: number;
  /** What the optimizer's weights are rounded to after each step, in the warm start too. Default float64. */
  readonly precision?: Precision;
  readonly processes: readonly ProcessPlan[];
  readonly central: CentralSettings;
  readonly stable: StableSettings;
  readonly seed: number;
  /** What is logged besides the flows' own numbers. */
  readonly watched: Watched;
}

/** Processes side by side from one start (docs/derivations.md, section 4). */
export class Simulation {
  readonly processes: readonly Process[];
  /** Steps the warm start took. */
  readonly initialStep: number;
  /** The plane in which the paths are logged: part of what a checkpoint holds. */
  readonly plane = new Plane();
  private readonly plan: SimulationPlan;
  private readonly warmStartLog: WarmStartLog | undefined;
  private row = 0;

  constructor(plan: SimulationPlan) {
    this.plan = plan;
    const { objective, rule, initialWeights, seed } = plan;
    const weights = initialWeights.slice();
    const state = rule.rule.initialState(rule.dimension);
    const warmSteps = Math.max(0, plan.warmStart);
    const tracked = plan.processes.some(({ eigen }) => eigen.frequency > 0);
    this.warmStartLog = warmSteps > 0 ? new WarmStartLog(objective, warmSteps, tracked) : undefined;
    this.initialStep = warmStart(objective, rule, weights, state, warmSteps, {
      ...(plan.precision && { precision: plan.precision }),
      ...(this.warmStartLog && { observe: this.warmStartLog.observe }),
    });
    objective.setWeights(weights);
    const startLoss = objective.loss();
    this.processes = plan.processes.map(({ kind, eigen, rawEigenvalues }) =>
      createProcess(
        kind,
        {
          objective,
          rule,
          weights,
          state,
          eigen,
          rawEigenvalues,
          seed,
          startLoss,
          ...(plan.precision && { precision: plan.precision }),
        },
        plan,
      ),
    );
  }

  /** Whether the warm start ended early because the next loss would not have been finite. */
  get warmStartDiverged(): boolean {
    return this.initialStep < Math.max(0, this.plan.warmStart);
  }

  /** True while any process still moves. */
  get running(): boolean {
    return this.processes.some((process) => process.status.kind === "running");
  }

  /**
   * Prepares every process, logs them, moves them. Returns the row's quantities by HDF5 path. The row's number decides
   * where the plane turns and which point of the warm start it carries.
   */
  step(): Record<string, Quantity> {
    const index = this.row++;
    for (const process of this.processes) process.prepare();
    const quantities = {
      ...observeProcesses(this.processes, this.plan.rule, this.plan.watched),
      ...this.plane.observe(index, this.processes),
      ...this.warmStartLog?.at(index),
    };
    for (const process of this.processes) process.advance();
    return quantities;
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

function createProcess(kind: ProcessKind, setup: ProcessSetup, { central, stable }: SimulationPlan): Process {
  switch (kind) {
    case "discrete":
      return new DiscreteProcess(setup);
    case "midpoint":
      return new MidpointProcess(setup);
    case "central":
      return new CentralProcess(setup, central);
    case "stable":
      return new StableProcess(setup, stable);
    case "stationary":
      return new StationaryProcess(setup, central);
    case "ablated":
      return new AblatedProcess(setup, central);
  }
}
