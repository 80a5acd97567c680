import { type PhasePoint, steppedWeights } from "../dynamics/point.ts";
import type { Stopwatch } from "./curvature.ts";
import { type ProcessEntry, plainEntry } from "./entry.ts";
import { type Observation, type ProcessSetup, toPrecision } from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

/** The optimizer itself: s⁺ = update(s, g), w⁺ = w − P⁻¹q − rw. Observed at w with the state already updated. */
export class DiscreteProcess extends SteppingProcess {
  observation: Observation | undefined;

  constructor(setup: ProcessSetup) {
    super(setup, "discrete");
  }

  protected evaluate(watch: Stopwatch): PhasePoint | undefined {
    const { weights } = this;
    const state = watch.time("grad_and_value", () => {
      this.setup.objective.setWeights(weights);
      return this.updatedState();
    });
    const observed = this.observe(watch, { weights, state });
    if (!observed) return undefined;
    this.observation = observed;
    const { rule, precision } = this.setup;
    return { weights: toPrecision(steppedWeights(rule, observed), precision), state };
  }
}

export const discrete = {
  ...plainEntry,
  kind: "discrete",
  label: "Optimizer",
  eigenSettings: "discrete",
  create: (setup) => new DiscreteProcess(setup),
} as const satisfies ProcessEntry;
