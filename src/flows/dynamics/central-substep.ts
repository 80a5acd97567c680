import type { Objective } from "../../autodiff/index.ts";
import { pairIndex, throwIfStopped } from "../../base/index.ts";
import {
  crossProducts,
  type NoiseResult,
  type NoiseStatus,
  noiseEquation,
  type SdcpStatus,
  sdcp,
} from "../../linalg/index.ts";
import type { CompiledRule } from "../rules/compile.ts";
import { addMultiple, innerProduct } from "./effective-hessian.ts";
import { type FlowPoint, type PhasePoint, velocity } from "./point.ts";
import { type NoisePoint, noiseIn, type SubstepNoise, type TurnedNoise } from "./substep-noise.ts";

/** The critical eigenpairs H u = λ P u with UᵀPU = I. */
export interface CriticalPairs {
  readonly count: number;
  readonly values: Float64Array;
  /** `count` vectors of length p. */
  readonly vectors: Float64Array;
  /** T_ij = D³L[u_i, u_j, ·], count(count+1)/2 rows of length p, if they are known already. */
  readonly third?: Float64Array;
}

/**
 * The pieces of a central-flow substep that are affine in X, with the names of docs/derivations.md, section 6. Pairs i
 * ≤ j are numbered by `pairIndex`; a row of `…X` belongs to the (i, j) entry of the result, a column to the pair of X.
 */
export interface CentralRates {
  /** Uᵀ dH/dt U without X: one entry per pair. */
  readonly dHdtStable: Float64Array;
  /** Its derivative in X_kl: pairs × pairs. */
  readonly dHdtX: Float64Array;
  readonly dPdtStable: Float64Array;
  readonly dPdtX: Float64Array;
  /** dc/dt without X, then its derivative in X_kl: 1 + pairs. Zeros unless weight decay changes with the state. */
  readonly dcdt: Float64Array;
  /** What Uᵀ(cP − H)U changes by from the point of the rates back to the start of the substep: zeros for Euler. */
  readonly back: Float64Array;
}

/** What one substep of the central flow found. */
export interface CentralSubstep {
  /** Σ = U X Uᵀ: symmetric, k×k. */
  readonly X: Float64Array;
  /** U: k vectors of length p. */
  readonly vectors: Float64Array;
  /** What Σ adds to dw/dt and ds/dt. */
  readonly push: PhasePoint;
  readonly rates: CentralRates;
  readonly status: SdcpStatus | NoiseStatus;
  /**
   * The largest violation of X ⪰ 0, Y ⪰ 0, ⟨X, Y⟩ = 0, relative to ‖A‖; with noise of X ⪰ 0, Y ⪰ 0 and the noise equation,
   * relative to ‖A‖‖X‖.
   */
  readonly violation: number;
  /** N and Y where there was noise. */
  readonly noise?: { readonly along: Float64Array; readonly Y: Float64Array };
}

/**
 * A step of the stable flow, ds/dt = f(s, g), dw/dt = −P⁻¹q − rw, with the rates at `point`.
 * @param start overwritten with where the step ends; `point` itself (Euler) by default
 * @param diagonal diag C, where the state's rate is to be the mean over gradients with noise
 */
export function stableSubstep(
  rule: CompiledRule,
  point: FlowPoint,
  dt: number,
  start: PhasePoint = point,
  diagonal?: Float64Array,
): void {
  const dw = new Float64Array(point.weights.length);
  const ds = new Float64Array(point.state.length);
  velocity(rule, point, dw);
  rule.rate(point.state, point.gradient, ds);
  if (diagonal && !rule.rateIsLinear) addNoise(rule, point, diagonal, ds);
  move(start, dt, dw, ds);
}

function move({ weights, state }: PhasePoint, dt: number, dw: Float64Array, ds: Float64Array): void {
  for (let l = 0; l < weights.length; l++) weights[l] += dt * dw[l];
  for (let l = 0; l < state.length; l++) state[l] += dt * ds[l];
}

/** What a step of the central flow does otherwise than Euler's. */
export interface CentralSubstepOptions {
  /**
   * Overwritten with where the step ends, unless the complementarity problem has no solution: then it is untouched.
   * By default the point where the rates are taken.
   */
  readonly start?: PhasePoint;
  /** Wraps the third derivatives, under the reference's name for them, `dH`, and the complementarity problem. */
  readonly time?: <T>(part: "dH" | "sdcp", work: () => T) => T;
  /** False leaves the curvature penalty out, dw^{ij} = 0: the ablated flow (docs/derivations.md, section 11). */
  readonly penalty?: boolean;
  /**
   * Puts the noise equation in place of the complementarity problem (docs/derivations.md, section 17) and adds diag C to the
   * mean of g⊙g; then all pairs given oscillate, those below the edge too. Measured by the call, for which the objective stands at the point.
   */
  readonly noise?: (known: Pick<NoisePoint, "held" | "third" | "preconditionerResponse">) => SubstepNoise;
}

