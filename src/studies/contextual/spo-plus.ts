import { type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { type Examples, type Model, REGRESSORS } from "./data.ts";
import { EDGES, PATHS } from "./grid.ts";
import { predict } from "./plug-in.ts";

const N = EDGES.length;
const COUNT = PATHS.length;
const LENGTH = PATHS[0].length;
const FLAT = Int32Array.from(PATHS.flat());

/** The 0–1 vectors of two paths multiplied: the edges they share. */
const SHARED = Float64Array.from({ length: COUNT * COUNT }, (_, at) => {
  const other = new Set(PATHS[at % COUNT]);
  return PATHS[Math.floor(at / COUNT)].filter((edge) => other.has(edge)).length;
});

/** Most pair steps on one example before the next one is looked at. */
const PAIRS = 10;

/** A minimiser of the penalised loss, with its proof. */
export interface SpoFit {
  readonly weights: Float64Array;
  /** the penalised loss */
  readonly loss: number;
  /** the loss less the dual's value: by so much at most it lies above the minimum */
  readonly gap: number;
  readonly passes: number;
}

/** What a fit asks of one set of examples: the same for every penalty. */
export interface SpoProblem {
  readonly size: number;
  readonly count: number;
  readonly regressors: Float64Array;
  readonly observed: Float64Array;
  /** of each example the place in PATHS of its cheapest path */
  readonly best: Int32Array;
  /** the weight of each path in each example, the dual's variables: overwritten, the start of the next fit */
  readonly mixture: Float64Array;
}

/** A problem, its dual at the cheapest paths, which belongs to B = 0. */
export function spoProblem(model: Model, { count, regressors, observed }: Examples): SpoProblem {
  const mixture = new Float64Array(count * COUNT);
  const best = new Int32Array(count);
  const scores = new Float64Array(COUNT);
  for (let i = 0; i < count; i++) {
    pathScores(observed.subarray(i * N, (i + 1) * N), scores);
    best[i] = scores.indexOf(Math.min(...scores));
    mixture[i * COUNT + best[i]] = 1;
  }
  return { size: REGRESSORS[model], count, regressors: regressors[model], observed, best, mixture };
}

function pathScores(costs: Float64Array, into: Float64Array): void {
  for (let p = 0; p < COUNT; p++) {
    let sum = 0;
    for (let l = p * LENGTH; l < (p + 1) * LENGTH; l++) sum += costs[FLAT[l]];
    into[p] = sum;
  }
}

/**
 * Minimises the SPO+ loss (Elmachtoub and Grigas, arXiv 1710.08005) of a linear model ĉ = Bx with a penalty,
 *
 *     F(B) = λ/2 ‖B‖² + (1/n) Σ_i [ max_z (c_i − 2Bx_i)·z + 2Bx_i·w_i − c_i·w_i ],
 *
 * z over the paths, w_i the cheapest one at the costs c_i seen. Its dual has weights α_i on the 70 paths of each example,
 * and B = (2/λn) Σ_i Σ_z α_i(z)(z − w_i)x_iᵀ; example after example, weight goes from the path that gains least to that
 * which gains most, as far as the dual rises. F less the dual's value proves how good B is.
 *
 * @param problem its mixture is where this starts, and overwritten
 * @param tolerance of the gap, relative to F
 */
export function spoPlus(
  problem: SpoProblem,
  penalty: number,
  tolerance: number,
  mostPasses: number,
  shouldStop: ShouldStop,
): SpoFit {
  const { size, count, regressors, observed, mixture } = problem;
  const weights = weightsOf(problem, penalty);
  const costs = new Float64Array(N);
  const scores = new Float64Array(COUNT);
  const moved = new Float64Array(N);
  for (let passes = 0; ; passes++) {
    throwIfStopped("spoPlus", shouldStop);
    const { loss, gap } = certificate(problem, weights, penalty);
    if (gap <= tolerance * loss || passes >= mostPasses) return { weights, loss, gap, passes };
    for (let i = 0; i < count; i++) {
      const at = i * size;
      predict(weights, regressors, at, size, costs);
      let square = 0;
      for (let r = 0; r < size; r++) square += regressors[at + r] ** 2;
      for (let edge = 0; edge < N; edge++) costs[edge] = observed[i * N + edge] - 2 * costs[edge];
      pathScores(costs, scores);
      moved.fill(0);
      const unit = (4 * square) / (penalty * count);
      for (let pair = 0; pair < PAIRS; pair++) {
        let [high, low] = [0, -1];
        for (let p = 0; p < COUNT; p++) {
          if (scores[p] > scores[high]) high = p;
          if (mixture[i * COUNT + p] > 0 && (low < 0 || scores[p] < scores[low])) low = p;
        }
        const rise = scores[high] - scores[low];
        if (!(rise > 0)) break;
        const length = 2 * (LENGTH - SHARED[high * COUNT + low]);
        const step = Math.min(rise / (unit * length), mixture[i * COUNT + low]);
        mixture[i * COUNT + high] += step;
        mixture[i * COUNT + low] -= step;
        for (let p = 0; p < COUNT; p++)
          scores[p] -= unit * step * (SHARED[high * COUNT + p] - SHARED[low * COUNT + p]);
        for (let l = 0; l < LENGTH; l++) {
          moved[FLAT[high * LENGTH + l]] += step;
          moved[FLAT[low * LENGTH + l]] -= step;
        }
      }
      const factor = 2 / (penalty * count);
      for (let edge = 0; edge < N; edge++)
        if (moved[edge] !== 0)
          for (let r = 0; r < size; r++)
            weights[edge * size + r] += factor * moved[edge] * regressors[at + r];
    }
  }
}

/** B from the dual's variables. */
function weightsOf({ size, count, regressors, best, mixture }: SpoProblem, penalty: number): Float64Array {
  const weights = new Float64Array(N * size);
  const difference = new Float64Array(N);
  for (let i = 0; i < count; i++) {
    difference.fill(0);
    for (let p = 0; p < COUNT; p++) {
      const weight = mixture[i * COUNT + p];
      if (weight !== 0) for (const edge of PATHS[p]) difference[edge] += weight;
    }
    for (const edge of PATHS[best[i]]) difference[edge] -= 1;
    for (let edge = 0; edge < N; edge++)
      for (let r = 0; r < size; r++)
        weights[edge * size + r] += (2 / (penalty * count)) * difference[edge] * regressors[i * size + r];
  }
  return weights;
}

/** F, and F less the dual's value, at the B of the dual's variables. */
function certificate(problem: SpoProblem, weights: Float64Array, penalty: number) {
  const { size, count, regressors, observed, best, mixture } = problem;
  const costs = new Float64Array(N);
  const scores = new Float64Array(COUNT);
  let [loss, gap] = [0, 0];
  for (let i = 0; i < count; i++) {
    predict(weights, regressors, i * size, size, costs);
    for (let edge = 0; edge < N; edge++) costs[edge] = observed[i * N + edge] - 2 * costs[edge];
    pathScores(costs, scores);
    let [largest, mean] = [Number.NEGATIVE_INFINITY, 0];
    for (let p = 0; p < COUNT; p++) {
      largest = Math.max(largest, scores[p]);
      mean += mixture[i * COUNT + p] * scores[p];
    }
    loss += (largest - scores[best[i]]) / count;
    gap += (largest - mean) / count;
  }
  let square = 0;
  for (const weight of weights) square += weight * weight;
  return { loss: loss + 0.5 * penalty * square, gap };
}
