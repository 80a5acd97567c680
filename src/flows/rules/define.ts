import { add, divide, multiply, type Operand, type Shape, sizeOf, Tensor } from "../../autodiff/index.ts";
import { kindError, valueError } from "../../base/index.ts";
import { isPunctual, type Schedule } from "./learning-rate.ts";
import {
  magnitudes,
  type State,
  type StateParts,
  type StateSummary,
  selectedEntries,
  timeScaleOf,
  type UpdateRule,
} from "./update-rule.ts";
import { stepOf } from "./weight-decay.ts";

type Shapes = Readonly<Record<string, Shape>>;

/**
 * An update rule with as little said as possible; `defineRule` fills in the rest. The state always holds `t`, the
 * number of steps taken (1 in the first step, for those who read the updated state); a definition need not name it.
 */
export interface RuleDefinition {
  /** c, the largest eigenvalue of P⁻¹H at which the rule is stable on a quadratic. */
  readonly criticalValue: number;
  /** P from the updated state: one number for all weights, or a tensor with one for each. */
  readonly preconditioner: (state: State) => Operand;
  /** What the rule remembers besides t: name → shape for p weights, `[]` for a number. Without it nothing. */
  readonly state?: (p: number) => Shapes;
  /** The next value of each part that `state` names, from all parts and the gradient. */
  readonly update?: (state: State, gradient: Tensor) => State;
  /** q, one entry per weight, from the updated state and the gradient. Without it the gradient. */
  readonly direction?: (state: State, gradient: Tensor) => Tensor;
  /** r, the fraction of the weights that decoupled decay takes away in a step. Without it none. */
  readonly decay?: (state: State) => Operand;
  /** As in UpdateRule: an average that keeps β of itself has 1/β. Without it 1 for all parts. */
  readonly timeScale?: UpdateRule["timeScale"];
  /** The first values of the parts that `state` names, one after the other. Without it zeros. */
  readonly initialState?: (p: number) => Float64Array;
  /** η, for the logs. Without it what `defineRule` is told. */
  readonly learningRate?: (state: State) => Operand;
  /** As in UpdateRule. Without it numbers by name, and of longer parts the sum of magnitudes and selected entries. */
  readonly summary?: UpdateRule["summary"];
  /** As in UpdateRule. Without it the rule has no stationary flow. */
  readonly secondMoment?: UpdateRule["secondMoment"];
  /** For messages. Without it what `defineRule` is told. */
  readonly name?: string;
}

/** What a definition takes from where it is used. */
export type DefinitionContext = {
  readonly name: string;
  /** λ of decoupled weight decay, r = η(t)·λ, besides what the definition itself takes away. */
  readonly weightDecay?: number;
} & (
  | {
      /** η that the definition was made with. */
      readonly lr: number;
      /** η as it changes over the steps: η(t)/lr multiplies the whole step. */
      readonly schedule?: Schedule;
    }
  | {
      /** η, or η(t), which the definition follows by itself. */
      readonly rate: number | Schedule;
    }
);

/** What the fields of a definition are; those with a question mark may be absent. */
const FIELDS: Readonly<Record<keyof RuleDefinition, string>> = {
  criticalValue: "number",
  preconditioner: "function",
  state: "function?",
  update: "function?",
  direction: "function?",
  decay: "function?",
  timeScale: "number or object?",
  initialState: "function?",
  learningRate: "function?",
  summary: "function?",
  secondMoment: "string?",
  name: "string?",
};

/**
 * The update rule that a definition means. A complete UpdateRule whose state starts with the step count t is a
 * definition of itself.
 *
 * @throws InputKindError or InputValueError for a definition of another shape, naming the field; what the functions
 *   return is checked when they are traced
 */