/**
 * A step of the central flow (docs/derivations.md, section 6) with the rates at `point`, where the objective must
 * stand. X is what holds the constraint, linear around `point`, at the end of the step.
 * Limits: with T = 0 and f linear in g it is the stable substep; with one critical pair X = max(0, −A/B).
 * Cost: k(k+1)/2 third derivatives, about k⁴p/2 multiplications.
 * @throws Stopped where the objective's `shouldStop` answers true; `start` is untouched then
 */
export function centralSubstep(
  objective: Objective,
  rule: CompiledRule,
  point: FlowPoint,
  critical: CriticalPairs,
  dt: number,
  { start = point, time = (_, work) => work(), penalty = true, noise: measure }: CentralSubstepOptions = {},
): CentralSubstep {
  const { weights, state, gradient, preconditioner } = point;
  const p = weights.length;
  const s = state.length;
  const k = critical.count;
  const pairs = (k * (k + 1)) / 2;
  const c = rule.criticalValue(state);
  const look = (): void => throwIfStopped("central substep", objective.shouldStop);

  // Row 0 of each block is the part without X, row 1 + a the part that multiplies pair a of X.
  const dw = new Float64Array((1 + pairs) * p);
  const ds = new Float64Array((1 + pairs) * s);
  const third = critical.third ?? new Float64Array(pairs * p);
  if (!critical.third) time("dH", () => objective.thirdDerivatives(critical.vectors, k, third));
  velocity(rule, point, dw);
  // The force of Σ is a gradient, and goes through the rule's projection as the loss' does.
  const force = rule.project ? third.slice() : third;
  rule.project?.(force, pairs);
  if (penalty) penalties(force, preconditioner, pairs, dw.subarray(p));
  rule.rate(state, gradient, ds.subarray(0, s));
  if (!rule.rateIsLinear) stateCurvature(rule, point, critical, ds, look);

  const dPdtX = new Float64Array(pairs * pairs);
  const dPdtStable = new Float64Array(pairs);
  const parts = { dPdtStable, dPdtX };
  // P's answer to X does not depend on the noise, which moves the state's rate.
  if (measure && !rule.preconditionerIsConstant) preconditionerRates(rule, point, critical, ds, parts, look);
  const preconditionerResponse = dPdtX.map((entry) => c * entry);
  const noise = measure?.({ held: k, third, preconditionerResponse });
  if (noise && !rule.rateIsLinear) addNoise(rule, point, noise.diagonal, ds.subarray(0, s));
  const rates: CentralRates = {
    dHdtStable: new Float64Array(pairs),
    dHdtX: new Float64Array(pairs * pairs),
    ...parts,
    dcdt: Float64Array.from({ length: 1 + pairs }, (_, row) =>
      rule.criticalValueRate(state, ds.subarray(row * s, (row + 1) * s)),
    ),
    back: new Float64Array(pairs),
  };
  const along = crossProducts(third, pairs, dw, 1 + pairs, p, look);
  for (let a = 0; a < pairs; a++) {
    rates.dHdtStable[a] = along[a * (1 + pairs)];
    rates.dHdtX.set(along.subarray(a * (1 + pairs) + 1, (a + 1) * (1 + pairs)), a * pairs);
  }
  if (!rule.preconditionerIsConstant) preconditionerRates(rule, point, critical, ds, rates, look);
  if (start.weights !== weights) stepBack(rule, point, critical, start, third, rates.back);

  const A = new Float64Array(k * k);
  const beta = new Float64Array(pairs * pairs);
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const a = pairIndex(i, j, k);
      // UᵀPU = I: c moves the diagonal alone.
      const now = rates.back[a] + (i === j ? c - critical.values[i] + dt * rates.dcdt[0] : 0);
      A[i * k + j] = now + dt * (c * rates.dPdtStable[a] - rates.dHdtStable[a]);
      A[j * k + i] = A[i * k + j];
      for (let b = 0; b < pairs; b++) {
        const at = a * pairs + b;
        const moved = i === j ? rates.dcdt[1 + b] : 0;
        beta[at] = dt * (moved + c * rates.dPdtX[at] - rates.dHdtX[at]);
      }
    }

  const { shouldStop } = objective;
  const B = inOrthonormalBasis(beta, k);
  const driving = noise && noiseIn(noise, critical.vectors, k);
  const { solution, along: drive } = time("sdcp", () =>
    driving
      ? balance(k, A, B, driving, noise?.form)
      : { solution: sdcp(k, A, B, { shouldStop }), along: undefined },
  );
  const { X, Y } = solution.value;
  const { violations } = solution.stats;
  const violation = Math.max(
    violations.semidefiniteX,
    violations.semidefiniteY,
    "equation" in violations ? violations.equation : violations.complementarity,
  );
  const push = { weights: new Float64Array(p), state: new Float64Array(s) };
  const vectors = critical.vectors.subarray(0, k * p);
  const balanced = drive && { noise: { along: drive, Y } };
  const step = { X, vectors, push, rates, status: solution.status, violation, ...balanced };
  if (solution.status !== "solved" && !(violation <= ACCEPTABLE_VIOLATION)) return step;

  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const a = 1 + pairIndex(i, j, k);
      // Sums run over all ordered pairs: an off-diagonal entry counts twice.
      const weight = (i === j ? 1 : 2) * X[i * k + j];
      addMultiple(weight, dw, a, push.weights, 0, p);
      addMultiple(weight, ds, a, push.state, 0, s);
    }
  addMultiple(1, push.weights, 0, dw, 0, p);
  addMultiple(1, push.state, 0, ds, 0, s);
  move(start, dt, dw.subarray(0, p), ds.subarray(0, s));
  return step;
}

