import type { Objective } from "../../autodiff/index.ts";
import { Random } from "../../base/index.ts";
import {
  type BlockOperator,
  type EigenPairs,
  type EigenProgress,
  type EigenResult,
  type EigenStatus,
  lanczos,
  lobpcg,
  SubspaceHistory,
} from "../../linalg/index.ts";
import { effectiveHessian, innerProduct } from "./effective-hessian.ts";

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
  /** Most pairs that one solve adds. Default 8: the next solves go on. */
  readonly mostGrown?: number;
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
  /** T_ij = D³L[u_i, u_j, ·] of the pairs above `PairUse.criticalAbove`, if they came with the products. */
  readonly third?: Float64Array;
}

/** What becomes of pairs inside a step, so that one pass gives it. */
export interface PairUse {
  /** Pairs above this are asked for their third derivatives next. */
  readonly criticalAbove: number;
  /** The objective's `joint`, or something around it. */
  readonly joint: Objective["joint"];
}

/** How an eigensolve ended and what it took. */
export interface SolveLog {
  readonly status: EigenStatus;
  readonly iterations: number;
  /** Hessian-vector products spent. */
  readonly applications: number;
  /**
   * Relative residuals, one per pair; those of the pairs above the track threshold from products that the operator gave,
   * with rounding errors below a hundredth of the tolerance: `verify: "rounding"` of `lobpcg`.
   */
  readonly residuals: Float64Array;
}

/** What a tracker must keep across a stop for the same bits afterwards. */
export interface TrackerSnapshot {
  readonly vectors: Float64Array;
  /** What the last solves found, newest first: never written to. */
  readonly history: readonly Float64Array[];
  /** The values last solved for or logged. */
  readonly logged: Float64Array;
  /** [calls since the last solve (−1: never), pairs tracked, solves so far, the largest change of a logged value]. */
  readonly counters: Float64Array;
}

/** Pairs below the threshold are only watched; this relative residual bounds their eigenvalue error by its square. */
const WATCH_TOLERANCE = 1e-4;
/** Pairs count as above the threshold a little before they are. */
const WATCH_MARGIN = 0.95;
/**
 * Pairs are never tracked beyond this many: a run with more at the edge has a step size no flow can follow (with forty
 * critical eigenvalues a substep has 820 third derivatives).
 */
const MOST_TRACKED = 48;
/** Unless a process needs every one above the threshold at once, no solve adds more pairs: the next ones go on. */
const MOST_GROWN = 8;
/**
 * So often a solve adds one pair, then as many as there are. From then on that the last one's Ritz value is not below the
 * threshold is enough: Ritz values lie below the eigenvalues that they stand for.
 */
const SINGLE_GROWTHS = 4;
/**
 * One pair below the threshold stays tracked, and so many in all as lie within this part of it: eigenvalues go and come
 * back, and a pair that comes back costs a search. Measured over the fixtures' central flows: keeping four whatever they
 * are takes up to half more products.
 */
const SPARE = 4;
const SPARE_ABOVE = 0.9;

const NOTHING = new Float64Array(0);
/**
 * Pairs within so many times the largest recent change of the critical threshold are looked at inside a step. A pair that
 * becomes critical from further away does so one step late, as one does that was not tracked.
 */
const REACH = 4;
/**
 * Solves that the start of the next one is predicted from. Measured over the fixtures' central flows: 5 take up to 6 %
 * more applications than 6, and 8 take no fewer.
 */
const REMEMBERED = 6;
/** Numbers that may be kept for it (128 MB). */
const HISTORY_BUDGET = 2 ** 24;

/**
 * Tracks the top eigenpairs of P^{-1/2} H P^{-1/2} (docs/derivations.md, section 8). Solves start where the last ones
 * point to: see `SubspaceHistory`.
 */
export class EigenTracker {
  private readonly objective: Objective;
  private readonly settings: EigenSettings;
  private readonly seed: number;
  private readonly label: string;
  /** Eigenvectors of the symmetric form. */
  private vectors = new Float64Array(0);
  /** Their values when they were last looked at, descending. */
  private values = new Float64Array(0);
  /** Their values when they were last solved for or logged, and the largest change from the time before. */
  private logged = new Float64Array(0);
  private drift = Number.POSITIVE_INFINITY;
  private readonly history: SubspaceHistory;
  private age = -1;
  private count: number;
  private solves = 0;
  private readonly project: ((vectors: Float64Array, count: number) => void) | undefined;

  /**
   * @param label makes the random numbers of this tracker its own
   * @param project of a rule with a projection and one P for all weights: pairs are of P^{-1/2} Π H Π P^{-1/2}
   */
  constructor(
    objective: Objective,
    settings: EigenSettings,
    seed: number,
    label: string,
    project?: (vectors: Float64Array, count: number) => void,
  ) {
    this.project = project;
    this.objective = objective;
    this.settings = settings;
    this.seed = seed;
    this.label = label;
    this.count = Math.min(settings.initialCount, objective.dimension);
    this.history = new SubspaceHistory(
      objective.dimension,
      REMEMBERED,
      HISTORY_BUDGET,
      () => objective.shouldStop,
      this.tolerance,
    );
  }

