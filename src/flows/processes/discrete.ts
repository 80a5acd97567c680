import { steppedWeights } from "../dynamics/velocity.ts";
import { Stopwatch } from "./curvature.ts";
import { type Observation, type ProcessSetup, toPrecision } from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

/** The optimizer itself: s⁺ = update(s, g), w⁺ = w − P⁻¹q − rw. Observed at w with the state already updated. */
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
    const seen = this.see(watch, this.weights);
    if (seen) this.observation = seen;
  }

  protected move(): void {
    const { rule, precision } = this.setup;
    this.weights = toPrecision(steppedWeights(rule, this.observation as Observation), precision);
  }
}
