import {
  add,
  broadcastTo,
  type CompiledFunction,
  compile,
  formatShape,
  full,
  jvp,
  multiply,
  sizeOf,
  subtract,
  type Tensor,
  type Tree,
} from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { type State, timeScaleOf, type UpdateRule } from "./update-rule.ts";

/**
 * An update rule with the derivatives that flows need, on flat vectors of p weights. Everything is traced and
 * planned once, here. Outputs are overwritten; no two arguments may be the same array.
 */
export interface CompiledRule {
  readonly rule: UpdateRule;
  readonly dimension: number;
  readonly stateSize: number;
  /** out = update(s, g). */
  update(state: Float64Array, gradient: Float64Array, out: Float64Array): void;
  /** out = f(s, g) = timeScale·(update(s, g) − s), the state's rate in continuous time. */
  rate(state: Float64Array, gradient: Float64Array, out: Float64Array): void;
  /** out = ½ ∂²f/∂g²[h1, h2]. */
  rateCurvature(
    state: Float64Array,
    gradient: Float64Array,
    h1: Float64Array,
    h2: Float64Array,
    out: Float64Array,
  ): void;
  /** out = diagonal of P(s), one entry per weight. */
  preconditioner(state: Float64Array, out: Float64Array): void;
  /** out = d/dτ of the diagonal of P(s + τ·direction). */
  preconditionerRate(state: Float64Array, direction: Float64Array, out: Float64Array): void;
  /** out = q(s, g), the direction that P divides. */
  direction(state: Float64Array, gradient: Float64Array, out: Float64Array): void;
  /** r(s); 0 for a rule without decay. */
  decay(state: Float64Array): number;
  /**
   * c(s) = c·(1 − r(s)/2), the edge for P⁻¹H with decay: in an oscillation of period two w⁺ − w = −2w, of which decay
   * does −r w, so the direction has to do 2 − r where it does 2 without.
   */
  criticalValue(state: Float64Array): number;
  /** d/dτ of c(s + τ·direction). */
  criticalValueRate(state: Float64Array, direction: Float64Array): number;
  /**
   * How a gradient comes to be a direction, the largest over the weights: `direct` is ∂q/∂g, `delayed` ∂q/∂s·∂f/∂g. In
   * continuous time a mode of P⁻¹H = λ decays at the rate direct·λ and, beside it, turns at √(delayed·λ) per step.
   */
  gains(state: Float64Array): { readonly direct: number; readonly delayed: number };
  /** η(s). */
  learningRate(state: Float64Array): number;
  /** True where the gradient's second order does not reach the state: rateCurvature is structurally zero. */
  readonly rateIsLinear: boolean;
  /** True where P does not depend on the state. */
  readonly preconditionerIsConstant: boolean;
  /** True where P is one number times the identity. */
  readonly preconditionerIsUniform: boolean;
  /** True where q is the gradient. */
  readonly directionIsGradient: boolean;
  /** True where q does not read the gradient, only averages of it in the state. */
  readonly directionIgnoresGradient: boolean;
}

/**
 * Traces a rule for p weights. Throws when its state changes shape, or its preconditioner, direction or decay has a
 * wrong one.
 */
