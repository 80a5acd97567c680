import { type Given, type Part, type Settings, settle, type Values } from "../../../base/index.ts";
import { defineRule, type RuleDefinition } from "../define.ts";
import { constantSchedule, type Schedule } from "../learning-rate.ts";
import { lr, type StepValues, stepSettings } from "../schedule.ts";
import type { UpdateRule } from "../update-rule.ts";
import type { StepOptions } from "../weight-decay.ts";

/** What a file says of an optimizer: its name, its own settings, and the rule they make. */
export interface OptimizerDefinition<S extends Settings = Settings> extends Part<S> {
  /** The rule; η(t) comes from `rate`, which it follows itself. */
  define(values: Values<S>, rate: Schedule): RuleDefinition;
}

/** The settings of an optimizer: η, its own, decay and schedule. */
type All<S extends Settings> = { readonly lr: typeof lr } & S & typeof stepSettings;

/** An optimizer: a function from options to a rule, which says what the options are. */
export interface Optimizer<S extends Settings = Settings> extends Part<All<S>> {
  /** The rule with these options. @throws InputKindError or InputValueError naming the option */
  (options: StepOptions & Given<S>): UpdateRule;
  /** The settings that are the optimizer's own. */
  readonly own: S;
}

/** Declares an optimizer in the form in which a file does that users write, with η(t) as a function. */
export function optimizer<const N extends string, const S extends Settings>(
  definition: OptimizerDefinition<S> & { readonly name: N },
): Optimizer<S> & { readonly name: N } {
  const { name, className, help, settings } = definition;
  const create = ({ lr, weightDecay, ...given }: StepOptions & object): UpdateRule => {
    const rate = typeof lr === "number" ? constantSchedule(lr) : lr;
    return defineRule(definition.define(settle(name, definition, given), rate), {
      name,
      rate: lr,
      weightDecay,
    });
  };
  Object.defineProperty(create, "name", { value: name });
  const all = { lr, ...settings, ...stepSettings };
  return Object.assign(create, {
    className,
    help,
    own: settings,
    settings: all,
  }) as unknown as Optimizer<S> & {
    readonly name: N;
  };
}

/** An optimizer of which only the record is known. */
export type AnyOptimizer = Pick<Optimizer, "name" | "own">;

/** The rule of an optimizer with complete values, η being `rate`. */
export function ruleWith(
  optimizer: AnyOptimizer,
  values: Pick<StepValues, "weightDecay">,
  rate: number | Schedule,
): UpdateRule {
  const own = Object.entries(values).filter(([key]) => Object.hasOwn(optimizer.own, key));
  const options = { ...Object.fromEntries(own), lr: rate, weightDecay: values.weightDecay };
  return (optimizer as Optimizer)(options);
}