  /** The bound on relative residuals of the pairs above the threshold: the reference's rule. */
  private get tolerance(): number {
    return Math.min(this.settings.tolerance * 10 * this.objective.dimension, 1e-2);
  }

  /** How many pairs are tracked. */
  get tracked(): number {
    return this.count;
  }

  /** Tracks this many pairs from the next solve on. */
  track(count: number): void {
    this.count = Math.min(count, this.objective.dimension);
  }

  /** Whether eigenpairs are computed at all. */
  get tracks(): boolean {
    return this.settings.frequency > 0;
  }

  /** Whether the next call is to be `solve`: the first is, and every so many after it; others follow. */
  get due(): boolean {
    return this.age < 0 || this.age >= this.settings.frequency;
  }

  snapshot(): TrackerSnapshot {
    return {
      vectors: this.vectors.slice(),
      history: this.history.bases,
      logged: this.logged,
      counters: Float64Array.of(this.age, this.count, this.solves, this.drift),
    };
  }

  restore({ vectors, history, logged, counters }: TrackerSnapshot): void {
    this.vectors = vectors.slice();
    this.logged = logged.slice();
    [this.age, this.count, this.solves, this.drift = Number.POSITIVE_INFINITY] = counters;
    this.history.restore(history);
  }

  /**
   * The top pairs at the objective's current weights, for P = 1/inverseRoot²: `count` of them, and more as long as the
   * smallest is not below the threshold, up to `mostGrown` in one solve. Afterwards at most `SPARE` pairs below the
   * threshold go on being tracked.
   */
  solve(inverseRoot: Float64Array): TrackedPairs {
    const apply = effectiveHessian(this.objective, inverseRoot, this.project);
    const most = this.mostNow();
    let start: Pick<EigenPairs, "vectors"> & Partial<EigenPairs> = {
      vectors: this.history.predict()?.subarray(0, this.count * this.objective.dimension) ?? NOTHING,
    };
    let iterations = 0;
    let applications = 0;
    for (let growths = 0; ; growths++) {
      const wanting = this.count < most && growths >= SINGLE_GROWTHS;
      const { value, status, stats } = this.solveOnce(apply, start, wanting);
      iterations += stats.iterations;
      applications += stats.applications;
      if (this.count < most && !this.isBelow(value.values[this.count - 1])) {
        this.count = Math.min(most, growths < SINGLE_GROWTHS ? this.count + 1 : 2 * this.count);
        start = value;
        continue;
      }
      const kept = this.kept(value.values, growths > 0);
      const length = kept * this.objective.dimension;
      if (status !== "not-finite") {
        const vectors = value.vectors.subarray(0, length);
        this.history.add(vectors);
        this.vectors = this.aligned(vectors.slice());
      } else if (this.vectors.length !== length) this.vectors = new Float64Array(length).fill(Number.NaN);
      this.count = kept;
      this.age = 1;
      this.values = value.values.slice(0, kept);
      this.log();
      const residuals = stats.relativeResiduals.slice(0, kept);
      return { ...this.current(inverseRoot), solve: { status, iterations, applications, residuals } };
    }
  }

  /** Whether an eigenvalue lies below the track threshold; true where the number tracked is fixed. */
  private isBelow(value: number): boolean {
    const { trackThreshold } = this.settings;
    return trackThreshold === null || !(value >= trackThreshold);
  }

  /** The most pairs that a solve may end with. */
  private mostNow(): number {
    const { initialCount, mostGrown = MOST_GROWN } = this.settings;
    const ever = Math.max(MOST_TRACKED, initialCount);
    return Math.min(this.objective.dimension, ever, this.count + mostGrown);
  }

  /** How many of the pairs just found go on being tracked: one below the threshold, more where they are near to it. */
  private kept(values: Float64Array, grown: boolean): number {
    if (this.settings.trackThreshold === null) return values.length;
    const { trackThreshold, initialCount } = this.settings;
    const above = leading(values, (value) => !this.isBelow(value));
    const near = leading(values, (value) => !(value < SPARE_ABOVE * (trackThreshold ?? 0)));
    const spare = grown ? 1 : Math.min(SPARE, Math.max(1, near - above));
    return Math.min(values.length, Math.max(initialCount, above + spare));
  }

  /**
   * Between solves: Rayleigh quotients of the last vectors of the symmetric form at the objective's current weights and
   * this P, sorted again.
   */
  follow(inverseRoot: Float64Array): TrackedPairs {
    const count = this.vectors.length / this.objective.dimension;
    const vectors = this.rightVectors(inverseRoot);
    const products = new Float64Array(vectors.length);
    this.objective.hvp(vectors, products, count);
    this.takeSorted(this.quotients(vectors, products, count));
    this.log();
    return this.current(inverseRoot);
  }

