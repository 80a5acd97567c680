import { type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { adaGrad, adam, type CompiledRule, compileRule } from "../../flows/index.ts";
import { largestMargin } from "../../linalg/index.ts";

/** Points of a separable problem with their label's sign, and what gradient methods do to their exponential loss. */
export interface Separable {
  readonly points: readonly (readonly number[])[];
  readonly lr: number;
  /** ε of AdaGrad, inside the root. */
  readonly epsilon: number;
}

/** One sample, whose flow ends where a scalar equation says. */
export const ONE_POINT: Separable = { points: [[0.9, 0.3]], lr: 0.5, epsilon: 0.01 };

/** Two unit vectors at π/8 and π/20, for which the margins of L2, L∞ and AdaGrad's metric have three directions. */
export const TWO_POINTS: Separable = {
  points: [Math.PI / 8, Math.PI / 20].map((angle) => [Math.cos(angle), Math.sin(angle)]),
  lr: 0.5,
  epsilon: 1e-8,
};

/** Numbers that are read. */
export type Vector = readonly number[];

const DEGREES = 180 / Math.PI;

/** The angle of a vector in the plane, in degrees. */
export const angleOf = ([x, y]: Vector | Float64Array): number => Math.atan2(y, x) * DEGREES;

/** The direction of largest margin of a problem in the metric h, in degrees; by the certified quadratic program. */
export function marginAngle({ points }: Separable, h?: Float64Array): number {
  return angleOf(largestMargin(Float64Array.from(points.flat()), points.length, h).value.direction);
}

/** log of the mean exponential loss, and the loss' negative gradient divided by the loss: q = Σ p_k x_k, p the softmax. */
function lossAt({ points }: Separable, w: ArrayLike<number>): { readonly log: number; readonly q: number[] } {
  const margins = points.map((x) => x.reduce((total, entry, i) => total + entry * w[i], 0));
  const least = Math.min(...margins);
  const shares = margins.map((margin) => Math.exp(least - margin));
  const sum = shares.reduce((a, b) => a + b);
  const q = points[0].map((_, i) => points.reduce((total, x, k) => total + (shares[k] / sum) * x[i], 0));
  return { log: Math.log(sum / points.length) - least, q };
}

/** AdaGrad's flow at one time. */
export interface FlowState {
  readonly w: readonly number[];
  readonly s: readonly number[];
  /** ∫ L dt so far. */
  readonly time: number;
}

/** 1/√(ε + s). */
export const metricOf = ({ epsilon }: Separable, { s }: FlowState): Float64Array =>
  Float64Array.from(s, (entry) => 1 / Math.sqrt(epsilon + entry));

/** What AdaGrad's flow conserves, L + 2η Σ √(ε + s_i), relative to its first value. */
export function conservedOf(problem: Separable, state: FlowState): number {
  const { lr, epsilon } = problem;
  const total = ({ w, s }: Pick<FlowState, "w" | "s">): number =>
    Math.exp(lossAt(problem, w).log) + 2 * lr * s.reduce((sum, entry) => sum + Math.sqrt(epsilon + entry), 0);
  const zeros = state.w.map(() => 0);
  return total(state) / total({ w: zeros, s: zeros });
}

/** The largest relative difference between one step and two halves of it. */
const TOLERANCE = 1e-11;

/**
 * dy/dτ = rates(y) from τ = 0 at each of the times, increasing: the classical method of fourth order, whose step is halved
 * until one step equals two halves.
 */
function integrate(rates: (y: Vector) => Vector, start: Vector, times: Vector, stop: () => void): Vector[] {
  const moved = (y: Vector, k: Vector, h: number): Vector => y.map((entry, i) => entry + h * k[i]);
  const step = (y: Vector, h: number): Vector => {
    const k1 = rates(y);
    const k2 = rates(moved(y, k1, h / 2));
    const k3 = rates(moved(y, k2, h / 2));
    const k4 = rates(moved(y, k3, h));
    return y.map((entry, i) => entry + (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
  };
  let y = start;
  let [time, h] = [0, 1e-9];
  return times.map((end) => {
    while (time < end) {
      stop();
      const length = Math.min(h, end - time);
      const [whole, halves] = [step(y, length), step(step(y, length / 2), length / 2)];
      const error = Math.max(
        ...whole.map((entry, i) => Math.abs(entry - halves[i]) / (1e-12 + Math.abs(halves[i]))),
      );
      if (error > TOLERANCE) {
        h = length / 2;
        continue;
      }
      y = halves;
      time += length;
      if (error < TOLERANCE / 50) h = 1.5 * Math.max(h, length);
    }
    return y;
  });
}

/**
 * AdaGrad's flow dw/dt = −η g/√(ε + s), ds/dt = g⊙g from w = 0, s = 0 in the time τ = ∫ L dt, which grows like log t: its
 * rates dw/dτ = η q/√(ε + s), ds/dτ = L q⊙q neither vanish nor underflow with the loss, whose logarithm is what is
 * computed.
 *
 * @param times in τ, increasing
 */
export function adaGradFlow(problem: Separable, times: Vector, stop: () => void = () => {}): FlowState[] {
  const { lr, epsilon, points } = problem;
  const n = points[0].length;
  const rates = (y: Vector): Vector => {
    const { log, q } = lossAt(problem, y);
    const loss = Math.exp(log);
    return [
      ...q.map((entry, i) => (lr * entry) / Math.sqrt(epsilon + y[n + i])),
      ...q.map((entry) => loss * entry * entry),
    ];
  };
  const found = integrate(rates, new Array<number>(2 * n).fill(0), times, stop);
  return found.map((y, i) => ({ w: y.slice(0, n), s: y.slice(n), time: times[i] }));
}

/** A point of gradient descent's flow. */
export interface DescentState {
  /** ∫ (η/ε) L dt so far. */
  readonly time: number;
  /** log10 of the number of steps. */
  readonly logTime: number;
  readonly angle: number;
}

/** Gradient descent's flow with the learning rate η/ε, from w at a step, in the time τ = ∫ (η/ε) L dt. */
function descentFlow(
  problem: Separable,
  w: Vector,
  step: number,
  rate: number,
  times: Vector,
  stop: () => void,
): DescentState[] {
  const rates = (y: Vector): Vector => {
    const { log, q } = lossAt(problem, y);
    return [...q, Math.exp(-Math.log(rate) - log - y[q.length])];
  };
  const found = integrate(rates, [...w, Math.log(step)], times, stop);
  return found.map((y, i) => ({
    time: times[i],
    logTime: y[w.length] / Math.LN10,
    angle: angleOf(y),
  }));
}

/**
 * S = ∫ L² dt of AdaGrad's flow on one point x: the root of 2η Σ √(ε + x_i² S) = 1 + 2η n √ε, for at the end L = 0 and
 * s = S x⊙x in what is conserved. By bisection.
 */
export function onePointRoot({ points: [x], lr, epsilon }: Separable): number {
  const excess = (S: number): number =>
    2 * lr * x.reduce((sum, entry) => sum + Math.sqrt(epsilon + entry * entry * S) - Math.sqrt(epsilon), 0) -
    1;
  let [low, high] = [0, 1];
  while (excess(high) < 0) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (excess(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The optimizer at one step. */
export interface Seen {
  readonly weights: Vector;
  readonly step: number;
  readonly angle: number;
  /** √ν̂ or √(ε + s) of the first weight. */
  readonly root: number;
  /** h₂/h₁ = P₁/P₂. */
  readonly ratio: number;
}

/**
 * Runs a rule of the engine on a separable problem from w = 0, until `enough` says so, and returns about thirty points per
 * power of ten of the steps, and the last one.
 *
 * @param epsilon what P holds outside the root, in units of P times η
 */
function iterate(
  problem: Separable,
  rule: CompiledRule,
  epsilon: number,
  steps: number,
  shouldStop: ShouldStop,
  enough: (seen: Seen) => boolean = () => false,
): Seen[] {
  const n = problem.points[0].length;
  const w = new Float64Array(n);
  const [gradient, P, q] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  let state: Float64Array = rule.rule.initialState(n);
  let next: Float64Array = new Float64Array(state.length);
  const found: Seen[] = [];
  let wanted = 1;
  for (let step = 1; step <= steps; step++) {
    if (step % 1024 === 0) throwIfStopped("study", shouldStop);
    const { log, q: pull } = lossAt(problem, w);
    const loss = Math.exp(log);
    for (let i = 0; i < n; i++) gradient[i] = -loss * pull[i];
    rule.update(state, gradient, next);
    [state, next] = [next, state];
    rule.preconditioner(state, P);
    rule.direction(state, gradient, q);
    for (let i = 0; i < n; i++) w[i] -= q[i] / P[i];
    const root = P[0] * rule.learningRate(state) - epsilon;
    const seen = { step, weights: [...w], angle: angleOf(w), root, ratio: P[0] / P[1] };
    const last = step === steps || enough(seen);
    if (step >= wanted || last) {
      found.push(seen);
      wanted = Math.ceil(1.08 * wanted);
    }
    if (last) break;
  }
  return found;
}

/** AdaGrad's own iteration from w = 0: angle and h₂/h₁ on the way and at the end. */
export function adaGradIterates(
  problem: Separable,
  steps: number,
  shouldStop: ShouldStop = () => false,
): Seen[] {
  const rule = compileRule(adaGrad({ lr: problem.lr, eps: problem.epsilon }), problem.points[0].length);
  return iterate(problem, rule, 0, steps, shouldStop);
}

/** Settings of the iteration whose crossover from L∞ to L2 is predicted. */
export interface AdamSettings {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * The rate r per step at which Adam's loss falls while √ν̂ ≫ ε: gradients fall by e^{−r}, so that
 * m = g(1 − β1)/(1 − β1e^r), ν = g²(1 − β2)/(1 − β2e^{2r}), every weight moves by η·m/√ν in the direction of its sign, and
 * the margin by γ times that: r is the fixed point. By bisection; the right side falls in r where β1² < β2.
 *
 * @param step γ·η, γ the largest margin among w with ‖w‖∞ = 1
 */
export function adamRate(step: number, beta1: number, beta2: number): number {
  const right = (r: number): number =>
    ((step * (1 - beta1)) / (1 - beta1 * Math.exp(r))) *
    Math.sqrt((1 - beta2 * Math.exp(2 * r)) / (1 - beta2));
  let [low, high] = [0, -Math.log(beta2) / 2];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (right(middle) > middle) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** What happened to Adam with an ε above 0. */
export interface Crossover {
  /** The step at which √ν̂ falls below ε. */
  readonly measured: number;
  /** t_a + ln(√ν̂(t_a)/ε)/r, t_a the step at which √ν̂ has fallen to a thousand times ε. */
  readonly predicted: number;
  /** The angle at t_a: L∞'s is 45° for two points whose entries are above 0. */
  readonly angle: number;
  readonly path: readonly Seen[];
  readonly after: readonly DescentState[];
}

/** γ of L∞ for points whose entries are all above 0: the margin of the vector of ones. */
export const supMargin = ({ points }: Separable): number =>
  Math.min(...points.map((x) => x.reduce((a, b) => a + b)));

/** Where √ν̂ over ε is when the prediction is made, and when ε alone is left. */
const PREDICTED_FROM = 1e3;
const LEFT_AT = 1e-3;

/**
 * Adam on a separable problem from w = 0 until √ν̂ is a thousandth of ε, then the flow of what is left of it, gradient
 * descent with the rate η/ε.
 *
 * @param times of that flow, increasing
 */
export function adamCrossover(
  problem: Separable,
  { lr, beta1, beta2, epsilon }: AdamSettings,
  times: Vector,
  shouldStop: ShouldStop = () => false,
): Crossover {
  const rule = compileRule(adam({ lr, beta1, beta2, eps: epsilon }), problem.points[0].length);
  const r = adamRate(supMargin(problem) * lr, beta1, beta2);
  let [predicted, measured, angle] = [Number.NaN, Number.NaN, Number.NaN];
  const path = iterate(problem, rule, epsilon, MOST_STEPS, shouldStop, (seen) => {
    const { step, root } = seen;
    if (Number.isNaN(predicted) && step > 5 / (1 - beta2) && root < PREDICTED_FROM * epsilon)
      [predicted, angle] = [step + Math.log(root / epsilon) / r, seen.angle];
    if (Number.isNaN(measured) && root < epsilon) measured = step;
    return root < LEFT_AT * epsilon;
  });
  const end = path[path.length - 1];
  const stop = (): void => throwIfStopped("study", shouldStop);
  const after = descentFlow(problem, end.weights, end.step, lr / epsilon, times, stop);
  return { measured, predicted, angle, path, after };
}

const MOST_STEPS = 1_000_000;