export function defineRule(definition: RuleDefinition, context: DefinitionContext): UpdateRule {
  checkFields(definition, context.name);
  const { name = context.name, criticalValue, timeScale = 1, direction, secondMoment } = definition;
  const rate = "rate" in context ? context.rate : (context.schedule ?? context.lr);
  const step = stepOf(name, { lr: rate, weightDecay: context.weightDecay });
  const declared = (p: number): Shapes => checkedShapes(name, definition.state?.(p) ?? {});
  const shapes = (p: number): Shapes => ({ t: [], ...declared(p) });
  const operand = (field: string, { t }: State, value: Operand): Tensor => {
    if (value instanceof Tensor) return value;
    if (typeof value === "number") return t.trace.constant(value);
    throw kindError(`${name}, ${field}`, "a tensor or a number", describe(value), TENSOR_ADVICE);
  };
  /** η(t)/lr; undefined where it is 1 throughout, or followed by the definition. */
  const factor = ({ t }: State): Tensor | undefined =>
    "schedule" in context && context.schedule ? divide(context.schedule(t), context.lr) : undefined;
  const decay = (state: State): Tensor | undefined => {
    const own = definition.decay && operand("decay", state, definition.decay(state));
    const scaled = own && multiply(own, factor(state) ?? 1);
    const common = step.parts.decay?.(state);
    return scaled && common ? add(scaled, common) : (scaled ?? common);
  };
  return {
    name,
    criticalValue,
    timeScale: isPunctual(rate) ? withSteps(timeScale, Object.keys(shapes(1))) : timeScale,
    ...(secondMoment && { secondMoment }),
    state: shapes,
    initialState(p) {
      const own = definition.initialState?.(p);
      if (!own) return new Float64Array(sizeOfAll(shapes(p)));
      if ("t" in declared(p)) return own;
      const all = new Float64Array(1 + own.length);
      all.set(own, 1);
      return all;
    },
    update(state, gradient) {
      const next = definition.update?.(state, gradient) ?? {};
      checkParts(name, next, state);
      return { t: add(state.t, 1), ...next };
    },
    preconditioner(state) {
      const P = operand("preconditioner", state, definition.preconditioner(state));
      const scale = factor(state);
      return scale ? divide(P, scale) : P;
    },
    ...(direction && {
      direction: (state: State, gradient: Tensor) => operand("direction", state, direction(state, gradient)),
    }),
    ...((definition.decay || step.parts.decay) && { decay: (state: State) => decay(state) as Tensor }),
    learningRate: (state) =>
      definition.learningRate
        ? operand("learningRate", state, definition.learningRate(state))
        : step.parts.learningRate(state),
    summary: definition.summary ?? ((parts, { length }) => summaryOf(shapes(length), parts, length)),
  };
}

const TENSOR_ADVICE = "tensors are added by add, not by +, and so on";

function checkFields(definition: RuleDefinition, name: string): void {
  if (typeof definition !== "object" || definition === null)
    throw kindError(name, "a rule: an object with criticalValue and preconditioner", describe(definition));
  const fields = definition as unknown as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(fields))
    if (!Object.hasOwn(FIELDS, field))
      throw valueError(name, `only the fields ${Object.keys(FIELDS).join(", ")} in a rule`, field);
  for (const [field, kind] of Object.entries(FIELDS)) {
    const value = fields[field];
    if (value === undefined && kind.endsWith("?")) continue;
    const kinds = kind.replace("?", "").split(" or ");
    if (value === null || !kinds.includes(typeof value))
      throw kindError(`${name}, ${field}`, `a ${kinds.join(" or an ")}`, describe(value));
  }
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (value instanceof Promise) return "a promise";
  if (value instanceof Tensor) return "a tensor";
  if (typeof value === "object" || typeof value === "function")
    return `a${typeof value === "object" ? "n" : ""} ${typeof value}`;
  return typeof value === "string" ? "a text" : `${typeof value} ${String(value)}`;
}

function checkedShapes(name: string, shapes: Shapes): Shapes {
  for (const [part, shape] of Object.entries(shapes))
    if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0))
      throw kindError(
        `${name}, state`,
        `a shape for "${part}" such as [] for a number or [p] for one per weight`,
        JSON.stringify(shape) ?? "nothing",
      );
  return shapes;
}

/** Time scales with that of t at 1. */
const withSteps = (
  timeScale: UpdateRule["timeScale"],
  parts: readonly string[],
): UpdateRule["timeScale"] => ({
  ...Object.fromEntries(parts.map((part) => [part, timeScaleOf({ timeScale }, part)])),
  t: 1,
});

/** `update` may leave out t, and return nothing that is not in the state. */
function checkParts(name: string, next: State, state: State): void {
  if (typeof next !== "object" || next === null || next instanceof Tensor)
    throw kindError(`${name}, update`, "an object with the parts of the state", describe(next));
  const known = Object.keys(state);
  for (const [part, value] of Object.entries(next)) {
    if (!known.includes(part))
      throw valueError(`${name}, update`, `parts of the state (${known.join(", ")})`, `"${part}"`);
    if (!(value instanceof Tensor))
      throw kindError(`${name}, update`, `a tensor for "${part}"`, describe(value), TENSOR_ADVICE);
  }
}

function sizeOfAll(shapes: Shapes): number {
  return Object.values(shapes).reduce((total, shape) => total + sizeOf(shape), 0);
}

/** Numbers by name; of longer parts the sum of magnitudes and, with one entry per weight, selected entries. */
function summaryOf(shapes: Shapes, parts: StateParts, p: number): StateSummary {
  const summary: StateSummary = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const part = parts[name];
    if (shape.length === 0) summary[name] = part[0];
    else {
      summary[`${name}_l1`] = magnitudes(part);
      if (part.length === p) summary[`${name}_selected_idx`] = selectedEntries(part);
    }
  }
  return summary;
}
