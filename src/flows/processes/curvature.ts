import { inverseRootOf } from "../dynamics/effective-hessian.ts";
import {
  type EigenSettings,
  EigenTracker,
  type PairUse,
  type TrackedPairs,
} from "../dynamics/eigen-tracker.ts";
import type { ProcessSetup } from "./process.ts";

/** Wall-clock seconds by part of the work; a part inside another counts for itself alone. */
export class Stopwatch {
  readonly times: Record<string, number> = {};
  /** Seconds of the parts finished so far inside the one that runs. */
  private inside = 0;

  /** Runs `work` and adds its duration to a part. */
  time<T>(part: string, work: () => T): T {
    const before = this.inside;
    this.inside = 0;
    const start = performance.now();
    try {
      return work();
    } finally {
      const spent = (performance.now() - start) / 1000;
      this.times[part] = (this.times[part] ?? 0) + spent - this.inside;
      this.inside = before + spent;
    }
  }
}

/** A process' eigenpairs: those of P⁻¹H, and those of H where they do not follow from them. */
export class Curvature {
  private readonly tracker: EigenTracker;
  private readonly raw: EigenTracker | undefined;
  private readonly inverseRoot: Float64Array;
  private readonly ones: Float64Array;
  private readonly uniform: boolean;

  /** @param evaluationsPerStep how often `pairs` is called per step; `hessianValues` is called once */
  constructor(setup: ProcessSetup, label: string, evaluationsPerStep = 1) {
    const { objective, rule, eigen, seed, rawEigenvalues } = setup;
    this.uniform = rule.preconditionerIsUniform;
    const settings: EigenSettings = {
      ...eigen,
      frequency: eigen.frequency * evaluationsPerStep,
      trackThreshold:
        eigen.trackThreshold === null ? null : (eigen.trackThreshold * rule.rule.criticalValue) / 2,
    };
    // Of a projection with a diagonal P the eigenvalues of P⁻¹ΠH need not be real: those of P⁻¹H are shown.
    const project = this.uniform ? rule.project : undefined;
    this.tracker = new EigenTracker(objective, settings, seed, label, project);
    this.raw =
      rawEigenvalues && !this.uniform
        ? new EigenTracker(objective, { ...eigen, trackThreshold: null }, seed, `${label} raw`)
        : undefined;
    this.inverseRoot = new Float64Array(objective.dimension);
    this.ones = new Float64Array(this.raw ? objective.dimension : 0).fill(1);
  }

  /**
   * The tracked pairs of P⁻¹H at the objective's weights, solved for where that is due and followed in between; undefined
   * where none are tracked.
   * @param use given inside a step, where values are not logged: see `EigenTracker.followForSubstep`
   */
  pairs(preconditioner: Float64Array, use?: PairUse): TrackedPairs | undefined {
    return next(this.tracker, inverseRootOf(preconditioner, this.inverseRoot), use);
  }

  /** As many eigenvalues of H itself: λ·P where P is one number, else tracked on their own. */
  hessianValues(pairs: TrackedPairs | undefined, preconditioner: Float64Array): Float64Array | undefined {
    if (!pairs) return undefined;
    if (this.uniform) return pairs.values.map((value) => value * preconditioner[0]);
    this.raw?.track(pairs.count);
    return this.raw && next(this.raw, this.ones)?.values;
  }

  snapshot(): Record<string, Float64Array> {
    const named = (prefix: string, tracker: EigenTracker): Record<string, Float64Array> => {
      const { vectors, history, logged, counters } = tracker.snapshot();
      const past = Object.fromEntries(history.map((block, i) => [`${prefix}.history.${i}`, block]));
      return {
        [`${prefix}.vectors`]: vectors,
        [`${prefix}.logged`]: logged,
        [`${prefix}.counters`]: counters,
        ...past,
      };
    };
    return { ...named("eig", this.tracker), ...(this.raw && named("raw_eig", this.raw)) };
  }

  restore(saved: Readonly<Record<string, Float64Array>>): void {
    const load = (tracker: EigenTracker | undefined, prefix: string): void => {
      const vectors = saved[`${prefix}.vectors`];
      const counters = saved[`${prefix}.counters`];
      const history: Float64Array[] = [];
      for (let i = 0; saved[`${prefix}.history.${i}`]; i++) history.push(saved[`${prefix}.history.${i}`]);
      const logged = saved[`${prefix}.logged`] ?? new Float64Array(0);
      if (tracker && vectors && counters) tracker.restore({ vectors, history, logged, counters });
    };
    load(this.tracker, "eig");
    load(this.raw, "raw_eig");
  }
}

function next(tracker: EigenTracker, inverseRoot: Float64Array, use?: PairUse): TrackedPairs | undefined {
  if (!tracker.tracks) return undefined;
  if (tracker.due) return tracker.solve(inverseRoot);
  return use ? tracker.followForSubstep(inverseRoot, use) : tracker.follow(inverseRoot);
}
