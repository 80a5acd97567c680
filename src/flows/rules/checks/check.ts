import { formatShape } from "../../../autodiff/index.ts";
import { hypot, Random, valueError } from "../../../base/index.ts";
import { type CompiledRule, compileRule } from "../compile.ts";
import type { UpdateRule } from "../update-rule.ts";
import { slowResponse, thresholdOf } from "./pinning.ts";
import {
  type EdgeOnQuadratics,
  edgeOnQuadratics,
  type Filter,
  filterOf,
  type Linearizer,
  type LinearRule,
  linearizer,
  memoryFades,
  transfer,
} from "./response.ts";
import {
  longAfter,
  ordinaryGradient,
  ordinaryState,
  reachedByGradients,
  SAME,
  short,
  WEIGHTS,
} from "./trial-states.ts";
import { averagingWarnings, deadWeightWarnings, timeScaleWarnings } from "./warnings.ts";

/** A critical value this near to the edge is right. */
const RIGHT = 1e-6;

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
 * @returns sentences on what is allowed but looks wrong: time scales with which flow and rule lag differently, updates
 *   that a flow cannot average exactly, derivatives that fail for dead weights
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
  return [
    ...deadWeightWarnings(compiled),
    ...averagingWarnings(compiled, places[0].state),
    ...timeScaleWarnings(compiled, linearize, random),
  ];
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

/**
 * ζ_c: on the minimal example ½(y + ζx)x² + ε(−x − y) with small ε a rule whose P is held settles at its edge for ζ > ζ_c;
 * below it runs through a limit cycle around the edge. √2/3 for gd, c√2/6 for heavy ball (docs/derivations.md, section 16).
 *
 * @throws InputValueError where its direction is no average of gradients
 */
export function pinningThreshold(rule: UpdateRule): number {
  const compiled = compileRule(rule, WEIGHTS);
  const { filter } = filterSomewhere(compiled, linearizer(rule, WEIGHTS), new Random(0, "rule edge"));
  return thresholdOf(slowResponse(filter));
}

/** An ordinary state and, around it long after, the filter that turns gradients into directions. */
function filterSomewhere(
  compiled: CompiledRule,
  linearize: Linearizer,
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
    const scale = SAME * Math.max(1, hypot(re, im));
    for (let input = 0; input < linear.p; input++)
      for (let output = 0; output < linear.p; output++) {
        const [r, i] = transfer(filterOf(linear, input, output), z);
        const expected = input === output ? [re, im] : [0, 0];
        if (hypot(r - expected[0], i - expected[1]) <= scale) continue;
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
