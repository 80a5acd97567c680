import type { Objective } from "../autodiff/index.ts";
import { compileRule, steppedWeights } from "../flows/index.ts";
import { entriesOf, type FixtureCase, objectOf, vectorOf } from "./fixtures.ts";
import { OPTIMIZER_RULE } from "./tolerances.ts";
import { type TorchOptimizer, torchOptimizer } from "./torch-optimizers.ts";
import { judged, relativeError, type Verdict } from "./verdict.ts";

/** Checks update rules against torch.optim's: loss before every step, weights every ten steps and at the end. */
export function verifyOptimizers(fixture: FixtureCase, objective: Objective): Verdict[] {
  const described = objectOf(fixture, "optimizers") as Readonly<Record<string, string>>;
  const steps = Number(fixture.meta.steps);
  return Object.entries(described).flatMap(([name, description]): Verdict[] => {
    const optimizer = torchOptimizer(description);
    if (typeof optimizer === "string") return [{ case: `${fixture.name}/${name}`, skipped: optimizer }];
    const losses = new Float64Array(steps);
    const width = entriesOf(fixture, new Float64Array(objective.dimension)).length;
    const tens = new Float64Array(Math.ceil(steps / 10) * width);
    const final = runOptimizer(
      optimizer,
      objective,
      vectorOf(fixture, "w0", objective.dimension),
      steps,
      (step, loss, weights) => {
        losses[step] = loss;
        if (step % 10 === 0) tens.set(entriesOf(fixture, weights), (step / 10) * width);
      },
    );
    // Each recorded point by itself: a row of `width` entries.
    const check = (quantity: string, ours: Float64Array, width: number): Verdict => {
      const theirs = vectorOf(fixture, `${name}/${quantity}`, ours.length);
      let error = 0;
      for (let at = 0; at < ours.length; at += width)
        error = Math.max(
          error,
          relativeError(ours.subarray(at, at + width), theirs.subarray(at, at + width)),
        );
      return judged(`${fixture.name}/${name}`, quantity, error, OPTIMIZER_RULE);
    };
    return [
      check("loss", losses, 1),
      check("w_every_10", tens, width),
      check("final_w", entriesOf(fixture, final), width),
    ];
  });
}

function runOptimizer(
  { rule, addedDecay }: TorchOptimizer,
  objective: Objective,
  start: Float64Array,
  steps: number,
  seen: (step: number, loss: number, weights: Float64Array) => void,
): Float64Array {
  const compiled = compileRule(rule, objective.dimension);
  const weights = start.slice();
  const preconditioner = new Float64Array(objective.dimension);
  let state = rule.initialState(objective.dimension);
  for (let step = 0; step < steps; step++) {
    objective.setWeights(weights);
    seen(step, objective.loss(), weights);
    const gradient = objective.gradient().map((entry, l) => entry + addedDecay * weights[l]);
    const next = new Float64Array(state.length);
    compiled.update(state, gradient, next);
    state = next;
    compiled.preconditioner(state, preconditioner);
    weights.set(steppedWeights(compiled, { weights, state, gradient, preconditioner }));
  }
  return weights;
}
