import {
  add,
  type Backend,
  broadcastTo,
  type CompiledFunction,
  compile,
  formatShape,
  full,
  jvp,
  multiply,
  type Shape,
  sizeOf,
  subtract,
  type Tensor,
  type Tree,
} from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { type Projection, project } from "./projection.ts";
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
  /**
   * Π applied, in place, to so many vectors of p entries, where the rule has a projection: `update`, `rate`,
   * `rateCurvature` and `direction` have it in them, and what is added to the gradient by others has to go through it.
   */
  readonly project?: (vectors: Float64Array, count: number) => void;
}

/**
 * Traces and plans a rule for p weights (docs/derivations.md, section 2).
 *
 * @param backend what computes, default the js backend; same bits
 * @throws InputValueError where its state changes shape, or its first state, preconditioner, direction or decay has a
 *   wrong one
 */
export function compileRule(rule: UpdateRule, p: number, backend?: Backend): CompiledRule {
  const shapes = rule.state(p);
  const sizes = Object.values(shapes).map(sizeOf);
  const stateSize = sizes.reduce((total, size) => total + size, 0);
  const { length } = rule.initialState(p);
  if (length !== stateSize)
    throw valueError(rule.name, `an initial state of ${stateSize} numbers`, String(length));
  const traced: TracedRule = {
    rule,
    p,
    shapes,
    split: (flat) => parts(flat, sizes),
    on: backend === undefined ? {} : { backend },
  };
  const compiled: CompiledRule = {
    rule,
    dimension: p,
    stateSize,
    ...compileState(traced),
    ...compilePreconditioner(traced),
    ...compileDirection(traced),
    ...compileStep(traced),
  };
  return rule.projection ? projected(compiled, rule.projection) : compiled;
}

/** A compiled rule that projects what it is given, or what it gives; its derivatives follow, for Π is linear. */
function projected(compiled: CompiledRule, projection: Projection): CompiledRule {
  const { dimension: p } = compiled;
  const onto = (vectors: Float64Array, count: number): void => project(projection, vectors, count, p);
  const direction: CompiledRule["direction"] = (state, gradient, out) => {
    compiled.direction(state, gradient, out);
    onto(out, 1);
  };
  if (projection.of === "direction") return { ...compiled, direction, project: onto };
  const scratch = [new Float64Array(p), new Float64Array(p), new Float64Array(p)];
  const through = (vector: Float64Array, i: number): Float64Array => {
    scratch[i].set(vector);
    onto(scratch[i], 1);
    return scratch[i];
  };
  return {
    ...compiled,
    update: (state, gradient, out) => compiled.update(state, through(gradient, 0), out),
    rate: (state, gradient, out) => compiled.rate(state, through(gradient, 0), out),
    rateCurvature: (state, gradient, h1, h2, out) =>
      compiled.rateCurvature(state, through(gradient, 0), through(h1, 1), through(h2, 2), out),
    direction: (state, gradient, out) => compiled.direction(state, through(gradient, 0), out),
    project: onto,
  };
}

/** A rule, and how its flat state falls into parts. */
interface TracedRule {
  readonly rule: UpdateRule;
  readonly p: number;
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly split: (flat: Float64Array) => Float64Array[];
  readonly on: { readonly backend?: Backend };
}

/** How the state moves: s⁺, f and ½∂²f/∂g². */
function compileState({
  rule,
  p,
  shapes,
  split,
  on,
}: TracedRule): Pick<CompiledRule, "update" | "rate" | "rateCurvature" | "rateIsLinear"> {
  const rate = rateOf(rule, shapes);
  const along = jvp<Tensor, [State], State>((gradient, state) => rate(state, gradient));
  const curvature = (state: State, gradient: Tensor, h1: Tensor, h2: Tensor): State => {
    const first = (g: Tensor, s: State): State => along(g, h1, s)[1];
    const second = jvp<Tensor, [State], State>(first)(gradient, h2, state)[1];
    return mapState(second, (name) => multiply(second[name], 0.5));
  };
  const compiled = {
    update: compile(
      (state: State, gradient: Tensor): Tree => checkedUpdate(rule, shapes, state, gradient),
      [shapes, [p]],
      on,
    ),
    rate: compile((state: State, gradient: Tensor): Tree => rate(state, gradient), [shapes, [p]], on),
    curvature: compile(
      (state: State, gradient: Tensor, h1: Tensor, h2: Tensor): Tree => curvature(state, gradient, h1, h2),
      [shapes, [p], [p], [p]],
      on,
    ),
  };
  return {
    update: (state, gradient, out) => compiled.update.run([...split(state), gradient], split(out)),
    rate: (state, gradient, out) => compiled.rate.run([...split(state), gradient], split(out)),
    rateCurvature: (state, gradient, h1, h2, out) =>
      compiled.curvature.run([...split(state), gradient, h1, h2], split(out)),
    rateIsLinear: isZero(compiled.curvature),
  };
}

