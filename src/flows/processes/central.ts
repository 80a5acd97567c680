import type { Objective } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { advice } from "../../linalg/index.ts";
import {
  ACCEPTABLE_VIOLATION,
  type CentralSubstep,
  centralSubstep,
  stableSubstep,
} from "../dynamics/central-substep.ts";
import { leading, type TrackedPairs } from "../dynamics/eigen-tracker.ts";
import {
  defaultIntegrator,
  type Integrator,
  middleOf,
  noPush,
  type Place,
  type Push,
  pointAt,
} from "../dynamics/integrator.ts";
import type { FlowPoint } from "../dynamics/velocity.ts";
import { Stopwatch } from "./curvature.ts";
import {
  allFinite,
  allPositive,
  diverged,
  isUsable,
  type Observation,
  type ProcessSetup,
  unusablePreconditioner,
} from "./process.ts";
import { SteppingProcess } from "./stepping.ts";

export interface CentralSettings {
  /** Substeps per step: dt = 1/substeps. */
  readonly substeps: number;
  /** Eigenvalues above this are critical, in the unit where c = 2. */
  readonly criticalThreshold: number;
  /** Count the eigenvalues' frequency in substeps instead of steps. */
  readonly frequencyInSubsteps: boolean;
  /** By default that of the rule: Euler for the gradient, leapfrog for an average of gradients. */
  readonly integrator?: Integrator;
}

/** More critical eigenvalues than this end the flow: a substep would take 500 third derivatives and more. */
const MOST_CRITICAL = 32;

/** What the central flow's first substep of a step found, besides what every process shows. */
export interface CentralObservation extends Observation {
  /** The number of critical eigenvalues. */
  readonly critical: number;
  /** The substep's complementarity solution and rates; absent when nothing was critical. */
  readonly substep: CentralSubstep | undefined;
}

/**
 * The central flow (docs/derivations.md, section 6): the smooth curve through the middle of the optimizer's
 * oscillation. Its state starts with one plain update; below the edge it is the stable flow.
 */
export class CentralProcess extends SteppingProcess {
  readonly kind: "central" | "ablated";
  observation: CentralObservation | undefined;
  private readonly settings: CentralSettings;
  private readonly integrator: Integrator;
  /** What Σ did in the substep before: leapfrog's middle is found with it. */
  private push: Push;
  private next: (Place & { readonly push: Push }) | undefined;

  /** Throws when eigenvalues are not tracked: without them there is no central flow. */
  constructor(setup: ProcessSetup, settings: CentralSettings, kind: "central" | "ablated" = "central") {
    if (setup.eigen.frequency <= 0)
      throw valueError(
        `${kind} flow`,
        "eigenvalues computed every 1, 2, … steps",
        `a frequency of ${setup.eigen.frequency}`,
        "give --eig.frequency 1",
      );
    const integrator = settings.integrator ?? defaultIntegrator(setup.rule);
    // Leapfrog asks for pairs in the middle of every substep, and once where the step is seen.
    const asked = settings.substeps + (integrator === "leapfrog" ? 1 : 0);
    super(setup, kind, settings.frequencyInSubsteps ? 1 : asked);
    this.kind = kind;
    this.settings = settings;
    this.integrator = integrator;
    this.push = noPush(setup.rule);
    this.updateStateOnce();
  }

  protected evaluate(): void {
    const { objective } = this.setup;
    const watch = new Stopwatch();
    const start = { weights: this.weights.slice(), state: this.state.slice() };
    watch.time("grad_and_value", () => {
      objective.setWeights(start.weights);
      objective.gradient();
    });
    const seen = this.see(watch, start.weights);
    if (!seen) return;
    let push = this.push;
    for (let i = 0; i < this.settings.substeps && this.status.kind === "running"; i++) {
      const point = watch.time("grad_and_value", () => this.pointOf(start, push, i === 0));
      const pairs = i === 0 && this.integrator === "euler" ? seen.pairs : this.look(watch, point);
      if (!pairs) break;
      const threshold = this.criticalThreshold(point.state);
      const critical = leading(pairs.values, (value) => value > threshold);
      const substep = this.substep(watch, start, point, pairs, critical);
      if (i === 0) this.observation = { ...seen, critical, substep };
      push = substep?.push ?? noPush(this.setup.rule);
    }
    this.next = { ...start, push };
  }

