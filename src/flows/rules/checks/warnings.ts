import { sizeOf } from "../../../autodiff/index.ts";
import { Random } from "../../../base/index.ts";
import type { CompiledRule } from "../compile.ts";
import { timeScaleOf } from "../update-rule.ts";
import { type Linearizer, memoryFades, memoryOf, transfer } from "./response.ts";
import { longAfter, ordinaryGradient, SAME, short, steadyState, WEIGHTS } from "./trial-states.ts";

/** Steps after which a weight counts as dead. */
const DEAD_STEPS = 5;

/** A P whose derivative is not finite for a weight whose gradient has always been 0: it would be so for all in a flow. */
export function deadWeightWarnings(compiled: CompiledRule): string[] {
  const { rule, stateSize } = compiled;
  const random = new Random(2, "rule checks");
  const state = rule.initialState(WEIGHTS);
  const next = new Float64Array(stateSize);
  const gradientOfDead = (): Float64Array => ordinaryGradient(random).fill(0, 0, 1);
  for (let step = 0; step < DEAD_STEPS; step++) {
    compiled.update(state, gradientOfDead(), next);
    state.set(next);
  }
  compiled.rate(state, gradientOfDead(), next);
  const rate = new Float64Array(WEIGHTS);
  compiled.preconditionerRate(state, next, rate);
  if (rate.every(Number.isFinite)) return [];
  return [
    `${rule.name}: preconditioner has no finite derivative for a weight whose gradient has always been 0, such as a dead unit's, and no flow could go on with one; rootOrZero in place of sqrt has`,
  ];
}

/** A relative error of the time scale that matters: a flow of an average with β = 0.998 is then 0.2 % off its lag. */
const OFF = 2e-3;

/**
 * Parts whose update is no quadratic function of the gradient. A flow puts f(s, g) + ½∂²f/∂g²[h, h] for the average of
 * f(s, g ± h), which for f quadratic in g it must equal, however large h is.
 */
export function averagingWarnings(compiled: CompiledRule, state: Float64Array): string[] {
  const { rule, stateSize } = compiled;
  const random = new Random(1, "rule checks");
  const gradient = ordinaryGradient(random);
  const h = ordinaryGradient(random).map((entry) => 3 * entry);
  const rateAt = (sign: number): Float64Array => {
    const out = new Float64Array(stateSize);
    compiled.rate(
      state,
      gradient.map((entry, l) => entry + sign * h[l]),
      out,
    );
    return out;
  };
  const [below, middle, above] = [-1, 0, 1].map(rateAt);
  const second = new Float64Array(stateSize);
  compiled.rateCurvature(state, gradient, h, h, second);
  let at = 0;
  return Object.entries(rule.state(WEIGHTS)).flatMap(([name, shape]) => {
    let [off, size] = [0, 0];
    for (const end = at + sizeOf(shape); at < end; at++) {
      off = Math.max(off, Math.abs((below[at] + above[at]) / 2 - middle[at] - second[at]));
      size = Math.max(size, Math.abs(below[at]), Math.abs(middle[at]), Math.abs(above[at]));
    }
    if (!(off > SAME * size)) return [];
    return [
      `${rule.name}: the update of "${name}" is neither linear nor quadratic in the gradient, so that a flow, which averages it over the bounce to second order, follows it only roughly`,
    ];
  });
}

/**
 * Time scales with which the flow's state follows a slowly changing gradient otherwise than the rule's. To a gradient
 * g + vt, t in steps, the rule's state answers G₀t − L with (1 − A)G₀ = Bv and (1 − A)L = AG₀; the flow's,
 * ds/dt = T(As + Bg − s), with (1 − A)L = T⁻¹G₀. They agree for T = G₀/(AG₀) = G₀/(G₀ − Bv) entry by entry, which for an
 * average with memory β must be 1/β. Parts that no gradient reaches, or that never forget, are not judged.
 */
export function timeScaleWarnings(compiled: CompiledRule, linearize: Linearizer, random: Random): string[] {
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
