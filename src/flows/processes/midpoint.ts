import { type PhasePoint, steppedWeights } from "../dynamics/point.ts";
import type { Stopwatch } from "./curvature.ts";
import { type ProcessEntry, plainEntry } from "./entry.ts";
import { type Observation, type ProcessSetup, toPrecision } from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

/**
 * The optimizer observed at the midpoints of its midpoints, w* = ¼(w₋₁ + 2w + w₊₁), where a period-two oscillation
 * cancels. The first step is observed at w. State and P are those of w; loss, gradient and eigenvalues those of w*.
 * The displacement w − w* is zero in the first step.
 */
export class MidpointProcess extends SteppingProcess {
  observation: Observation | undefined;
  private previous: Float64Array | undefined;

  constructor(setup: ProcessSetup) {
    super(setup, "midpoint");
  }

  protected evaluate(watch: Stopwatch): PhasePoint | undefined {
    const { objective, rule, precision } = this.setup;
    const { weights, previous } = this;
    const { gradient, state } = watch.time("grad_and_value", () => {
      const gradient = this.stepObjective().gradient();
      return { gradient, state: this.updatedState(gradient) };
    });
    const preconditioner = this.usablePreconditioner(state);
    if (!preconditioner) return undefined;
    const after = toPrecision(steppedWeights(rule, { weights, state, gradient, preconditioner }), precision);
    const observed = previous
      ? weights.map((weight, l) => 0.25 * (previous[l] + 2 * weight + after[l]))
      : weights;
    if (previous) watch.time("grad_and_value", () => objective.setWeights(observed));
    const observation = this.observe(watch, { weights: observed, state });
    if (!observation) return undefined;
    const displacement = weights.map((weight, l) => weight - observed[l]);
    this.observation = { ...observation, displacement };
    return { weights: after, state };
  }

  protected override move(next: PhasePoint): void {
    this.previous = this.weights;
    super.move(next);
  }

  protected override saved(): Record<string, Float64Array> {
    return { ...super.saved(), ...(this.previous && { w_prev: this.previous.slice() }) };
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    this.previous = saved.w_prev?.slice();
  }
}

export const midpoint = {
  ...plainEntry,
  kind: "midpoint",
  label: "Midpoints",
  eigenSettings: "midpoint",
  projected: "all",
  create: (setup) => new MidpointProcess(setup),
} as const satisfies ProcessEntry;
