import type { Objective } from "../../autodiff/index.ts";
import { allFinite } from "../../linalg/index.ts";
import type { PairUse, TrackedPairs } from "../dynamics/eigen-tracker.ts";
import type { PhasePoint } from "../dynamics/point.ts";
import { Curvature, Stopwatch } from "./curvature.ts";
import {
  allPositive,
  type Ending,
  isUsable,
  type Observation,
  type Process,
  type ProcessSetup,
  type ProcessStatus,
} from "./process.ts";

/**
 * What all processes share: weights and state, eigenpairs, and snapshots that make a continued run equal to the bit.
 * A process says in `evaluate` what one step is: it sets `observation` and returns where the step leads.
 *
 * A process that has stopped or failed snapshots the moment before it did, marked `ended`: restoring evaluates that
 * step again, so that a restored one has ended the same way.
 */
export abstract class SteppingProcess<Next extends PhasePoint = PhasePoint> implements Process {
  readonly kind: string;
  status: ProcessStatus = { kind: "running" };
  abstract observation: Observation | undefined;
  protected readonly setup: ProcessSetup;
  protected readonly curvature: Curvature;
  protected weights: Float64Array;
  protected state: Float64Array;
  /** Steps since the initial weights: which mini-batch is next. */
  protected step: number;
  private next: Next | undefined;
  /** Where the step being taken began. */
  private before: Record<string, Float64Array> | undefined;
  private beforeEnd: Record<string, Float64Array> | undefined;

  /** @param evaluationsPerStep how often eigenpairs are asked for per step */
  constructor(setup: ProcessSetup, kind: string, evaluationsPerStep = 1) {
    this.kind = kind;
    this.setup = setup;
    this.curvature = new Curvature(setup, kind, evaluationsPerStep);
    this.weights = setup.weights.slice();
    this.state = setup.state.slice();
    this.step = setup.firstStep ?? 0;
  }

  prepare(): void {
    if (this.status.kind !== "running") return;
    const before = this.saved();
    this.before = before;
    try {
      this.next = this.evaluate(new Stopwatch());
    } catch (error) {
      this.withdraw();
      throw error;
    }
    if (this.hasEnded()) this.beforeEnd = { ...before, ended: Float64Array.of(1) };
  }

  withdraw(): void {
    if (!this.before) return;
    this.load(this.before);
    this.status = { kind: "running" };
    this.before = undefined;
    this.beforeEnd = undefined;
    this.next = undefined;
  }

  advance(): void {
    if (this.status.kind === "running" && this.next) this.move(this.next);
    this.next = undefined;
    this.before = undefined;
  }

  snapshot(): Record<string, Float64Array> {
    return this.beforeEnd ?? this.saved();
  }

  restore(saved: Readonly<Record<string, Float64Array>>): void {
    this.load(saved);
    if (!saved.ended) return;
    this.prepare();
    // Under other settings the step may go well: then it is still to be prepared.
    if (this.status.kind === "running") this.withdraw();
  }

  /**
   * Evaluates the current step without moving weights or state: sets the observation, and the status where the process
   * ends there.
   * @returns where the step leads; undefined where it ends
   */
  protected abstract evaluate(watch: Stopwatch): Next | undefined;

  /** Goes where a step leads. */
  protected move({ weights, state }: Next): void {
    this.weights = weights;
    this.state = state;
    this.step++;
  }

  /** What a snapshot of a running process holds. */
  protected saved(): Record<string, Float64Array> {
    const { weights, state, step } = this;
    return {
      w: weights.slice(),
      state: state.slice(),
      ...(this.setup.batches && { step: Float64Array.of(step) }),
      ...this.curvature.snapshot(),
    };
  }

  /** Takes over what a snapshot holds. */
  protected load(saved: Readonly<Record<string, Float64Array>>): void {
    this.weights = saved.w.slice();
    this.state = saved.state.slice();
    if (saved.step) [this.step] = saved.step;
    this.curvature.restore(saved);
  }

  protected fail(ending: Ending): undefined {
    this.status = { kind: "failed", ending };
    return undefined;
  }

  /** P at a state; undefined, and the status says why, where it, the state, the loss or the gradient is unusable. */
  protected usablePreconditioner(state: Float64Array): Float64Array | undefined {
    if (!isUsable(this.setup)) return this.fail({ code: "diverged", where: "gradient" });
    const preconditioner = new Float64Array(this.weights.length);
    this.setup.rule.preconditioner(state, preconditioner);
    return this.checked(state, preconditioner);
  }

  /** `preconditioner` itself; undefined, and the status says why, where it or the state is unusable. */
  protected checked(state: Float64Array, preconditioner: Float64Array): Float64Array | undefined {
    if (!allFinite(state)) return this.fail({ code: "diverged", where: "state" });
    return allPositive(preconditioner) ? preconditioner : this.fail({ code: "preconditioner" });
  }

  /** The eigenpairs at the objective's weights; false, and the status says so, where they are not finite. */
  protected pairsAt(
    watch: Stopwatch,
    preconditioner: Float64Array,
    use?: PairUse,
  ): TrackedPairs | undefined | false {
    const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner, use));
    if (!pairs || allFinite(pairs.values)) return pairs;
    this.fail({ code: "diverged", where: "curvature" });
    return false;
  }

  /**
   * What there is at a point, where the objective must stand: copies, so that it may move on. Undefined, and the status
   * says why, where loss, gradient, P or curvature is nothing to go on with.
   */
  protected observe(watch: Stopwatch, { weights, state }: PhasePoint): Observation | undefined {
    const preconditioner = this.usablePreconditioner(state);
    if (!preconditioner) return undefined;
    const pairs = this.pairsAt(watch, preconditioner);
    if (pairs === false) return undefined;
    return this.observeWith(watch, { weights, state }, preconditioner, pairs);
  }

  /** What there is at a point whose P and eigenpairs are known. */
  protected observeWith(
    watch: Stopwatch,
    { weights, state }: PhasePoint,
    preconditioner: Float64Array,
    pairs: TrackedPairs | undefined,
  ): Observation {
    const { objective } = this.setup;
    const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
    return {
      weights: weights.slice(),
      state: state.slice(),
      preconditioner: preconditioner.slice(),
      loss: objective.loss(),
      gradient: objective.gradient().slice(),
      outputs: objective.outputs().slice(),
      pairs,
      hessianValues,
      times: watch.times,
    };
  }

  /** One plain update of the state at the current weights: where the flows start from. */
  protected updateStateOnce(): void {
    const { objective } = this.setup;
    objective.setWeights(this.weights);
    this.state = this.updatedState();
  }

  /** update(s, g), by default with the gradient at the objective's weights. */
  protected updatedState(gradient = this.setup.objective.gradient()): Float64Array {
    const next = new Float64Array(this.state.length);
    this.setup.rule.update(this.state, gradient, next);
    return next;
  }

  /** The loss that the optimizer steps by, at its weights: that of its next mini-batch, or of all examples. */
  protected stepObjective(): Objective {
    const { objective, batches } = this.setup;
    objective.setWeights(this.weights);
    return batches?.at(this.step, this.weights) ?? objective;
  }

  private hasEnded(): boolean {
    return this.status.kind !== "running";
  }
}