  /** Remembers the values as those of now, and how far they moved since the last time. */
  private log(): void {
    const { values, logged } = this;
    const common = Math.min(values.length, logged.length);
    this.drift = common > 0 ? 0 : Number.POSITIVE_INFINITY;
    for (let i = 0; i < common; i++) this.drift = Math.max(this.drift, Math.abs(values[i] - logged[i]));
    this.logged = values.slice();
  }

  /**
   * `follow` inside a step, where values are not logged: of the pairs that are critical or may become so before the next
   * values, the others keep theirs. May: that is within `REACH` times the largest change between the last two logs. Critical
   * pairs get their third derivatives in the same pass.
   */
  followForSubstep(inverseRoot: Float64Array, { criticalAbove, joint }: PairUse): TrackedPairs {
    const { values: last } = this;
    const p = this.objective.dimension;
    const vectors = this.rightVectors(inverseRoot);
    const held = leading(last, (value) => value > criticalAbove);
    const above = leading(last, (value) => value + REACH * this.drift > criticalAbove);
    const products = new Float64Array(above * p);
    const third = new Float64Array(((held * (held + 1)) / 2) * p);
    if (held > 0) joint(vectors, held, products, third);
    this.objective.hvp(vectors.subarray(held * p), products.subarray(held * p), above - held);
    const order = this.takeSorted(this.quotients(vectors, products, above));
    const stayed =
      leading(this.values, (value) => value > criticalAbove) === held &&
      order.slice(0, held).every((from, to) => from === to);
    return { ...this.current(inverseRoot), ...(stayed && { third }) };
  }

  /** @param wanting end as soon as the last pair is seen not to lie below the threshold */
  private solveOnce(
    apply: BlockOperator,
    { vectors, products }: Pick<EigenPairs, "vectors"> & Partial<EigenPairs>,
    wanting: boolean,
  ): EigenResult {
    const { trackThreshold, solver, maxIterations = 100 } = this.settings;
    const { dimension: p, shouldStop } = this.objective;
    const { count, tolerance } = this;
    const random = new Random(this.seed, `${this.label} ${this.solves++}`);
    if (solver === "lanczos") {
      const initial = vectors.length > 0 ? { initial: vectors.subarray(0, p) } : {};
      return lanczos(p, apply, {
        largest: count,
        random,
        tolerance,
        maxIterations: maxIterations * count,
        // One Krylov space holds one vector of each eigenspace: copies are found by looking again.
        confirm: true,
        shouldStop,
        ...initial,
      });
    }
    const required = (values: Float64Array): number => {
      if (trackThreshold === null) return count;
      return Math.max(
        1,
        leading(values, (value) => !(value < WATCH_MARGIN * trackThreshold)),
      );
    };
    return lobpcg(p, apply, {
      count,
      random,
      tolerance,
      looseTolerance: Math.max(tolerance, WATCH_TOLERANCE),
      required,
      maxIterations,
      verify: "rounding",
      shouldStop,
      ...(wanting && { stop: ({ values }: EigenProgress) => !this.isBelow(values[count - 1]) }),
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

  /** uᵀHu = xᵀP^{-1/2}HP^{-1/2}x of the first `above` vectors, and the last values of the others. */
  private quotients(vectors: Float64Array, products: Float64Array, above: number): Float64Array {
    const p = this.objective.dimension;
    return Float64Array.from({ length: vectors.length / p }, (_, i) =>
      i < above ? innerProduct(vectors, i, products, i, p) : this.values[i],
    );
  }

  /** Takes over new values of the last vectors, both put in descending order; returns where each one was. */
  private takeSorted(values: Float64Array): readonly number[] {
    const order = Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
    this.vectors = reordered(this.vectors, order, this.objective.dimension);
    this.values = values.map((_, to) => values[order[to]]);
    this.age++;
    return order;
  }

  private current(inverseRoot: Float64Array): TrackedPairs {
    const { values } = this;
    return { count: values.length, values: values.slice(), vectors: this.rightVectors(inverseRoot) };
  }

  /**
   * u = P^{-1/2} x turns orthonormal x into u with UᵀPU = I. With a projection Πu, the same but where an eigenvalue is 0:
   * a direction that Π takes away must not come back by its curvature, which the rule does not see.
   */
  private rightVectors(inverseRoot: Float64Array): Float64Array {
    const p = this.objective.dimension;
    const out = new Float64Array(this.vectors.length);
    for (let at = 0; at < out.length; at += p)
      for (let l = 0; l < p; l++) out[at + l] = this.vectors[at + l] * inverseRoot[l];
    this.project?.(out, out.length / p);
    return out;
  }
}

function reordered(vectors: Float64Array, order: readonly number[], p: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(vectors.length);
  order.forEach((from, to) => {
    out.set(vectors.subarray(from * p, (from + 1) * p), to * p);
  });
  return out;
}

/** How many of descending values pass before one does not. */
export function leading(values: Float64Array, passes: (value: number) => boolean): number {
  const first = values.findIndex((value) => !passes(value));
  return first < 0 ? values.length : first;
}
