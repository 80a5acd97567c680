import { stableSubstep } from "../dynamics/central-substep.ts";
import { defaultIntegrator, type Integrator, middleOf, noPush, pointAt } from "../dynamics/integrator.ts";
import type { PhasePoint } from "../dynamics/point.ts";
import type { Stopwatch } from "./curvature.ts";
import { type ProcessEntry, plainEntry } from "./entry.ts";
import { allPositive, type Observation, type ProcessSetup } from "./process.ts";
import type { StableSettings } from "./settings.ts";
import { SteppingProcess } from "./stepping.ts";

/**
 * The stable flow ds/dt = f(s, g), dw/dt = −P(s)⁻¹q − r(s)w: what the optimizer would follow if steps were infinitely small;
 * for gd dw/dt = −η∇L. Substeps are at least `minSubsteps` and, for gd, ⌈2·S_eff⌉, which keeps every one of them four
 * times inside Euler's stability limit. Its state starts with one plain update.
 */
export class StableProcess extends SteppingProcess {
  observation: Observation | undefined;
  private readonly settings: StableSettings;
  private readonly integrator: Integrator;

  constructor(setup: ProcessSetup, settings: StableSettings) {
    // Along the stable flow eigenvalues grow without bound: a fixed number is tracked.
    super({ ...setup, eigen: { ...setup.eigen, trackThreshold: null } }, "stable");
    this.settings = settings;
    this.integrator = settings.integrator ?? defaultIntegrator(setup.rule);
    this.updateStateOnce();
  }

  protected evaluate(watch: Stopwatch): PhasePoint | undefined {
    const { objective, rule } = this.setup;
    const { weights, state } = this;
    objective.setWeights(weights);
    const observed = this.observe(watch, { weights, state });
    if (!observed) return undefined;
    this.observation = observed;
    const top = observed.pairs?.values[0] ?? 0;
    const sharpness = top / (rule.criticalValue(state) / 2);
    const { maxSharpness: bound, minSubsteps } = this.settings;
    if (bound !== null && sharpness > bound) {
      this.status = { kind: "stopped", ending: { code: "sharpness", sharpness, bound } };
      return undefined;
    }
    const substeps = Math.max(minSubsteps, this.neededSubsteps(top));
    const next = watch.time("substeps", () => this.integrate(substeps));
    this.observation = { ...observed, substeps };
    return next;
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

  /** Where so many substeps lead; undefined, and the status says so, where P turns unusable on the way. */
  private integrate(substeps: number): PhasePoint | undefined {
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
      if (!allPositive(point.preconditioner)) return this.fail({ code: "preconditioner" });
      stableSubstep(rule, point, 1 / substeps, start);
    }
    return start;
  }
}

export const stable = {
  ...plainEntry,
  kind: "stable",
  label: "Stable flow",
  eigenSettings: "stable",
  projected: "exact",
  needsEigenvalues: "to-stop",
  create: (setup, settings) => new StableProcess(setup, settings.stable),
} as const satisfies ProcessEntry;
