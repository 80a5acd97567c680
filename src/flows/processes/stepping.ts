import { Curvature, observe, type Stopwatch } from "./curvature.ts";
import {
  allFinite,
  allPositive,
  diverged,
  isUsable,
  type Observation,
  type Process,
  type ProcessKind,
  type ProcessSetup,
  type ProcessStatus,
  unusablePreconditioner,
} from "./process.ts";

/**
 * What all processes share: weights and state, eigenpairs, and snapshots that make a continued run equal to the bit.
 * A process that has stopped or failed snapshots the moment before it did, marked `ended`: restoring evaluates that
 * step again, so that a restored one has ended the same way.
 */
export abstract class SteppingProcess implements Process {
  abstract readonly kind: ProcessKind;
  status: ProcessStatus = { kind: "running" };
  abstract observation: Observation | undefined;
  protected readonly setup: ProcessSetup;
  protected readonly curvature: Curvature;
  protected weights: Float64Array;
  protected state: Float64Array;
  private beforeEnd: Record<string, Float64Array> | undefined;

  /** @param evaluationsPerStep how often eigenpairs are asked for per step */
  constructor(setup: ProcessSetup, label: string, evaluationsPerStep = 1) {
    this.setup = setup;
    this.curvature = new Curvature(setup, label, evaluationsPerStep);
    this.weights = setup.weights.slice();
    this.state = setup.state.slice();
  }

  prepare(): void {
    if (this.status.kind !== "running") return;
    const before = this.snapshot();
    this.evaluate();
    if (this.status.kind !== "running") this.beforeEnd = { ...before, ended: Float64Array.of(1) };
  }

  advance(): void {
    if (this.status.kind === "running" && this.observation) this.move();
  }

  snapshot(): Record<string, Float64Array> {
    return (
      this.beforeEnd ?? { w: this.weights.slice(), state: this.state.slice(), ...this.curvature.snapshot() }
    );
  }

  restore(saved: Readonly<Record<string, Float64Array>>): void {
    this.load(saved);
    if (!saved.ended) return;
    this.prepare();
    // Under other settings the step may go well: then it is still to be prepared.
    if (this.status.kind === "running") this.load(saved);
  }

  /** Takes over what a snapshot holds. */
  protected load(saved: Readonly<Record<string, Float64Array>>): void {
    this.weights = saved.w.slice();
    this.state = saved.state.slice();
    this.curvature.restore(saved);
  }

  /** Evaluates the current step: sets the observation, and the status where the process ends. */
  protected abstract evaluate(): void;
  /** Takes over the weights and state found by `evaluate`. */
  protected abstract move(): void;

  /**
   * What is seen at `weights`, where the objective must stand, with P at the current state. Undefined, and the status
   * says why, where loss, gradient, P or curvature is nothing to go on with.
   */
  protected see(watch: Stopwatch, weights: Float64Array): Observation | undefined {
    const { objective, rule } = this.setup;
    if (!isUsable(this.setup)) {
      this.status = diverged(this.kind, "loss or gradient");
      return undefined;
    }
    const preconditioner = new Float64Array(rule.dimension);
    rule.preconditioner(this.state, preconditioner);
    if (!allPositive(preconditioner)) {
      this.status = unusablePreconditioner(this.kind);
      return undefined;
    }
    const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner));
    if (pairs && !allFinite(pairs.values)) {
      this.status = diverged(this.kind, "Hessian");
      return undefined;
    }
    const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
    return observe(objective, this.state, {
      weights,
      preconditioner,
      pairs,
      hessianValues,
      times: watch.times,
    });
  }

  /** One plain update of the state at the current weights: where the flows start from. */
  protected updateStateOnce(): void {
    const { objective, rule, state } = this.setup;
    objective.setWeights(this.weights);
    this.state = new Float64Array(state.length);
    rule.update(state, objective.gradient(), this.state);
  }
}
