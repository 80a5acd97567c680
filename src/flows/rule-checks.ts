import { formatShape, sizeOf } from "../autodiff/index.ts";
import { EPS, Random, valueError } from "../base/index.ts";
import { applyQTransposed, qr, solveUpper } from "../linalg/index.ts";
import { type CompiledRule, compileRule } from "./compiled-rule.ts";
import {
  closure,
  type EdgeOnQuadratics,
  edgeOnQuadratics,
  type Filter,
  filterOf,
  type LinearRule,
  linearizer,
  memoryFades,
  memoryOf,
  transfer,
} from "./rule-response.ts";
import { timeScaleOf, type UpdateRule } from "./update-rule.ts";

/** Weights of the rule that is tried out: enough to tell them apart. */
const WEIGHTS = 3;
/** Steps with ordinary gradients, independent and normal. */
const STEPS = 25;
const GRADIENT_SIZE = 0.3;
/** Relative difference of numbers that are the same but for rounding, and of a critical value that is right. */
const SAME = 1e-9;
const RIGHT = 1e-6;
/** A relative error of the time scale that matters: a flow of an average with β = 0.998 is then 0.2 % off its lag. */
const OFF = 2e-3;

/**
 * Checks that an update rule is one that the flows can follow, and that what it says of itself is so:
 *
 * - its functions can be traced, keep shapes, and give finite numbers, with P > 0, for ordinary gradients;
 * - q is an average of gradients, alike for every weight: a filter with G(1) = 1 whose memory fades (whatever scales
 *   single weights belongs into P);
 * - on a quadratic ½hw², at rest, it first turns unstable at h = criticalValue·P, by changing sign in every step.
 *
 * The last two by the rule itself: its own derivatives around two ordinary states (rule-response.ts). Weight decay is
 * left out of the edge, as in `criticalValue`.
 *
 * @returns sentences on what is allowed but looks wrong: time scales with which flow and rule lag differently
 * @throws InputValueError or InputKindError with the number or field that is wrong and what it should be
 * Cost: some two thousand evaluations of the rule for three weights, and as many small solves.
 */
export function checkUpdateRule(rule: UpdateRule): string[] {
  checkNumbers(rule);
  const compiled = compileRule(rule, WEIGHTS);
  checkShapesStay(rule);
  const random = new Random(0, "rule checks");
  const linearize = linearizer(rule, WEIGHTS);
  const places = [0, 1].map(() => filterSomewhere(compiled, linearize, random));
  const [first, second] = places.map(({ filter }) => transfer(filter, [-1, 0])[0]);
  if (!(Math.abs(first - second) <= SAME * Math.abs(first)))
    throw valueError(
      `${rule.name}, direction`,
      "the same average of gradients in every state",
      `one that answers an alternating gradient with ${short(first)} times it in one state and ${short(second)} in another`,
      "what changes with the state, such as a norm or a root, belongs into the preconditioner",
    );
  checkEdge(compiled, places[0].filter, places[0].state);
  return timeScaleWarnings(compiled, linearize, random);
}

/**
 * Where a rule turns unstable on a quadratic ½hw² with the state at rest, by its own derivatives; weight decay left out.
 *
 * @throws InputValueError where its direction is no average of gradients
 */
export function edgeOfRule(rule: UpdateRule): EdgeOnQuadratics {
  const compiled = compileRule(rule, WEIGHTS);
  return edgeOnQuadratics(
    filterSomewhere(compiled, linearizer(rule, WEIGHTS), new Random(0, "rule edge")).filter,
  );
}

/** An ordinary state and, around it long after, the filter that turns gradients into directions. */
function filterSomewhere(
  compiled: CompiledRule,
  linearize: ReturnType<typeof linearizer>,
  random: Random,
): { readonly state: Float64Array; readonly filter: Filter } {
  const state = ordinaryState(compiled, random);
  const gradient = ordinaryGradient(random);
  const late = longAfter(compiled, linearize, state, gradient);
  const linear = linearize(late, gradient);
  const filter = directionFilter(compiled.rule.name, linear);
  checkProportional(compiled, linear, late, gradient);
  return { state, filter };
}

const short = (x: number): string => String(Number(x.toPrecision(6)));

function ordinaryGradient(random: Random): Float64Array {
  return random.fillNormal(new Float64Array(WEIGHTS)).map((entry) => GRADIENT_SIZE * entry);
}

