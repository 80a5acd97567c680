import { stableSubstep } from "../dynamics/central-substep.ts";
import { defaultIntegrator, type Integrator, middleOf, noPush, pointAt } from "../dynamics/integrator.ts";
import { Stopwatch } from "./curvature.ts";
import { allPositive, type Observation, type ProcessSetup, unusablePreconditioner } from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

export interface StableSettings {
  readonly minSubsteps: number;
  /** The effective sharpness, in the unit where c = 2, beyond which the flow stops for good; null: never. */
  readonly maxSharpness: number | null;
  /** By default that of the rule: Euler for the gradient, leapfrog for an average of gradients. */
  readonly integrator?: Integrator;
}

/**
 * The stable flow ds/dt = f(s, g), dw/dt = −P(s)⁻¹q − r(s)w: what the optimizer would follow if steps were infinitely small;
 * for gd the gradient flow. Substeps are at least `minSubsteps` and, for gd, ⌈2·S_eff⌉, which keeps every one of them four
 * times inside Euler's stability limit. Its state starts with one plain update.
 */
export class StableProcess extends SteppingProcess {
  readonly kind = "stable";
  observation: Observation | undefined;
  private readonly settings: StableSettings;
  private readonly integrator: Integrator;
  private next: { weights: Float64Array; state: Float64Array } | undefined;

  constructor(setup: ProcessSetup, settings: StableSettings) {
    // Along the stable flow eigenvalues grow without bound: a fixed number is tracked.
    super({ ...setup, eigen: { ...setup.eigen, trackThreshold: null } }, "stable");
    this.settings = settings;
    this.integrator = settings.integrator ?? defaultIntegrator(setup.rule);
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
    const substeps = Math.max(minSubsteps, this.neededSubsteps(pairs?.values[0] ?? 0));
    watch.time("substeps", () => this.integrate(substeps));
    this.observation = { ...seen, substeps };
  }

  /**
   * Both integrators are stable while a substep is below 2 in units of 1/(direct·λ) and leapfrog while it is below 2 in
   * units of one over the frequency √(delayed·λ); a quarter of that is taken. Euler adds energy to such an oscillation
   * at a rate of ½·delayed·λ·dt, which a quarter of the bound for q = g keeps below a quarter of `delayed`.
   */
  private neededSubsteps(top: number): number {
    if (!(top > 0)) return 0;
    const { direct, delayed } = this.setup.rule.gains(this.state);
    const rate = this.integrator === "euler" ? Math.max(direct, Math.min(1, delayed)) * top : direct * top;
    return Math.ceil(2 * Math.max(rate, Math.sqrt(delayed * top)));
  }

  private integrate(substeps: number): void {
    const { objective, rule } = this.setup;
    const start = { weights: this.weights.slice(), state: this.state.slice() };
    const push = noPush(rule);
    for (let i = 0; i < substeps; i++) {
      if (i > 0 && (this.integrator === "euler" || !rule.directionIgnoresGradient))
        objective.setWeights(start.weights);
      const point =
        this.integrator === "leapfrog"
          ? middleOf(objective, rule, start, 1 / substeps, push)
          : pointAt(objective, rule, start);
      if (!allPositive(point.preconditioner)) {
        this.status = unusablePreconditioner(this.kind);
        return;
      }
      stableSubstep(rule, point, 1 / substeps, start);
    }
    this.next = start;
  }

  protected move(): void {
    if (this.next) ({ weights: this.weights, state: this.state } = this.next);
  }
}
