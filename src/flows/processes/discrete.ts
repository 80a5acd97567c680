import { steppedWeights } from "../dynamics/velocity.ts";
import { Stopwatch } from "./curvature.ts";
import type { Observation, ProcessSetup } from "./process.ts";
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
    this.weights = steppedWeights(this.setup.rule, this.observation as Observation);
  }
}