function checkNumbers(rule: UpdateRule): void {
  const { name, timeScale } = rule;
  const parts = Object.keys(rule.state(WEIGHTS));
  const scales = typeof timeScale === "number" ? { timeScale } : timeScale;
  for (const [part, scale] of Object.entries(scales)) {
    if (typeof timeScale !== "number" && !parts.includes(part))
      throw valueError(`${name}, timeScale`, `parts of the state (${parts.join(", ")})`, part);
    if (!(scale > 0 && Number.isFinite(scale)))
      throw valueError(`${name}, timeScale`, "finite numbers > 0", String(scale));
  }
  if (!(rule.criticalValue > 0 && Number.isFinite(rule.criticalValue)))
    throw valueError(`${name}, criticalValue`, "a finite number > 0", String(rule.criticalValue));
}

/** The same shapes whenever it is asked, for any number of weights, and a first state that fits them. */
function checkShapesStay(rule: UpdateRule): void {
  for (const p of [WEIGHTS, WEIGHTS + 2]) {
    const [once, twice] = [rule.state(p), rule.state(p)].map((shapes) =>
      Object.entries(shapes)
        .map(([part, shape]) => `${part} ${formatShape(shape)}`)
        .join(", "),
    );
    if (once !== twice) throw valueError(`${rule.name}, state`, `the same shapes each time (${once})`, twice);
    if (p !== WEIGHTS) compileRule(rule, p);
    const bad = rule.initialState(p).find((entry) => !Number.isFinite(entry));
    if (bad !== undefined) throw valueError(`${rule.name}, initialState`, "finite numbers", String(bad));
  }
}