/** −½P⁻¹·force, row by row. */
function penalties(force: Float64Array, preconditioner: Float64Array, rows: number, out: Float64Array): void {
  const p = preconditioner.length;
  for (let a = 0, at = 0; a < rows; a++, at += p)
    for (let l = 0; l < p; l++) out[at + l] = (-0.5 * force[at + l]) / preconditioner[l];
}

/** So many times N is taken anew at the X and Y that the last one led to; two or three are enough near rest. */
const MOST_TURNS = 8;
/** Relative to N: less change counts as none. */
const SETTLED = 1e-5;

/** X and Y at rest with the noise that their own fluctuation makes, by repetition: X is what the path allows, and hardly moves. */
function balance(
  k: number,
  A: Float64Array,
  B: Float64Array,
  driving: TurnedNoise,
  form: SubstepNoise["form"] = "full",
): { readonly solution: NoiseResult; readonly along: Float64Array } {
  let { along } = driving;
  let solution = balanceOf(k, A, B, driving, form, along);
  for (let turn = 0; turn < MOST_TURNS && acceptable(solution); turn++) {
    const { X, Y } = solution.value;
    const next = driving.at(X, Y);
    const change = Math.max(...next.map((entry, at) => Math.abs(entry - along[at])));
    if (!(change > SETTLED * Math.max(...along.map(Math.abs)))) break;
    const found = balanceOf(k, A, B, driving, form, next, X);
    if (!acceptable(found)) break;
    [along, solution] = [next, found];
  }
  return { solution, along };
}

/** The noise equation in its full form, or in the Lyapunov form where the full one has no solution of small Y. */
function balanceOf(
  k: number,
  A: Float64Array,
  B: Float64Array,
  { multiplicative }: TurnedNoise,
  form: SubstepNoise["form"],
  along: Float64Array,
  initial?: Float64Array,
): NoiseResult {
  const options = { ...(multiplicative && { multiplicative }), ...(initial && { initial }) };
  const found = noiseEquation(k, A, B, along, { form, ...options });
  if (form === "lyapunov" || acceptable(found)) return found;
  return noiseEquation(k, A, B, along, options);
}

const acceptable = ({ stats: { violations } }: NoiseResult): boolean =>
  Math.max(violations.equation, violations.semidefiniteX, violations.semidefiniteY) <= ACCEPTABLE_VIOLATION;

/**
 * A solution less exact than the solver's own target is still far better than Euler's error; beyond this it is none.
 */
export const ACCEPTABLE_VIOLATION = 1e-6;

/** ds^{ij} = ½ ∂²f/∂g²[h_i, h_j] with h_i = λ_i P u_i, into rows 1, 2, … of `ds`. */
function stateCurvature(
  rule: CompiledRule,
  point: FlowPoint,
  { count: k, values, vectors }: CriticalPairs,
  ds: Float64Array,
  look: () => void,
): void {
  const { state, gradient, preconditioner } = point;
  const p = gradient.length;
  const s = state.length;
  const h = new Float64Array(k * p);
  for (let i = 0; i < k; i++)
    for (let l = 0; l < p; l++) h[i * p + l] = values[i] * preconditioner[l] * vectors[i * p + l];
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      look();
      const row = 1 + pairIndex(i, j, k);
      rule.rateCurvature(
        state,
        gradient,
        h.subarray(i * p, (i + 1) * p),
        h.subarray(j * p, (j + 1) * p),
        ds.subarray(row * s, (row + 1) * s),
      );
    }
}

