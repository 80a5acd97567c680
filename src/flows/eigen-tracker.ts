import type { Objective } from "../autodiff/index.ts";
import { Random } from "../base/index.ts";
import {
  type BlockOperator,
  type EigenPairs,
  type EigenResult,
  type EigenStatus,
  lanczos,
  lobpcg,
} from "../linalg/index.ts";
import { effectiveHessian, innerProduct } from "./preconditioned.ts";

/** How eigenpairs are tracked along a process. */
export interface EigenSettings {
  /** Recompute every so many calls; in between Rayleigh quotients of the last vectors. ≤ 0: never compute any. */
  readonly frequency: number;
  /** Track one pair more while the smallest eigenvalue of P⁻¹H is at least this; null: a fixed number. */
  readonly trackThreshold: number | null;
  readonly initialCount: number;
  readonly solver: "lobpcg" | "lanczos";
  /** Relative residual ‖r‖/(‖Au‖ + |θ|) < tolerance·10·p for the pairs above the threshold (the reference's rule). */
  readonly tolerance: number;
  readonly maxIterations?: number;
}

/** Eigenpairs of the effective Hessian P⁻¹H at one point. */
export interface TrackedPairs {
  readonly count: number;
  /** Descending. */
  readonly values: Float64Array;
  /** Right eigenvectors of P⁻¹H with UᵀPU = I, `count` vectors of length p. */
  readonly vectors: Float64Array;
  /** Absent between recomputations. */
  readonly solve?: SolveLog;
}

export interface SolveLog {
  readonly status: EigenStatus;
  readonly iterations: number;
  /** Hessian-vector products spent. */
  readonly applications: number;
  /** Recomputed relative residuals, one per pair. */
  readonly residuals: Float64Array;
}

/** What a tracker must keep across a stop for the same bits afterwards. */
export interface TrackerSnapshot {
  readonly vectors: Float64Array;
  /** [calls since the last solve (−1: never), pairs tracked, solves so far]. */
  readonly counters: Float64Array;
}

/** Pairs below the threshold are only watched; this relative residual bounds their eigenvalue error by its square. */
const WATCH_TOLERANCE = 1e-4;
/** Pairs count as above the threshold a little before they are. */
const WATCH_MARGIN = 0.95;
/**
 * Pairs are never tracked beyond this many: a run with more at the edge has a step size no flow can follow (with forty
 * critical eigenvalues a substep has 820 third derivatives), and growing one by one to p would look like a hang.
 */
const MOST_TRACKED = 48;

/** Tracks the top eigenpairs of P^{-1/2} H P^{-1/2}, warm-started from the last ones (math.md, section 5). */
export class EigenTracker {
  private readonly objective: Objective;
  private readonly settings: EigenSettings;
  private readonly seed: number;
  private readonly label: string;
  /** Eigenvectors of the symmetric form. */
  private vectors = new Float64Array(0);
  private age = -1;
  private count: number;
  private solves = 0;

  /** @param label makes the random numbers of this tracker its own */
  constructor(objective: Objective, settings: EigenSettings, seed: number, label: string) {
    this.objective = objective;
    this.settings = settings;
    this.seed = seed;
    this.label = label;
    this.count = Math.min(settings.initialCount, objective.dimension);
  }

  /** How many pairs are tracked. */
  get tracked(): number {
    return this.count;
  }

  /** Tracks at least this many pairs from the next solve on. */
  trackAtLeast(count: number): void {
    this.count = Math.min(Math.max(this.count, count), this.objective.dimension);
  }

  /**
   * The top pairs at the objective's current weights, for P = 1/inverseRoot². Solves on the first call and every
   * `frequency` calls; otherwise Rayleigh quotients of the fixed symmetric vectors, sorted again.
   * Undefined when tracking is off.
   */
  pairs(inverseRoot: Float64Array): TrackedPairs | undefined {
    if (this.settings.frequency <= 0) return undefined;
    const due = this.age < 0 || this.age >= this.settings.frequency;
    if (due) this.age = 0;
    const result = due ? this.solve(inverseRoot) : this.quotients(inverseRoot);
    this.age++;
    return result;
  }

  snapshot(): TrackerSnapshot {
    return { vectors: this.vectors.slice(), counters: Float64Array.of(this.age, this.count, this.solves) };
  }

  restore({ vectors, counters }: TrackerSnapshot): void {
    this.vectors = vectors.slice();
    [this.age, this.count, this.solves] = counters;
  }

