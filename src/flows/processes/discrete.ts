import { observe, Stopwatch } from "./evaluation.ts";
import {
  allPositive,
  diverged,
  isUsable,
  type Observation,
  type ProcessSetup,
  unusablePreconditioner,
} from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

/** The optimizer itself: s⁺ = update(s, g), w⁺ = w − P(s⁺)⁻¹ g. Observed at w with the state already updated. */
export class DiscreteProcess extends SteppingProcess {
  readonly kind = "discrete";
  observation: Observation | undefined;

  constructor(setup: ProcessSetup) {
    super(setup, "discrete");
  }

  protected evaluate(): void {
    const { objective, rule } = this.setup;
    const watch = new Stopwatch();
    watch.time("grad_and_value", () => {
      objective.setWeights(this.weights);
      const next = new Float64Array(this.state.length);
      rule.update(this.state, objective.gradient(), next);
      this.state = next;
    });
    if (!isUsable(this.setup)) {
      this.status = diverged(this.kind, "loss or gradient");
      return;
    }
    const preconditioner = new Float64Array(rule.dimension);
    rule.preconditioner(this.state, preconditioner);
    if (!allPositive(preconditioner)) {
      this.status = unusablePreconditioner(this.kind);
      return;
    }
    const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner));
    const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
    this.observation = observe(objective, rule, this.state, {
      weights: this.weights,
      pairs,
      hessianValues,
      times: watch.times,
    });
  }

  protected move(): void {
    this.weights = steppedWeights(this.observation as Observation);
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