/** The state after some steps with ordinary gradients, everything checked on the way. */
function ordinaryState(compiled: CompiledRule, random: Random): Float64Array {
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
function longAfter(
  compiled: CompiledRule,
  linearize: ReturnType<typeof linearizer>,
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

function reachedByGradients({ p, stateSize: n, A, B }: LinearRule): boolean[] {
  const fed = (i: number): boolean => Array.from({ length: p }, (_, j) => B[j * n + i]).some((b) => b !== 0);
  return closure(n, fed, (from, to) => A[from * n + to] !== 0);
}

/** The filter that turns gradients into directions, the same for every weight and none across. */
function directionFilter(name: string, linear: LinearRule): Filter {
  const filter = filterOf(linear, 0, 0);
  if (!memoryFades(filter))
    throw valueError(
      `${name}, direction`,
      "an average that forgets old gradients",
      "one that keeps them for good",
      "average them, m⁺ = βm + (1 − β)g with β < 1; a sum for good is possible in the preconditioner",
    );
  for (const z of [
    [-1, 0],
    [0, 1],
    [1, 0],
  ] as const) {
    const [re, im] = transfer(filter, z);
    const scale = SAME * Math.max(1, Math.hypot(re, im));
    for (let input = 0; input < linear.p; input++)
      for (let output = 0; output < linear.p; output++) {
        const [r, i] = transfer(filterOf(linear, input, output), z);
        const expected = input === output ? [re, im] : [0, 0];
        if (Math.hypot(r - expected[0], i - expected[1]) <= scale) continue;
        throw valueError(
          `${name}, direction`,
          "an average of gradients, the same for every weight",
          input === output
            ? `one that answers weight ${input} with ${short(r)} times its gradient and weight 0 with ${short(re)} times`
            : `one that moves weight ${output} by the gradient of weight ${input}`,
          "what scales single weights belongs into the preconditioner",
        );
      }
  }
  const [gain] = transfer(filter, [1, 0]);
  if (!(Math.abs(gain - 1) <= SAME))
    throw valueError(
      `${name}, direction`,
      "a steady gradient itself",
      `${short(gain)} times it`,
      gain > 0
        ? `average gradients instead of adding them, m⁺ = βm + (1 − β)g, and put the factor into the preconditioner${rest(gain)}`
        : "the flow of such a rule would not go downhill",
    );
  return filter;
}

const rest = (gain: number): string => ` (P divided by ${short(gain)} takes the same steps)`;

/** q holds nothing besides its average of gradients: it is 0 where they have always been 0. */
function checkProportional(
  compiled: CompiledRule,
  linear: LinearRule,
  state: Float64Array,
  gradient: Float64Array,
): void {
  const { p, stateSize: n, C, D } = linear;
  const next = new Float64Array(n);
  compiled.update(state, gradient, next);
  const q = new Float64Array(p);
  compiled.direction(next, gradient, q);
  const reached = reachedByGradients(linear);
  for (let l = 0; l < p; l++) {
    let sum = 0;
    let size = Math.abs(q[l]);
    for (let i = 0; i < n; i++) {
      if (!reached[i]) continue;
      sum += C[i * p + l] * state[i];
      size += Math.abs(C[i * p + l] * state[i]);
    }
    for (let j = 0; j < p; j++) sum += D[j * p + l] * gradient[j];
    if (Math.abs(q[l] - sum) <= SAME * size) continue;
    throw valueError(
      `${compiled.rule.name}, direction`,
      `an average of gradients (${short(sum)} here)`,
      `${short(q[l])}, which holds something else besides`,
      "a norm, a sign or a clipped gradient is not smooth enough for a flow; a decay of the weights belongs into decay",
    );
  }
}

/** criticalValue against the edge of the rule's own iteration. */
function checkEdge({ rule, preconditioner }: CompiledRule, filter: Filter, state: Float64Array): void {
  const { value, period } = edgeOnQuadratics(filter);
  const diagonal = new Float64Array(WEIGHTS);
  preconditioner(state, diagonal);
  const inP = (c: number): string => `${short(c)}·P, here ${short(c * diagonal[0])}`;
  if (!Number.isFinite(value))
    throw valueError(
      rule.name,
      "a rule that a large enough curvature makes unstable by changing sign in every step",
      "one that none does",
      "there is no edge for a flow to follow",
    );
  if (period > 2)
    throw valueError(
      rule.name,
      "a rule that is unstable first by changing sign in every step",
      `one that on ½hw² is so by swinging with a period of ${short(period)} steps, from h = ${inP(value)} on`,
      "central flows average over pairs of steps and do not describe such a rule",
    );
  if (!(Math.abs(rule.criticalValue - value) <= RIGHT * value))
    throw valueError(
      `${rule.name}, criticalValue`,
      `${short(value)}: on ½hw² the rule itself turns unstable at h = ${inP(value)}`,
      `${short(rule.criticalValue)}, which says h = ${inP(rule.criticalValue)}`,
      `criticalValue: ${short(value)} would be right`,
    );
}

/** Steps with one gradient, after which most averages have come to rest. */
const STEADY_STEPS = 2000;

/**
 * Time scales with which the flow's state follows a slowly changing gradient otherwise than the rule's. To a gradient
 * g + vt, t in steps, the rule's state answers G₀t − L with (1 − A)G₀ = Bv and (1 − A)L = AG₀; the flow's,
 * ds/dt = T(As + Bg − s), with (1 − A)L = T⁻¹G₀. They agree for T = G₀/(AG₀) = G₀/(G₀ − Bv) entry by entry, which for an
 * average with memory β must be 1/β. Parts that no gradient reaches, or that never forget, are not judged.
 */
function timeScaleWarnings(
  compiled: CompiledRule,
  linearize: ReturnType<typeof linearizer>,
  random: Random,
): string[] {
  const { rule } = compiled;
  const gradient = ordinaryGradient(random);
  const v = ordinaryGradient(random);
  const state = longAfter(compiled, linearize, steadyState(compiled, gradient), gradient);
  const linear = linearize(state, gradient);
  const neededAt = (i: number): number[] => {
    const filter = memoryOf(linear, v, i);
    if (filter.size === 0 || !memoryFades(filter)) return [];
    const [G] = transfer(filter, [1, 0]);
    let fresh = 0;
    for (let j = 0; j < WEIGHTS; j++) fresh += linear.B[j * linear.stateSize + i] * v[j];
    return G !== 0 ? [G / (G - fresh)] : [];
  };
  let at = 0;
  return Object.entries(rule.state(WEIGHTS)).flatMap(([name, shape]) => {
    const needed = Array.from({ length: sizeOf(shape) }, () => neededAt(at++)).flat();
    const [least, most] = [Math.min(...needed), Math.max(...needed)];
    if (needed.length === 0) return [];
    const given = timeScaleOf(rule, name);
    // What differs from weight to weight, or remembers nothing, no time scale can tell.
    if (!(least > 0 && most < 1e9 && most - least <= OFF * least)) return [];
    if (Math.abs(given / least - 1) <= OFF) return [];
    return [
      `${rule.name}: timeScale gives "${name}" ${short(given)}, and ${short(least)} would make it lag behind a slowly changing gradient in the flow as it does in the rule (an average that keeps β of itself has 1/β)`,
    ];
  });
}

/** The state after many steps with one gradient. */
function steadyState(compiled: CompiledRule, gradient: Float64Array): Float64Array {
  const state = compiled.rule.initialState(WEIGHTS);
  const next = new Float64Array(state.length);
  for (let step = 0; step < STEADY_STEPS; step++) {
    compiled.update(state, gradient, next);
    state.set(next);
  }
  return state;
}