/** P(s), one entry per weight, and its derivative in the state. */
function compilePreconditioner({
  rule,
  p,
  shapes,
  split,
  on,
}: TracedRule): Pick<
  CompiledRule,
  "preconditioner" | "preconditionerRate" | "preconditionerIsConstant" | "preconditionerIsUniform"
> {
  let uniform = false;
  const diagonal = (state: State): Tensor => {
    const preconditioner = rule.preconditioner(state);
    uniform = preconditioner.shape.length === 0;
    return broadcastTo(preconditioner, [p]);
  };
  const value = compile(diagonal, [shapes], on);
  const along = compile(
    (state: State, tangent: State): Tensor =>
      jvp<Record<string, Tensor>, [], Tensor>(diagonal)(state, tangent)[1],
    [shapes, shapes],
    on,
  );
  return {
    preconditioner: (state, out) => value.run(split(state), [out]),
    preconditionerRate: (state, tangent, out) => along.run([...split(state), ...split(tangent)], [out]),
    preconditionerIsConstant: isZero(along),
    preconditionerIsUniform: uniform,
  };
}

/** q(s, g), and how a gradient comes to be one, at once and through the state. */
function compileDirection({
  rule,
  p,
  shapes,
  split,
  on,
}: TracedRule): Pick<
  CompiledRule,
  "direction" | "gains" | "directionIsGradient" | "directionIgnoresGradient"
> {
  const direction = (state: State, gradient: Tensor): Tensor =>
    checkedShape(rule, "a direction", [p], rule.direction?.(state, gradient) ?? gradient);
  const rate = rateOf(rule, shapes);
  const compiled = {
    value: compile(direction, [shapes, [p]], on),
    direct: compile(
      (gradient: Tensor, tangent: Tensor, state: State): Tensor =>
        jvp<Tensor, [State], Tensor>((g, s) => direction(s, g))(gradient, tangent, state)[1],
      [[p], [p], shapes],
      on,
    ),
    delayed: compile(
      (state: State, gradient: Tensor, tangent: Tensor): Tensor => {
        const moved = jvp<Tensor, [State], State>((g, s) => rate(s, g))(gradient, tangent, state)[1];
        return jvp<Record<string, Tensor>, [Tensor], Tensor>(direction)(state, moved, gradient)[1];
      },
      [shapes, [p], [p]],
      on,
    ),
  };
  return {
    direction: rule.direction
      ? (state, gradient, out) => compiled.value.run([...split(state), gradient], [out])
      : (_, gradient, out) => out.set(gradient),
    gains(state) {
      if (!rule.direction) return { direct: 1, delayed: 0 };
      const [gradient, ones, out] = [new Float64Array(p), new Float64Array(p).fill(1), new Float64Array(p)];
      const largest = (): number => out.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
      compiled.direct.run([gradient, ones, ...split(state)], [out]);
      const direct = largest();
      compiled.delayed.run([...split(state), gradient, ones], [out]);
      return { direct, delayed: largest() };
    },
    directionIsGradient: rule.direction === undefined,
    directionIgnoresGradient: isZero(compiled.direct),
  };
}

/** The numbers of a step: r(s) with the edge c(s) that it moves, and η(s). */
function compileStep({
  rule,
  shapes,
  split,
  on,
}: TracedRule): Pick<CompiledRule, "decay" | "criticalValue" | "criticalValueRate" | "learningRate"> {
  const decay = (state: State): Tensor =>
    checkedShape(rule, "a decay", [], rule.decay?.(state) ?? full(anyOf(state), 0, []));
  const compiled = {
    decay: compile(decay, [shapes], on),
    decayAlong: compile(
      (state: State, tangent: State): Tensor =>
        jvp<Record<string, Tensor>, [], Tensor>(decay)(state, tangent)[1],
      [shapes, shapes],
      on,
    ),
    learningRate: compile(
      (state: State) => add(rule.learningRate(state), full(anyOf(state), 0, [])),
      [shapes],
      on,
    ),
  };
  const one = new Float64Array(1);
  const numberOf = (program: CompiledFunction<Tensor>, ...states: readonly Float64Array[]): number => {
    program.run(states.flatMap(split), [one]);
    return one[0];
  };
  const decayOf = (state: Float64Array): number => (rule.decay ? numberOf(compiled.decay, state) : 0);
  const c = rule.criticalValue;
  return {
    decay: decayOf,
    criticalValue: (state) => c * (1 - decayOf(state) / 2),
    criticalValueRate: (state, tangent) =>
      rule.decay ? (-c / 2) * numberOf(compiled.decayAlong, state, tangent) : 0,
    learningRate: (state) => numberOf(compiled.learningRate, state),
  };
}

/** f(s, g) = timeScale·(update(s, g) − s), traced. */
function rateOf(
  rule: UpdateRule,
  shapes: Readonly<Record<string, Shape>>,
): (state: State, gradient: Tensor) => State {
  return (state, gradient) => {
    const next = checkedUpdate(rule, shapes, state, gradient);
    return mapState(state, (name) => multiply(subtract(next[name], state[name]), timeScaleOf(rule, name)));
  };
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
  shapes: Readonly<Record<string, Shape>>,
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