  /** Solves for `count` pairs, and for one more as long as the smallest is not below the threshold. */
  private solve(inverseRoot: Float64Array): TrackedPairs {
    const { trackThreshold } = this.settings;
    const p = this.objective.dimension;
    const apply = effectiveHessian(this.objective, inverseRoot);
    let start: Pick<EigenPairs, "vectors"> & Partial<EigenPairs> = {
      vectors: this.vectors.subarray(0, Math.min(this.vectors.length, this.count * p)),
    };
    let iterations = 0;
    let applications = 0;
    for (;;) {
      const { value, status, stats } = this.solveOnce(apply, start);
      iterations += stats.iterations;
      applications += stats.applications;
      const most = Math.min(p, Math.max(MOST_TRACKED, this.settings.initialCount));
      const grows =
        trackThreshold !== null && this.count < most && value.values[this.count - 1] >= trackThreshold;
      if (grows) {
        this.count++;
        start = value;
        continue;
      }
      if (status !== "not-finite") this.vectors = this.aligned(value.vectors.slice());
      return {
        count: this.count,
        values: value.values.slice(),
        vectors: this.rightVectors(inverseRoot),
        solve: { status, iterations, applications, residuals: stats.relativeResiduals.slice() },
      };
    }
  }

  private solveOnce(
    apply: BlockOperator,
    { vectors, products }: Pick<EigenPairs, "vectors"> & Partial<EigenPairs>,
  ): EigenResult {
    const { trackThreshold, solver, maxIterations = 100 } = this.settings;
    const p = this.objective.dimension;
    const { count } = this;
    const random = new Random(this.seed, `${this.label} ${this.solves++}`);
    const tolerance = Math.min(this.settings.tolerance * 10 * p, 1e-2);
    if (solver === "lanczos") {
      const initial = vectors.length > 0 ? { initial: vectors.subarray(0, p) } : {};
      return lanczos(p, apply, {
        largest: count,
        random,
        tolerance,
        maxIterations: maxIterations * count,
        ...initial,
      });
    }
    const required = (values: Float64Array): number => {
      if (trackThreshold === null) return count;
      const above = values.findIndex((value) => value < WATCH_MARGIN * trackThreshold);
      return Math.max(1, above < 0 ? count : above);
    };
    return lobpcg(p, apply, {
      count,
      random,
      tolerance,
      looseTolerance: Math.max(tolerance, WATCH_TOLERANCE),
      required,
      maxIterations,
      ...(vectors.length > 0 && { initial: vectors }),
      ...(products && { initialProducts: products }),
    });
  }

  /** Keeps the sign of each vector that was there before. */
  private aligned(vectors: Float64Array): Float64Array<ArrayBuffer> {
    const p = this.objective.dimension;
    for (let i = 0; i < vectors.length / p; i++) {
      if ((i + 1) * p > this.vectors.length) break;
      if (innerProduct(vectors, i, this.vectors, i, p) < 0)
        for (let l = i * p; l < (i + 1) * p; l++) vectors[l] = -vectors[l];
    }
    return vectors as Float64Array<ArrayBuffer>;
  }

  private quotients(inverseRoot: Float64Array): TrackedPairs {
    const p = this.objective.dimension;
    const count = this.vectors.length / p;
    const products = new Float64Array(count * p);
    effectiveHessian(this.objective, inverseRoot)(this.vectors, products, count);
    const quotients = Array.from({ length: count }, (_, i) => innerProduct(this.vectors, i, products, i, p));
    const order = quotients.map((_, i) => i).sort((a, b) => quotients[b] - quotients[a] || a - b);
    const sorted = new Float64Array(count * p);
    order.forEach((from, to) => {
      sorted.set(this.vectors.subarray(from * p, (from + 1) * p), to * p);
    });
    this.vectors = sorted;
    return {
      count,
      values: Float64Array.from(order, (i) => quotients[i]),
      vectors: this.rightVectors(inverseRoot),
    };
  }

  /** u = P^{-1/2} x turns orthonormal x into u with UᵀPU = I. */
  private rightVectors(inverseRoot: Float64Array): Float64Array {
    const p = this.objective.dimension;
    const out = new Float64Array(this.vectors.length);
    for (let i = 0; i < out.length; i++) out[i] = this.vectors[i] * inverseRoot[i % p];
    return out;
  }
}
