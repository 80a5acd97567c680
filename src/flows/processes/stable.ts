import { stableSubstep } from "../central-flow.ts";
import { Stopwatch } from "./evaluation.ts";
import { allPositive, type Observation, type ProcessSetup, unusablePreconditioner } from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

export interface StableSettings {
  readonly minSubsteps: number;
  /** The effective sharpness, in the unit where c = 2, beyond which the flow stops for good; null: never. */
  readonly maxSharpness: number | null;
}

/**
 * The stable flow ds/dt = f(s, g), dw/dt = −P(s)⁻¹q − r(s)w: what the optimizer would follow if steps were infinitely small;
 * for gd the gradient flow. Euler with max(minSubsteps, ⌈2·S_eff⌉) substeps per step, which keeps every step four
 * times inside Euler's stability limit. Its state starts with one plain update.
 */
export class StableProcess extends SteppingProcess {
  readonly kind = "stable";
  observation: Observation | undefined;
  private readonly settings: StableSettings;
  private next: { weights: Float64Array; state: Float64Array } | undefined;

  constructor(setup: ProcessSetup, settings: StableSettings) {
    // Along the stable flow eigenvalues grow without bound: a fixed number is tracked.
    super({ ...setup, eigen: { ...setup.eigen, trackThreshold: null } }, "stable");
    this.settings = settings;
    this.updateStateOnce();
  }

  protected evaluate(): void {
    const { objective, rule } = this.setup;
    const watch = new Stopwatch();
    objective.setWeights(this.weights);
    const seen = this.see(watch, this.weights);
    if (!seen) return;
    const { pairs } = seen;
    const unit = rule.criticalValue(this.state) / 2;
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
      if (!allPositive(preconditioner)) {
        this.status = unusablePreconditioner(this.kind);
        return;
      }
      stableSubstep(rule, { weights, state, gradient: objective.gradient(), preconditioner }, 1 / substeps);
    }
    this.next = { weights, state };
  }

  protected move(): void {
    if (this.next) ({ weights: this.weights, state: this.state } = this.next);
  }
}
