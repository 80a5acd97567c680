import { Curvature, observe, Stopwatch } from "./evaluation.ts";
import {
  allFinite,
  diverged,
  type Observation,
  type Process,
  type ProcessSetup,
  type ProcessStatus,
} from "./process.ts";

/** The optimizer itself: s⁺ = update(s, g), w⁺ = w − P(s⁺)⁻¹ g. Observed at w with the state already updated. */
export class DiscreteProcess implements Process {
  readonly kind = "discrete";
  status: ProcessStatus = { kind: "running" };
  observation: Observation | undefined;
  private readonly setup: ProcessSetup;
  private readonly curvature: Curvature;
  private weights: Float64Array;
  private state: Float64Array;

  constructor(setup: ProcessSetup) {
    this.setup = setup;
    this.curvature = new Curvature(setup, "discrete");
    this.weights = setup.weights.slice();
    this.state = setup.state.slice();
  }

  prepare(): void {
    if (this.status.kind !== "running") return;
    const { objective, rule } = this.setup;
    const watch = new Stopwatch();
    watch.time("grad_and_value", () => {
      objective.setWeights(this.weights);
      const next = new Float64Array(this.state.length);
      rule.update(this.state, objective.gradient(), next);
      this.state = next;
    });
    if (!Number.isFinite(objective.loss()) || !allFinite(objective.gradient())) {
      this.status = diverged(this.kind, "loss or gradient");
      return;
    }
    const preconditioner = new Float64Array(rule.dimension);
    rule.preconditioner(this.state, preconditioner);
    const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner));
    const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
    this.observation = observe(objective, rule, this.state, {
      weights: this.weights,
      pairs,
      hessianValues,
      times: watch.times,
    });
  }

  advance(): void {
    if (this.status.kind !== "running" || !this.observation) return;
    this.weights = steppedWeights(this.observation);
  }

  snapshot(): Record<string, Float64Array> {
    return { w: this.weights.slice(), state: this.state.slice(), ...this.curvature.snapshot() };
  }

  restore(saved: Readonly<Record<string, Float64Array>>): void {
    this.weights = saved.w.slice();
    this.state = saved.state.slice();
    this.curvature.restore(saved);
  }
}

/** w − P⁻¹ g. */
export function steppedWeights({
  weights,
  preconditioner,
  gradient,
}: Pick<Observation, "weights" | "preconditioner" | "gradient">): Float64Array {
  return weights.map((weight, l) => weight - gradient[l] / preconditioner[l]);
}
