import { stableSubstep } from "../central-flow.ts";
import { Curvature, observe, Stopwatch } from "./evaluation.ts";
import {
  allFinite,
  diverged,
  type Observation,
  type Process,
  type ProcessSetup,
  type ProcessStatus,
} from "./process.ts";

export interface StableSettings {
  readonly minSubsteps: number;
  /** The effective sharpness, in the unit where c = 2, beyond which the flow stops for good; null: never. */
  readonly maxSharpness: number | null;
}

/**
 * The stable flow ds/dt = f(s, g), dw/dt = −P(s)⁻¹g: what the optimizer would follow if steps were infinitely small;
 * for gd the gradient flow. Euler with max(minSubsteps, ⌈2·S_eff⌉) substeps per step, which keeps every step four
 * times inside Euler's stability limit. Its state starts with one plain update.
 */
export class StableProcess implements Process {
  readonly kind = "stable";
  status: ProcessStatus = { kind: "running" };
  observation: Observation | undefined;
  private readonly setup: ProcessSetup;
  private readonly settings: StableSettings;
  private readonly curvature: Curvature;
  private weights: Float64Array;
  private state: Float64Array;
  private next: { weights: Float64Array; state: Float64Array } | undefined;

  constructor(setup: ProcessSetup, settings: StableSettings) {
    this.setup = setup;
    this.settings = settings;
    // Along the stable flow eigenvalues grow without bound: a fixed number is tracked.
    const eigen = { ...setup.eigen, trackThreshold: null };
    this.curvature = new Curvature({ ...setup, eigen }, "stable");
    this.weights = setup.weights.slice();
    this.state = new Float64Array(setup.state.length);
    setup.objective.setWeights(this.weights);
    setup.rule.update(setup.state, setup.objective.gradient(), this.state);
  }

  prepare(): void {
    if (this.status.kind !== "running") return;
    const { objective, rule } = this.setup;
    const watch = new Stopwatch();
    objective.setWeights(this.weights);
    if (!Number.isFinite(objective.loss()) || !allFinite(objective.gradient())) {
      this.status = diverged(this.kind, "loss or gradient");
      return;
    }
    const preconditioner = new Float64Array(rule.dimension);
    rule.preconditioner(this.state, preconditioner);
    const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner));
    const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
    const seen = observe(objective, rule, this.state, {
      weights: this.weights,
      pairs,
      hessianValues,
      times: watch.times,
    });
    const unit = rule.rule.criticalValue / 2;
    const sharpness = (pairs?.values[0] ?? 0) / unit;
    const { maxSharpness, minSubsteps } = this.settings;
    if (maxSharpness !== null && sharpness > maxSharpness) {
      this.status = {
        kind: "stopped",
        reason: `stable: effective sharpness ${sharpness.toPrecision(4)} passed ${maxSharpness}, where following the flow takes too many substeps (--stable.max-Seff)`,
      };
      this.observation = seen;
      return;
    }
    // The bound of Euler's step is 2 in units of P⁻¹H, whatever c is.
    const substeps = Math.max(minSubsteps, Math.ceil(2 * (pairs?.values[0] ?? 0)));
    watch.time("substeps", () => this.integrate(substeps));
    this.observation = { ...seen, substeps };
  }

  private integrate(substeps: number): void {
    const { objective, rule } = this.setup;
    const weights = this.weights.slice();
    const state = this.state.slice();
    const preconditioner = new Float64Array(rule.dimension);
    for (let i = 0; i < substeps; i++) {
      if (i > 0) objective.setWeights(weights);
      rule.preconditioner(state, preconditioner);
      stableSubstep(rule, { weights, state, gradient: objective.gradient(), preconditioner }, 1 / substeps);
    }
    this.next = { weights, state };
  }

  advance(): void {
    if (this.status.kind !== "running" || !this.next) return;
    ({ weights: this.weights, state: this.state } = this.next);
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
