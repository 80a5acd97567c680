import { valueError } from "../../base/index.ts";
import type { CompiledRule } from "./compile.ts";
import type { Projection } from "./projection.ts";
import type { UpdateRule } from "./update-rule.ts";

/**
 * The rule with a projection. @throws InputValueError for one that has another
 */
export function withProjection(rule: UpdateRule, projection: Projection): UpdateRule {
  if (rule.projection) throw valueError(rule.name, "a rule without a projection", "one that has one");
  return { ...rule, projection };
}

/**
 * Refuses a flow of a rule with a projection where it would not be exact: its sharp directions are eigenvectors of ΠHΠ,
 * which are those of P⁻¹ΠH only where P is one number; and ν must not hear the part of the gradient that Π takes away.
 *
 * @throws InputValueError
 */
export function checkProjectedFlow(flow: string, compiled: CompiledRule): void {
  const { projection, name } = compiled.rule;
  if (!projection) return;
  if (!compiled.preconditionerIsUniform)
    throw valueError(
      flow,
      "one P for all weights where gradients are centralized",
      `${name}, whose P is a diagonal`,
      "P⁻¹ΠH need not have a real spectrum there, and no edge for a flow to follow; the optimizer runs without flows",
    );
  if (projection.of === "direction" && !compiled.rateIsLinear)
    throw valueError(
      flow,
      "a rule whose second moment is of the gradients that it steps along",
      `${name} with its moment centralized, whose second moment is of raw gradients`,
      "centralize the gradient instead, or run the optimizer without flows",
    );
}
