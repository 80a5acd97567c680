import { exp, Random, valueError } from "../../base/index.ts";
import { innerProduct } from "../dynamics/effective-hessian.ts";
import type { PhasePoint } from "../dynamics/point.ts";
import type { Stopwatch } from "../processes/curvature.ts";
import { allPositive, isUsable, type ProcessSetup } from "../processes/process.ts";
import { type CentralSettings, type EdgeFlowSettings, PROCESS_DEFAULTS } from "../processes/settings.ts";
import { SteppingProcess } from "../processes/stepping.ts";
import type { CompiledRule } from "../rules/compile.ts";
import type { ExtentObservation } from "./rod.ts";

/** Where a step leads: the centre with its direction and magnitude. */
interface Directed extends PhasePoint {
  readonly direction: Float64Array;
  readonly magnitude: number;
}

/**
 * The edge flow, reconstructed (docs/derivations.md, section 19; arXiv 2606.18080 for gd, whose full text was not at
 * hand): a centre c, a direction d and a magnitude a of the oscillation along it,
 *
 *     dc/dt = −½P⁻¹(g₊ + g₋),   dd/dt = (1 − ddᵀP)P⁻¹H(c)d,   da/dt = (dᵀH(c)d − 2)a,   g± = ∇L(c ± ad), dᵀPd = 1.
 *
 * With P = 1/η this is the published form. Ours: P and its state, which takes the mean over the two ends; the exponential
 * step of a. Without a floor under a the oscillation comes far too late. Cost: two gradients and one product per substep.
 */
export class EdgeFlowProcess extends SteppingProcess<Directed> {
  observation: ExtentObservation | undefined;
  private readonly substeps: number;
  private readonly floor: number;
  private direction: Float64Array;
  private magnitude: number;

  /** @throws InputValueError for a rule that averages its gradients */
  constructor(
    setup: ProcessSetup,
    central: Pick<CentralSettings, "substeps">,
    { floor }: EdgeFlowSettings = PROCESS_DEFAULTS.edge,
  ) {
    checkDirection(setup.rule);
    super(setup, "edge-flow");
    this.substeps = central.substeps;
    this.floor = floor;
    this.magnitude = floor;
    this.direction = new Random(setup.seed, "edge flow").fillNormal(new Float64Array(setup.rule.dimension));
    this.updateStateOnce();
  }

  protected evaluate(watch: Stopwatch): Directed | undefined {
    const { objective, rule } = this.setup;
    const p = rule.dimension;
    const dt = 1 / this.substeps;
    const here = { weights: this.weights.slice(), state: this.state.slice() };
    const direction = this.direction.slice();
    let { magnitude } = this;
    for (let i = 0; i < this.substeps; i++) {
      const P = new Float64Array(p);
      rule.preconditioner(here.state, P);
      if (!allPositive(P)) return this.fail({ code: "preconditioner" });
      normalise(direction, P);
      const ends = [1, -1].map((sign) =>
        watch.time("grad_and_value", () => {
          objective.setWeights(here.weights.map((entry, l) => entry + sign * magnitude * direction[l]));
          if (!isUsable(this.setup)) return this.fail({ code: "diverged", where: "gradient" });
          return { gradient: objective.gradient().slice(), loss: objective.loss() };
        }),
      );
      const [first, second] = ends;
      if (!first || !second) return undefined;
      objective.setWeights(here.weights);
      if (i === 0) {
        const observed = this.observe(watch, here);
        if (!observed) return undefined;
        this.observation = {
          ...observed,
          oscillation: {
            variances: Float64Array.of(magnitude * magnitude),
            directions: direction.slice(),
          },
          predictedLoss: 0.5 * (first.loss + second.loss),
        };
      }
      const product = new Float64Array(p);
      watch.time("dH", () => objective.hvp(direction, product, 1));
      const curvature = innerProduct(direction, 0, product, 0, p);
      const rates = [first, second].map(({ gradient }) => {
        const rate = new Float64Array(here.state.length);
        rule.rate(here.state, gradient, rate);
        return rate;
      });
      const decay = rule.decay(here.state);
      const edge = rule.criticalValue(here.state);
      for (let l = 0; l < p; l++) {
        const mean = 0.5 * (first.gradient[l] + second.gradient[l]);
        here.weights[l] -= dt * (mean / P[l] + decay * here.weights[l]);
        direction[l] += dt * (product[l] / P[l] - curvature * direction[l]);
      }
      for (let l = 0; l < here.state.length; l++) here.state[l] += 0.5 * dt * (rates[0][l] + rates[1][l]);
      magnitude = Math.max(this.floor, magnitude * exp(dt * (curvature - edge)));
    }
    return { ...here, direction, magnitude };
  }

  protected override move(next: Directed): void {
    super.move(next);
    this.direction = next.direction;
    this.magnitude = next.magnitude;
  }

  protected override saved(): Record<string, Float64Array> {
    return {
      ...super.saved(),
      "edge.direction": this.direction.slice(),
      "edge.magnitude": Float64Array.of(this.magnitude),
    };
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    if (saved["edge.direction"]) this.direction = saved["edge.direction"].slice();
    if (saved["edge.magnitude"]) this.magnitude = saved["edge.magnitude"][0];
  }
}

/** d ← d/√(dᵀPd). */
function normalise(direction: Float64Array, P: Float64Array): void {
  let square = 0;
  for (let l = 0; l < P.length; l++) square += direction[l] * P[l] * direction[l];
  for (let l = 0; l < P.length; l++) direction[l] /= Math.sqrt(square);
}

/** @throws InputValueError for a rule that steps along something else than the gradient */
export function checkDirection({ directionIsGradient, rule }: CompiledRule): void {
  if (directionIsGradient) return;
  throw valueError(
    "edge flow",
    "a rule that steps along the gradient itself (gd, scalar-rmsprop, rmsprop)",
    rule.name,
    "the rod flows and the two-step flow take averages of gradients too",
  );
}