/** ½∂²f/∂g²[C] for a rule that squares gradients entry by entry, or sums these squares: only diag C counts. */
function addNoise(
  rule: CompiledRule,
  { state, gradient }: FlowPoint,
  diagonal: Float64Array,
  ds: Float64Array,
): void {
  const deviation = diagonal.map((entry) => Math.sqrt(Math.max(0, entry)));
  const added = new Float64Array(ds.length);
  rule.rateCurvature(state, gradient, deviation, deviation, added);
  for (let l = 0; l < ds.length; l++) ds[l] += added[l];
}

/** (Uᵀ dP/dt U)_ij = Σ_l u_il·(dP_l/dt)·u_jl for every row of `ds`. */
function preconditionerRates(
  rule: CompiledRule,
  { state, weights }: FlowPoint,
  { count: k, vectors }: CriticalPairs,
  ds: Float64Array,
  rates: Pick<CentralRates, "dPdtStable" | "dPdtX">,
  look: () => void,
): void {
  const p = weights.length;
  const s = state.length;
  const pairs = (k * (k + 1)) / 2;
  const dP = new Float64Array((1 + pairs) * p);
  for (let row = 0; row <= pairs; row++) {
    look();
    rule.preconditionerRate(state, ds.subarray(row * s, (row + 1) * s), dP.subarray(row * p, (row + 1) * p));
  }
  const forms = formsOf(vectors, k, dP, p, look);
  for (let a = 0; a < pairs; a++) {
    rates.dPdtStable[a] = forms[a * (1 + pairs)];
    rates.dPdtX.set(forms.subarray(a * (1 + pairs) + 1, (a + 1) * (1 + pairs)), a * pairs);
  }
}

/**
 * Σ_l u_il·u_jl·d_l for every pair of the first k vectors, a row each, and every diagonal d of `diagonals`, a column each:
 * inner products with the products u_i⊙u_j.
 */
function formsOf(
  vectors: Float64Array,
  k: number,
  diagonals: Float64Array,
  p: number,
  look: () => void,
): Float64Array {
  const pairs = (k * (k + 1)) / 2;
  const squares = new Float64Array(pairs * p);
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const to = pairIndex(i, j, k) * p;
      for (let l = 0; l < p; l++) squares[to + l] = vectors[i * p + l] * vectors[j * p + l];
    }
  return crossProducts(squares, pairs, diagonals, diagonals.length / p, p, look);
}

/** Uᵀ d(cP − H) U along the way from `point` back to `start`, into `out`: what the step has left behind already. */
function stepBack(
  rule: CompiledRule,
  { weights, state }: FlowPoint,
  { count: k, vectors }: CriticalPairs,
  start: PhasePoint,
  third: Float64Array,
  out: Float64Array,
): void {
  const p = weights.length;
  const c = rule.criticalValue(state);
  const stateWay = start.state.map((entry, l) => entry - state[l]);
  const weightWay = start.weights.map((entry, l) => entry - weights[l]);
  const dP = new Float64Array(p);
  rule.preconditionerRate(state, stateWay, dP);
  const forms = formsOf(vectors, k, dP, p, () => {});
  const dc = rule.criticalValueRate(state, stateWay);
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const a = pairIndex(i, j, k);
      out[a] = (i === j ? dc : 0) + c * forms[a] - innerProduct(third, a, weightWay, 0, p);
    }
}

/**
 * The operator X ↦ Σ_kl β_{ij,kl} X_kl over all ordered pairs as a matrix in the orthonormal basis of symmetric
 * matrices, whose coordinates are X_ii and √2·X_ij: entry (ij, kl) is r_ij·r_kl·β with r = 1 or √2.
 */
export function inOrthonormalBasis(beta: Float64Array, k: number): Float64Array {
  const pairs = (k * (k + 1)) / 2;
  const root = new Float64Array(pairs);
  for (let i = 0; i < k; i++) for (let j = i; j < k; j++) root[pairIndex(i, j, k)] = i === j ? 1 : Math.SQRT2;
  return beta.map((entry, at) => entry * root[Math.floor(at / pairs)] * root[at % pairs]);
}
