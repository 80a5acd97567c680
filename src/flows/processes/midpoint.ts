import { steppedWeights } from "../dynamics/velocity.ts";
import { Stopwatch } from "./curvature.ts";
import {
  allPositive,
  diverged,
  isUsable,
  type Observation,
  type ProcessSetup,
  toPrecision,
  unusablePreconditioner,
} from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

/**
 * The optimizer observed at the midpoints of its midpoints, w* = ¼(w₋₁ + 2w + w₊₁), where a period-two oscillation
 * cancels. The first step is observed at w. State and P are those of w; loss, gradient and eigenvalues those of w*.
 */
export class MidpointProcess extends SteppingProcess {
  readonly kind = "midpoint";
  observation: Observation | undefined;
  private previous: Float64Array | undefined;
  private next: Float64Array | undefined;

  constructor(setup: ProcessSetup) {
    super(setup, "midpoint");
  }

  protected evaluate(): void {
    const { objective, rule, precision } = this.setup;
    const watch = new Stopwatch();
    const preconditioner = new Float64Array(rule.dimension);
    watch.time("grad_and_value", () => {
      objective.setWeights(this.weights);
      const next = new Float64Array(this.state.length);
      rule.update(this.state, objective.gradient(), next);
      this.state = next;
      rule.preconditioner(this.state, preconditioner);
    });
    if (!isUsable(this.setup)) {
      this.status = diverged(this.kind, "loss or gradient");
      return;
    }
    if (!allPositive(preconditioner)) {
      this.status = unusablePreconditioner(this.kind);
      return;
    }
    const after = toPrecision(
      steppedWeights(rule, {
        weights: this.weights,
        state: this.state,
        gradient: objective.gradient(),
        preconditioner,
      }),
      precision,
    );
    this.next = after;
    const before = this.previous;
    const observed = before
      ? this.weights.map((weight, l) => 0.25 * (before[l] + 2 * weight + after[l]))
      : this.weights;
    if (before) watch.time("grad_and_value", () => objective.setWeights(observed));
    const seen = this.see(watch, observed);
    if (seen) this.observation = seen;
  }

  /** w_t − w*_t: the oscillation that the observed point leaves out. Zero in the first step. */
  oscillation(): Float64Array {
    const observed = this.observation?.weights ?? this.weights;
    return this.weights.map((weight, l) => weight - observed[l]);
  }

  protected move(): void {
    this.previous = this.weights;
    this.weights = this.next as Float64Array;
  }

  override snapshot(): Record<string, Float64Array> {
    const saved = super.snapshot();
    return "w_prev" in saved || !this.previous ? saved : { ...saved, w_prev: this.previous.slice() };
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    this.previous = saved.w_prev?.slice();
  }
}