  /** Where the rates of a substep are taken; the objective is left standing there. */
  private pointOf(start: Place, push: Push, standing: boolean): FlowPoint {
    const { objective, rule } = this.setup;
    if (!standing && (this.integrator === "euler" || !rule.directionIgnoresGradient))
      objective.setWeights(start.weights);
    if (this.integrator === "euler") return pointAt(objective, rule, start);
    return middleOf(objective, rule, start, 1 / this.settings.substeps, push);
  }

  /** The eigenpairs at a point; undefined, and the status says why, where there is nothing to go on with. */
  private look(watch: Stopwatch, { state, preconditioner }: FlowPoint): TrackedPairs | undefined {
    if (!isUsable(this.setup) || !allFinite(state))
      this.status = diverged(this.kind, "loss, gradient or state");
    else if (!allPositive(preconditioner)) this.status = unusablePreconditioner(this.kind);
    else {
      const { objective } = this.setup;
      const joint: Objective["joint"] = (...block) => watch.time("dH", () => objective.joint(...block));
      const use = { criticalAbove: this.criticalThreshold(state), joint };
      const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner, use));
      if (pairs && allFinite(pairs.values)) return pairs;
      this.status = diverged(this.kind, "Hessian");
    }
    return undefined;
  }

  private criticalThreshold(state: Float64Array): number {
    return (this.settings.criticalThreshold * this.setup.rule.criticalValue(state)) / 2;
  }

  /**
   * Moves `start` by a substep; returns the complementarity solution if anything was critical. The status says where
   * there are too many critical eigenvalues or there is no solution.
   */
  private substep(
    watch: Stopwatch,
    start: Place,
    point: FlowPoint,
    pairs: TrackedPairs,
    critical: number,
  ): CentralSubstep | undefined {
    const { objective, rule } = this.setup;
    const dt = 1 / this.settings.substeps;
    if (critical > MOST_CRITICAL) {
      this.status = {
        kind: "failed",
        reason: `${this.kind}: ${critical} or more eigenvalues are at or beyond the edge of stability, more than a central flow can hold; take a smaller learning rate`,
      };
      return undefined;
    }
    if (critical === 0) {
      watch.time("flow", () => stableSubstep(rule, point, dt, start));
      return undefined;
    }
    const held = { ...pairs, count: critical };
    const time = <T>(part: string, work: () => T): T => watch.time(part, work);
    const substep = watch.time("flow", () =>
      centralSubstep(objective, rule, point, held, dt, { start, time, penalty: this.kind === "central" }),
    );
    if (substep.status !== "solved" && !(substep.violation <= ACCEPTABLE_VIOLATION))
      this.status = {
        kind: "failed",
        reason: `${this.kind}: the complementarity problem with ${critical} critical eigenvalues ended "${substep.status}": ${advice[substep.status]}`,
      };
    return substep;
  }

  protected move(): void {
    if (this.next) ({ weights: this.weights, state: this.state, push: this.push } = this.next);
  }

  override snapshot(): Record<string, Float64Array> {
    const saved = super.snapshot();
    if (this.integrator === "euler" || "push.w" in saved) return saved;
    return { ...saved, "push.w": this.push.weights.slice(), "push.state": this.push.state.slice() };
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    const [weights, state] = [saved["push.w"], saved["push.state"]];
    this.push =
      weights && state ? { weights: weights.slice(), state: state.slice() } : noPush(this.setup.rule);
  }
}