export function compileRule(rule: UpdateRule, p: number): CompiledRule {
  const shapes = rule.state(p);
  const stateSize = Object.values(shapes).reduce((total, shape) => total + sizeOf(shape), 0);
  if (rule.initialState(p).length !== stateSize)
    throw valueError(
      rule.name,
      `an initial state of ${stateSize} numbers`,
      String(rule.initialState(p).length),
    );

  const update = (state: State, gradient: Tensor): State => checkedUpdate(rule, shapes, state, gradient);
  const rate = (state: State, gradient: Tensor): State => {
    const next = update(state, gradient);
    return mapState(state, (name) => multiply(subtract(next[name], state[name]), timeScaleOf(rule, name)));
  };
  let uniform = false;
  const diagonal = (state: State): Tensor => {
    const preconditioner = rule.preconditioner(state);
    uniform = preconditioner.shape.length === 0;
    return broadcastTo(preconditioner, [p]);
  };
  const rateAlong = jvp<Tensor, [State], State>((gradient, state) => rate(state, gradient));
  const rateCurvature = (state: State, gradient: Tensor, h1: Tensor, h2: Tensor): State => {
    const first = (g: Tensor, s: State): State => rateAlong(g, h1, s)[1];
    const second = jvp<Tensor, [State], State>(first)(gradient, h2, state)[1];
    return mapState(second, (name) => multiply(second[name], 0.5));
  };
  const diagonalAlong = (state: State, direction: State): Tensor =>
    jvp<Record<string, Tensor>, [], Tensor>(diagonal)(state, direction)[1];

  const direction = (state: State, gradient: Tensor): Tensor =>
    checkedShape(rule, "a direction", [p], rule.direction?.(state, gradient) ?? gradient);
  const decay = (state: State): Tensor =>
    checkedShape(rule, "a decay", [], rule.decay?.(state) ?? full(anyOf(state), 0, []));
  const decayAlong = (state: State, tangent: State): Tensor =>
    jvp<Record<string, Tensor>, [], Tensor>(decay)(state, tangent)[1];
  const directionAlong = (gradient: Tensor, tangent: Tensor, state: State): Tensor =>
    jvp<Tensor, [State], Tensor>((g, s) => direction(s, g))(gradient, tangent, state)[1];

  const delayed = (state: State, gradient: Tensor, tangent: Tensor): Tensor => {
    const moved = rateAlong(gradient, tangent, state)[1];
    return jvp<Record<string, Tensor>, [Tensor], Tensor>(direction)(state, moved, gradient)[1];
  };

  const compiled = {
    direction: compile(direction, [shapes, [p]]),
    directionAlong: compile(directionAlong, [[p], [p], shapes]),
    delayed: compile(delayed, [shapes, [p], [p]]),
    decay: compile(decay, [shapes]),
    decayAlong: compile(decayAlong, [shapes, shapes]),
    update: compile(flat2(update), [shapes, [p]]),
    rate: compile(flat2(rate), [shapes, [p]]),
    rateCurvature: compile(
      (state: State, gradient: Tensor, h1: Tensor, h2: Tensor) =>
        rateCurvature(state, gradient, h1, h2) as Tree,
      [shapes, [p], [p], [p]],
    ),
    diagonal: compile(diagonal, [shapes]),
    diagonalAlong: compile(diagonalAlong, [shapes, shapes]),
    learningRate: compile(
      (state: State) => add(rule.learningRate(state), full(anyOf(state), 0, [])),
      [shapes],
    ),
  };
  const sizes = Object.values(shapes).map(sizeOf);
  const one = new Float64Array(1);
  const c = rule.criticalValue;
  const decayOf = (state: Float64Array): number => {
    if (!rule.decay) return 0;
    compiled.decay.run(parts(state, sizes), [one]);
    return one[0];
  };
  return {
    rule,
    dimension: p,
    stateSize,
    update: (state, gradient, out) =>
      compiled.update.run([...parts(state, sizes), gradient], parts(out, sizes)),
    rate: (state, gradient, out) => compiled.rate.run([...parts(state, sizes), gradient], parts(out, sizes)),
    rateCurvature: (state, gradient, h1, h2, out) =>
      compiled.rateCurvature.run([...parts(state, sizes), gradient, h1, h2], parts(out, sizes)),
    preconditioner: (state, out) => compiled.diagonal.run(parts(state, sizes), [out]),
    preconditionerRate: (state, direction, out) =>
      compiled.diagonalAlong.run([...parts(state, sizes), ...parts(direction, sizes)], [out]),
    direction: rule.direction
      ? (state, gradient, out) => compiled.direction.run([...parts(state, sizes), gradient], [out])
      : (_, gradient, out) => out.set(gradient),
    decay: decayOf,
    criticalValue: (state) => c * (1 - decayOf(state) / 2),
    criticalValueRate(state, along) {
      if (!rule.decay) return 0;
      compiled.decayAlong.run([...parts(state, sizes), ...parts(along, sizes)], [one]);
      return (-c / 2) * one[0];
    },
    gains(state) {
      if (!rule.direction) return { direct: 1, delayed: 0 };
      const [gradient, ones, out] = [new Float64Array(p), new Float64Array(p).fill(1), new Float64Array(p)];
      const largest = (): number => out.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
      compiled.directionAlong.run([gradient, ones, ...parts(state, sizes)], [out]);
      const direct = largest();
      compiled.delayed.run([...parts(state, sizes), gradient, ones], [out]);
      return { direct, delayed: largest() };
    },
    learningRate(state) {
      compiled.learningRate.run(parts(state, sizes), [one]);
      return one[0];
    },
    rateIsLinear: isZero(compiled.rateCurvature),
    preconditionerIsConstant: isZero(compiled.diagonalAlong),
    preconditionerIsUniform: uniform,
    directionIsGradient: rule.direction === undefined,
    directionIgnoresGradient: isZero(compiled.directionAlong),
  };
}

function flat2(f: (state: State, gradient: Tensor) => State) {
  return (state: State, gradient: Tensor): Tree => f(state, gradient);
}

function anyOf(state: State): Tensor {
  return Object.values(state)[0];
}

function mapState(state: State, f: (name: string) => Tensor): State {
  return Object.fromEntries(Object.keys(state).map((name) => [name, f(name)]));
}

/** The rule's update, with the parts in the order of its state and their shapes unchanged. */
function checkedUpdate(
  rule: UpdateRule,
  shapes: Readonly<Record<string, readonly number[]>>,
  state: State,
  gradient: Tensor,
): State {
  const next = rule.update(state, gradient);
  return mapState(state, (name) => {
    const part = next[name];
    const expected = formatShape(shapes[name]);
    if (!part || formatShape(part.shape) !== expected)
      throw valueError(
        rule.name,
        `an update that returns "${name}" with shape ${expected}`,
        part ? formatShape(part.shape) : "nothing",
      );
    return part;
  });
}

function checkedShape(rule: UpdateRule, what: string, shape: readonly number[], found: Tensor): Tensor {
  if (formatShape(found.shape) !== formatShape(shape))
    throw valueError(rule.name, `${what} of shape ${formatShape(shape)}`, formatShape(found.shape));
  return found;
}

/** Views of the consecutive parts of a flat state. */
function parts(flat: Float64Array, sizes: readonly number[]): Float64Array[] {
  let offset = 0;
  return sizes.map((size) => {
    offset += size;
    return flat.subarray(offset - size, offset);
  });
}

/** Whether every output is structurally zero. */
function isZero<Y extends Tree>({ graph }: CompiledFunction<Y>): boolean {
  return graph.outputs.every((id) => {
    const node = graph.nodes[id];
    return node.op === "constant" && node.params.value === 0;
  });
}
