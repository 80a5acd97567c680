import { type CompiledFunction, compile, jvp, type Tensor, type Tree } from "../../autodiff/index.ts";
import { sizeOf } from "../../base/index.ts";
import { type State, stateParts, type UpdateRule } from "./update-rule.ts";

/**
 * How a small oscillation of the weights goes through a rule (docs/derivations.md, section 18): to first order in what
 * the direction remembers of gradients, with P, its second moment and every other number of the state held.
 */
export interface RuleTangent {
  /** For every entry of the state whether it is such a memory: the direction reads it, and gradients feed it. */
  readonly remembers: readonly boolean[];
  /**
   * out = δs⁺ = ∂update/∂s·δs + ∂update/∂g·δg on the entries that remember, 0 elsewhere.
   * @param memory δs, read on the entries that remember
   */
  update(
    state: Float64Array,
    gradient: Float64Array,
    memory: Float64Array,
    dGradient: Float64Array,
    out: Float64Array,
  ): void;
  /** out = δq = ∂q/∂s·δs + ∂q/∂g·δg at an updated state, p entries. */
  direction(
    state: Float64Array,
    gradient: Float64Array,
    memory: Float64Array,
    dGradient: Float64Array,
    out: Float64Array,
  ): void;
}

/** Traces and plans the first derivatives of a rule for p weights. */
export function compileTangent(rule: UpdateRule, p: number): RuleTangent {
  const shapes = rule.state(p);
  const names = Object.keys(shapes);
  const directionOf = (state: State, gradient: Tensor): Tensor =>
    rule.direction?.(state, gradient) ?? gradient;
  const remembering = names.filter((name) => {
    if (!rule.direction) return false;
    const read = compile(
      (part: Tensor, tangent: Tensor, state: State, gradient: Tensor): Tensor =>
        jvp<Tensor, [State, Tensor], Tensor>((x, s, g) => directionOf({ ...s, [name]: x }, g))(
          part,
          tangent,
          state,
          gradient,
        )[1],
      [shapes[name], shapes[name], shapes, [p]],
    );
    const fed = compile(
      (gradient: Tensor, tangent: Tensor, state: State): Tensor =>
        jvp<Tensor, [State], Tensor>((g, s) => rule.update(s, g)[name])(gradient, tangent, state)[1],
      [[p], [p], shapes],
    );
    return !isZero(read) && !isZero(fed);
  });
  const memoryShapes = Object.fromEntries(remembering.map((name) => [name, shapes[name]]));
  type Moved = { readonly memory: State; readonly gradient: Tensor };
  const moved = { memory: memoryShapes, gradient: [p] };
  const nextMemory = ({ memory, gradient }: Moved, state: State): State => {
    const next = rule.update({ ...state, ...memory }, gradient);
    return Object.fromEntries(remembering.map((name) => [name, next[name]]));
  };
  const updated =
    remembering.length === 0
      ? undefined
      : compile(
          (at: Moved, tangent: Moved, state: State): Tree =>
            jvp<Moved, [State], State>(nextMemory)(at, tangent, state)[1],
          [moved, moved, shapes],
        );
  const turned = compile(
    (at: Moved, tangent: Moved, state: State): Tensor =>
      jvp<Moved, [State], Tensor>(({ memory, gradient }, s) => directionOf({ ...s, ...memory }, gradient))(
        at,
        tangent,
        state,
      )[1],
    [moved, moved, shapes],
  );
  const sizes = names.map((name) => sizeOf(shapes[name]));
  const partsOf = (flat: Float64Array): Float64Array[] => {
    const parts = stateParts(rule, flat, p);
    return remembering.map((name) => parts[name]);
  };
  const allOf = (flat: Float64Array): Float64Array[] => {
    const parts = stateParts(rule, flat, p);
    return names.map((name) => parts[name]);
  };
  return {
    remembers: names.flatMap((name, i) => Array.from({ length: sizes[i] }, () => remembering.includes(name))),
    update(state, gradient, memory, dGradient, out) {
      out.fill(0);
      const inputs = [...partsOf(state), gradient, ...partsOf(memory), dGradient, ...allOf(state)];
      updated?.run(inputs, partsOf(out));
    },
    direction(state, gradient, memory, dGradient, out) {
      turned.run([...partsOf(state), gradient, ...partsOf(memory), dGradient, ...allOf(state)], [out]);
    },
  };
}

/** Whether a function's value is structurally zero. */
function isZero({ graph }: CompiledFunction<Tensor>): boolean {
  return graph.outputs.every((id) => {
    const node = graph.nodes[id];
    return node.op === "constant" && node.params.value === 0;
  });
}
