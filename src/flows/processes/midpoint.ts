import { steppedWeights } from "./discrete.ts";
import { Curvature, observe, Stopwatch } from "./evaluation.ts";
import {
  allFinite,
  diverged,
  type Observation,
  type Process,
  type ProcessSetup,
  type ProcessStatus,
} from "./process.ts";

/**
 * The optimizer observed at the midpoints of its midpoints, w* = ¼(w₋₁ + 2w + w₊₁), where a period-two oscillation
 * cancels. The first step is observed at w. State and P are those of w; loss, gradient and eigenvalues those of w*.
 */
export class MidpointProcess implements Process {
  readonly kind = "midpoint";
  status: ProcessStatus = { kind: "running" };
  observation: Observation | undefined;
  private readonly setup: ProcessSetup;
  private readonly curvature: Curvature;
  private weights: Float64Array;
  private state: Float64Array;
  private previous: Float64Array | undefined;
  private next: Float64Array | undefined;

  constructor(setup: ProcessSetup) {
    this.setup = setup;
    this.curvature = new Curvature(setup, "midpoint");
    this.weights = setup.weights.slice();
    this.state = setup.state.slice();
  }

  prepare(): void {
    if (this.status.kind !== "running") return;
    const { objective, rule } = this.setup;
    const watch = new Stopwatch();
    const preconditioner = new Float64Array(rule.dimension);
    watch.time("grad_and_value", () => {
      objective.setWeights(this.weights);
      const next = new Float64Array(this.state.length);
      rule.update(this.state, objective.gradient(), next);
      this.state = next;
      rule.preconditioner(this.state, preconditioner);
    });
    if (!Number.isFinite(objective.loss()) || !allFinite(objective.gradient())) {
      this.status = diverged(this.kind, "loss or gradient");
      return;
    }
    const after = steppedWeights({ weights: this.weights, preconditioner, gradient: objective.gradient() });
    this.next = after;
    const before = this.previous;
    const observed = before
      ? this.weights.map((weight, l) => 0.25 * (before[l] + 2 * weight + after[l]))
      : this.weights;
    if (before) watch.time("grad_and_value", () => objective.setWeights(observed));
    const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner));
    const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
    this.observation = observe(objective, rule, this.state, {
      weights: observed,
      pairs,
      hessianValues,
      times: watch.times,
    });
  }

  /** w_t − w*_t: the oscillation that the observed point leaves out. Zero in the first step. */
  oscillation(): Float64Array {
    const observed = this.observation?.weights ?? this.weights;
    return this.weights.map((weight, l) => weight - observed[l]);
  }

  advance(): void {
    if (this.status.kind !== "running" || !this.next) return;
    this.previous = this.weights;
    this.weights = this.next;
  }

  snapshot(): Record<string, Float64Array> {
    return {
      w: this.weights.slice(),
      state: this.state.slice(),
      ...(this.previous && { w_prev: this.previous.slice() }),
      ...this.curvature.snapshot(),
    };
  }

  restore(saved: Readonly<Record<string, Float64Array>>): void {
    this.weights = saved.w.slice();
    this.state = saved.state.slice();
    this.previous = saved.w_prev?.slice();
    this.curvature.restore(saved);
  }
}
