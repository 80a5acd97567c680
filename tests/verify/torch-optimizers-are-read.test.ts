import { expect, test } from "vitest";
import { compileRule } from "../../src/flows/index.ts";
import { torchOptimizer } from "../../src/verify/torch-optimizers.ts";

const read = (description: string) => {
  const found = torchOptimizer(description);
  if (typeof found === "string") throw new Error(found);
  return found;
};

test("names and arguments choose the rule, what is not given is torch's default", () => {
  expect(read("torch.optim.SGD(lr=0.05)").rule.name).toBe("gd");
  expect(read("torch.optim.SGD(lr=0.05, momentum=0.9)").rule.name).toBe("heavy-ball");
  expect(read("torch.optim.SGD(lr=0.05, momentum=0.9, nesterov=True)").rule.name).toBe("nesterov");
  expect(read("torch.optim.RMSprop()").rule.name).toBe("rmsprop");
  const adam = compileRule(read("torch.optim.Adam()").rule, 1);
  expect(adam.rule.name).toBe("adam");
  expect(adam.learningRate(new Float64Array(adam.stateSize))).toBe(1e-3);
  expect(Math.abs(adam.rule.criticalValue - 38)).toBeLessThan(1e-12);
});

test("weight decay is added to the gradient, in AdamW decoupled", () => {
  const added = read("torch.optim.SGD(lr=0.05, momentum=0.9, dampening=0, weight_decay=1e-2)");
  expect([added.addedDecay, added.rule.decay]).toEqual([1e-2, undefined]);
  expect(read("torch.optim.Adam(weight_decay=0.1)").addedDecay).toBe(0.1);
  const decoupled = read("torch.optim.AdamW(lr=0.5, betas=(0.8, 0.9), weight_decay=0.1)");
  expect(decoupled.addedDecay).toBe(0);
  const rule = compileRule(decoupled.rule, 1);
  expect(rule.decay(new Float64Array(rule.stateSize).fill(1))).toBe(0.05);
});

test.each([
  ["torch.optim.NAdam(lr=1e-3)", "no update rule for torch.optim.NAdam"],
  ["torch.optim.SGD(lr=0.1, momentum=0.9, dampening=0.5)", "no dampening=0.5 of torch.optim.SGD"],
  ["torch.optim.Adam(lr=0.1, amsgrad=True)", "no amsgrad=True of torch.optim.Adam"],
  ["something else", "no update rule for something else"],
])("%s is skipped with a reason", (description, reason) => {
  expect(torchOptimizer(description)).toContain(reason);
});
