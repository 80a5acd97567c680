import { EPS, type Random, valueError } from "../../../base/index.ts";
import { applyQTransposed, qr, solveUpper } from "../../../linalg/index.ts";
import type { CompiledRule } from "../compile.ts";
import type { UpdateRule } from "../update-rule.ts";
import { closure, type Linearizer, type LinearRule } from "./response.ts";

/** Weights of a rule that is tried out: enough to tell them apart. */
export const WEIGHTS = 3;
/** Steps with ordinary gradients, independent and normal. */
const STEPS = 25;
const GRADIENT_SIZE = 0.3;

/** Relative difference of numbers that are the same but for rounding. */
export const SAME = 1e-9;

/** A number in a sentence. */
export const short = (x: number): string => String(Number(x.toPrecision(6)));

/** What a gradient may be. */
export function ordinaryGradient(random: Random): Float64Array {
  return random.fillNormal(new Float64Array(WEIGHTS)).map((entry) => GRADIENT_SIZE * entry);
}

/** The state after some steps with ordinary gradients, everything checked on the way. */
export function ordinaryState(compiled: CompiledRule, random: Random): Float64Array {
  const { rule } = compiled;
  let state = rule.initialState(WEIGHTS);
  const diagonal = new Float64Array(WEIGHTS);
  const q = new Float64Array(WEIGHTS);
  for (let step = 1; step <= STEPS; step++) {
    const gradient = ordinaryGradient(random);
    const next = new Float64Array(state.length);
    compiled.update(state, gradient, next);
    refuse(rule, "update", next, step);
    compiled.direction(next, gradient, q);
    refuse(rule, "direction", q, step);
    compiled.preconditioner(next, diagonal);
    refuse(
      rule,
      "preconditioner",
      diagonal,
      step,
      (entry) => entry > 0 && Number.isFinite(entry),
      "finite entries > 0",
    );
    const decay = compiled.decay(next);
    refuse(rule, "decay", [decay], step, (r) => r >= 0 && r < 1, "a fraction in [0, 1)");
    state = next;
  }
  const gradient = ordinaryGradient(random);
  const rate = new Float64Array(state.length);
  const h = ordinaryGradient(random);
  compiled.rateCurvature(state, gradient, h, ordinaryGradient(random), rate);
  refuse(rule, "the second derivative of update in the gradient", rate, STEPS);
  compiled.rate(state, gradient, rate);
  compiled.preconditionerRate(state, rate, diagonal);
  refuse(rule, "the derivative of preconditioner", diagonal, STEPS);
  return state;
}

function refuse(
  rule: UpdateRule,
  what: string,
  values: ArrayLike<number>,
  step: number,
  good: (value: number) => boolean = Number.isFinite,
  expected = "finite numbers",
): void {
  const bad = Array.from(values).find((value) => !good(value));
  if (bad === undefined) return;
  throw valueError(
    `${rule.name}, ${what}`,
    `${expected} for ordinary gradients`,
    `${short(bad)} in step ${step}`,
    Number.isNaN(bad)
      ? "roots and logarithms of negative numbers and 0/0 give NaN; of tensors take sqrt, divide and so on, not Math.sqrt and /"
      : undefined,
  );
}

/** Steps ahead at which counters are looked at: corrections such as 1 − β^t have come to their end. */
const FAR = 1e9;

/**
 * The state long after: parts that no gradient reaches are set far ahead where they only count (the step count), and
 * where they rest otherwise (a power of β, an average of ones), by Newton's method.
 */
export function longAfter(
  compiled: CompiledRule,
  linearize: Linearizer,
  from: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const n = from.length;
  const reached = reachedByGradients(linearize(from, gradient));
  const state = from.slice();
  const increment = (at: Float64Array): Float64Array => {
    const next = new Float64Array(n);
    compiled.update(at, gradient, next);
    return next.map((entry, i) => (reached[i] ? 0 : entry - at[i]));
  };
  const now = increment(state);
  const later = increment(state.map((entry, i) => entry + 1000 * now[i]));
  const counts = now.map((step, i) => (step === later[i] ? step : 0));
  for (let i = 0; i < n; i++) state[i] += FAR * counts[i];
  const settling = Array.from({ length: n }, (_, i) => i).filter((i) => !reached[i] && counts[i] === 0);
  const m = settling.length;
  for (let iteration = 0; iteration < NEWTON_STEPS && m > 0; iteration++) {
    const moving = increment(state);
    const delta = Float64Array.from(settling, (i) => moving[i]);
    if (delta.every((entry, k) => Math.abs(entry) <= EPS * Math.abs(state[settling[k]]))) break;
    const { A } = linearize(state, gradient);
    const columns = settling.flatMap((j) => settling.map((i) => (i === j ? 1 : 0) - A[j * n + i]));
    const factors = qr(Float64Array.from(columns), m, m);
    if (factors.rank < m) break;
    applyQTransposed(factors, delta);
    solveUpper(factors, m, delta);
    for (let k = 0; k < m; k++) state[settling[k]] += delta[k];
  }
  return state;
}

const NEWTON_STEPS = 20;

/** Which entries of the state gradients act on, sooner or later. */
export function reachedByGradients({ p, stateSize: n, A, B }: LinearRule): boolean[] {
  const fed = (i: number): boolean => Array.from({ length: p }, (_, j) => B[j * n + i]).some((b) => b !== 0);
  return closure(n, fed, (from, to) => A[from * n + to] !== 0);
}

/** Steps with one gradient, after which most averages have come to rest. */
const STEADY_STEPS = 2000;

/** The state after many steps with one gradient. */
export function steadyState(compiled: CompiledRule, gradient: Float64Array): Float64Array {
  const state = compiled.rule.initialState(WEIGHTS);
  const next = new Float64Array(state.length);
  for (let step = 0; step < STEADY_STEPS; step++) {
    compiled.update(state, gradient, next);
    state.set(next);
  }
  return state;
}
