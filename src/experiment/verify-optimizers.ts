import type { Objective } from "../autodiff/index.ts";
import { compileRule, rmsProp, type UpdateRule, warmStart } from "../flows/index.ts";
import { arrayOf, type FixtureCase, objectOf } from "./fixtures.ts";
import { relativeError, type Verdict } from "./verdict.ts";

const TOLERANCE = 1e-9;

/** The named numbers of a description such as `torch.optim.RMSprop(lr=1e-3, alpha=0.99, eps=1e-8)`. */
function numbersOf(description: string): Record<string, number> {
  return Object.fromEntries(
    [...description.matchAll(/(\w+)=([0-9.e+-]+)/g)].map(([, key, value]) => [key, Number(value)]),
  );
}

/** The rule that a torch.optim description means, if this build has it. */
function ruleFor(description: string): UpdateRule | undefined {
  const { lr, alpha, eps } = numbersOf(description);
  if (/\.RMSprop\(/.test(description)) return rmsProp({ lr, beta2: alpha, eps });
  return undefined;
}

/** Checks update rules against torch.optim's: loss before every step, weights every ten steps and at the end. */
export function verifyOptimizers(fixture: FixtureCase, objective: Objective): Verdict[] {
  const described = objectOf(fixture, "optimizers") as Readonly<Record<string, string>>;
  const steps = Number(fixture.meta.steps);
  return Object.entries(described).flatMap(([name, description]): Verdict[] => {
    const rule = ruleFor(description);
    if (!rule)
      return [
        { case: `${fixture.name}/${name}`, skipped: `no update rule for ${description} in this build` },
      ];
    const losses = new Float64Array(steps);
    const p = objective.dimension;
    const tens = new Float64Array(Math.ceil(steps / 10) * p);
    const final = runRule(rule, objective, arrayOf(fixture, "w0").data, steps, (step, loss, weights) => {
      losses[step] = loss;
      if (step % 10 === 0) tens.set(weights, (step / 10) * p);
    });
    const check = (quantity: string, ours: Float64Array): Verdict => {
      const error = relativeError(ours, arrayOf(fixture, `${name}/${quantity}`).data);
      return {
        case: `${fixture.name}/${name}`,
        quantity,
        error,
        tolerance: TOLERANCE,
        pass: error <= TOLERANCE,
      };
    };
    return [check("loss", losses), check("w_every_10", tens), check("final_w", final)];
  });
}

function runRule(
  rule: UpdateRule,
  objective: Objective,
  start: Float64Array,
  steps: number,
  seen: (step: number, loss: number, weights: Float64Array) => void,
): Float64Array {
  const compiled = compileRule(rule, objective.dimension);
  const weights = start.slice();
  const state = rule.initialState(objective.dimension);
  for (let step = 0; step < steps; step++) {
    objective.setWeights(weights);
    seen(step, objective.loss(), weights);
    warmStart(objective, compiled, weights, state, 1);
  }
  return weights;
}
