import { valueError } from "../../base/index.ts";
import { advice } from "../../linalg/index.ts";
import { ACCEPTABLE_VIOLATION, type CentralSubstep, centralSubstep, stableSubstep } from "../central-flow.ts";
import type { TrackedPairs } from "../eigen-tracker.ts";
import { observe, Stopwatch } from "./evaluation.ts";
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
  /** Euler substeps per step: dt = 1/substeps. */
  readonly substeps: number;
  /** Eigenvalues above this are critical, in the unit where c = 2. */
  readonly criticalThreshold: number;
  /** Count the eigenvalues' frequency in substeps instead of steps. */
  readonly frequencyInSubsteps: boolean;
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
 * The central flow (math.md, section 4): the smooth curve through the middle of the optimizer's oscillation. Its
 * state starts with one plain update; below the edge it is the stable flow.
 */
export class CentralProcess extends SteppingProcess {
  readonly kind: "central" | "ablated";
  observation: CentralObservation | undefined;
  private readonly settings: CentralSettings;
  private next: { weights: Float64Array; state: Float64Array } | undefined;

  /** Throws when eigenvalues are not tracked: without them there is no central flow. */
  constructor(setup: ProcessSetup, settings: CentralSettings, kind: "central" | "ablated" = "central") {
    if (setup.eigen.frequency <= 0)
      throw valueError(
        `${kind} flow`,
        "eigenvalues computed every 1, 2, … steps",
        `a frequency of ${setup.eigen.frequency}`,
        "give --eig.frequency 1",
      );
    super(setup, kind, settings.frequencyInSubsteps ? 1 : settings.substeps);
    this.kind = kind;
    this.settings = settings;
    this.updateStateOnce();
  }

  protected evaluate(): void {
    const { objective, rule } = this.setup;
    const watch = new Stopwatch();
    const weights = this.weights.slice();
    const state = this.state.slice();
    const preconditioner = new Float64Array(rule.dimension);
    let first: CentralObservation | undefined;
    for (let i = 0; i < this.settings.substeps; i++) {
      watch.time("grad_and_value", () => {
        objective.setWeights(weights);
        objective.gradient();
      });
      if (!isUsable(this.setup) || !allFinite(state)) {
        this.status = diverged(this.kind, "loss, gradient or state");
        break;
      }
      rule.preconditioner(state, preconditioner);
      if (!allPositive(preconditioner)) {
        this.status = unusablePreconditioner(this.kind);
        break;
      }
      const pairs = watch.time("eig", () => this.curvature.pairs(preconditioner)) as TrackedPairs;
      if (!allFinite(pairs.values)) {
        this.status = diverged(this.kind, "Hessian");
        break;
      }
      const critical = this.criticalCount(pairs, state);
      let seen: Observation | undefined;
      if (i === 0) {
        const hessianValues = watch.time("eig", () => this.curvature.hessianValues(pairs, preconditioner));
        seen = observe(objective, state, {
          weights,
          preconditioner,
          pairs,
          hessianValues,
          times: watch.times,
        });
      }
      if (critical > MOST_CRITICAL) {
        this.status = {
          kind: "failed",
          reason: `${this.kind}: ${critical} or more eigenvalues are at or beyond the edge of stability, more than a central flow can hold; take a smaller learning rate`,
        };
        if (seen) first = { ...seen, critical, substep: undefined };
        break;
      }
      const substep = this.substep(
        watch,
        { weights, state, gradient: objective.gradient(), preconditioner },
        pairs,
        critical,
      );
      if (seen) first = { ...seen, critical, substep };
      if (substep && substep.status !== "solved" && !(substep.violation <= ACCEPTABLE_VIOLATION)) {
        this.status = {
          kind: "failed",
          reason: `${this.kind}: the complementarity problem with ${critical} critical eigenvalues ended "${substep.status}": ${advice[substep.status]}`,
        };
        break;
      }
    }
    if (first) this.observation = first;
    this.next = { weights, state };
  }

  private criticalCount(pairs: TrackedPairs, state: Float64Array): number {
    const threshold = (this.settings.criticalThreshold * this.setup.rule.criticalValue(state)) / 2;
    const below = pairs.values.findIndex((value) => !(value > threshold));
    return below < 0 ? pairs.count : below;
  }

  /** Moves weights and state by dt; returns the complementarity solution if anything was critical. */
  private substep(
    watch: Stopwatch,
    point: Parameters<typeof stableSubstep>[1],
    pairs: TrackedPairs,
    critical: number,
  ): CentralSubstep | undefined {
    const { objective, rule } = this.setup;
    const dt = 1 / this.settings.substeps;
    if (critical === 0) {
      watch.time("flow", () => stableSubstep(rule, point, dt));
      return undefined;
    }
    return watch.time("flow", () =>
      centralSubstep(
        objective,
        rule,
        point,
        { count: critical, values: pairs.values, vectors: pairs.vectors },
        dt,
        (part, work) => watch.time(part, work),
        this.kind === "central",
      ),
    );
  }

  protected move(): void {
    if (this.next) ({ weights: this.weights, state: this.state } = this.next);
  }
}
