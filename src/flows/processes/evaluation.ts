import type { Objective } from "../../autodiff/index.ts";
import { type EigenSettings, EigenTracker, type TrackedPairs } from "../eigen-tracker.ts";
import { inverseRootOf } from "../preconditioned.ts";
import type { Observation, ProcessSetup } from "./process.ts";

/** Wall-clock seconds by part of the work. */
export class Stopwatch {
  readonly times: Record<string, number> = {};

  /** Runs `work` and adds its duration to a part. */
  time<T>(part: string, work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.times[part] = (this.times[part] ?? 0) + (performance.now() - start) / 1000;
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
    this.tracker = new EigenTracker(objective, settings, seed, label);
    this.raw =
      rawEigenvalues && !this.uniform
        ? new EigenTracker(objective, { ...eigen, trackThreshold: null }, seed, `${label} raw`)
        : undefined;
    this.inverseRoot = new Float64Array(objective.dimension);
    this.ones = new Float64Array(this.raw ? objective.dimension : 0).fill(1);
  }

  /** The tracked pairs of P⁻¹H at the objective's weights. */
  pairs(preconditioner: Float64Array): TrackedPairs | undefined {
    return this.tracker.pairs(inverseRootOf(preconditioner, this.inverseRoot));
  }

  /** As many eigenvalues of H itself: λ·P where P is one number, else tracked on their own. */
  hessianValues(pairs: TrackedPairs | undefined, preconditioner: Float64Array): Float64Array | undefined {
    if (!pairs) return undefined;
    if (this.uniform) return pairs.values.map((value) => value * preconditioner[0]);
    this.raw?.trackAtLeast(pairs.count);
    return this.raw?.pairs(this.ones)?.values;
  }

  snapshot(): Record<string, Float64Array> {
    const { vectors, counters } = this.tracker.snapshot();
    const raw = this.raw?.snapshot();
    return {
      "eig.vectors": vectors,
      "eig.counters": counters,
      ...(raw && { "raw_eig.vectors": raw.vectors, "raw_eig.counters": raw.counters }),
    };
  }

  restore(saved: Readonly<Record<string, Float64Array>>): void {
    const load = (tracker: EigenTracker | undefined, prefix: string): void => {
      const vectors = saved[`${prefix}.vectors`];
      const counters = saved[`${prefix}.counters`];
      if (tracker && vectors && counters) tracker.restore({ vectors, counters });
    };
    load(this.tracker, "eig");
    load(this.raw, "raw_eig");
  }
}

/** What is seen at some weights: copies, so that the shared objective may move on. */
export function observe(
  objective: Objective,
  state: Float64Array,
  seen: Pick<Observation, "weights" | "preconditioner" | "pairs" | "hessianValues" | "times">,
): Observation {
  return {
    ...seen,
    weights: seen.weights.slice(),
    state: state.slice(),
    preconditioner: seen.preconditioner.slice(),
    loss: objective.loss(),
    gradient: objective.gradient().slice(),
    outputs: objective.outputs().slice(),
  };
}
