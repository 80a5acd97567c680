import { describe, expect, test } from "vitest";
import {
  absolute,
  add,
  divide,
  multiply,
  sign,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../../src/autodiff/index.ts";
import {
  checkUpdateRule,
  defineRule,
  type RuleDefinition,
  rootOrZero,
  type UpdateRule,
} from "../../../src/flows/index.ts";

const average = (old: Tensor, next: Tensor, beta = 0.9): Tensor =>
  add(multiply(old, beta), multiply(next, 1 - beta));

/** Heavy ball with β = 0.9 and η = 0.1, and some of it otherwise. */
const ruleWith = (changes: Partial<RuleDefinition>): UpdateRule =>
  defineRule(
    {
      criticalValue: 38,
      state: (p) => ({ m: [p] }),
      update: ({ m }, gradient) => ({ m: average(m, gradient) }),
      timeScale: { m: 1 / 0.9 },
      direction: ({ m }) => m,
      preconditioner: () => 10,
      ...changes,
    },
    { name: "rule", lr: 0.1 },
  );

const refusal = (changes: Partial<RuleDefinition>): string => {
  try {
    checkUpdateRule(ruleWith(changes));
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was refused";
};

test("a rule that is as it says passes without a word", () => {
  expect(checkUpdateRule(ruleWith({}))).toEqual([]);
});

describe("a rule that contradicts itself is refused with a sentence", () => {
  test.each<[string, Partial<RuleDefinition>, RegExp]>([
    [
      "a critical value of another rule",
      { criticalValue: 2 },
      /^rule, criticalValue: expected 38: .* h = 38·P, here 380, got 2, .* here 20; criticalValue: 38 would be right$/,
    ],
    [
      "no critical value",
      { criticalValue: Number.NaN },
      /criticalValue: expected a finite number > 0, got NaN/,
    ],
    [
      "a sum in place of an average",
      { update: ({ m }, g) => ({ m: add(multiply(m, 0.9), g) }) },
      /direction: expected a steady gradient itself, got 10 times it; .*P divided by 10/,
    ],
    ["a sum for good", { update: ({ m }, g) => ({ m: add(m, g) }) }, /keeps them for good/],
    [
      "an average that grows",
      { update: ({ m }, g) => ({ m: add(multiply(m, 1.1), g) }) },
      /direction: expected an average that forgets/,
    ],
    ["uphill", { direction: ({ m }) => multiply(m, -1) }, /got -1 times it; .* not go downhill/],
    ["a sign", { direction: (_, g) => sign(g) }, /got 0 times it/],
    [
      "a norm in the direction",
      { direction: (_, g) => divide(g, sqrt(sum(square(g)))) },
      /moves weight 1 by the gradient of weight 0; .*into the preconditioner/,
    ],
    [
      "a root for each weight in the direction",
      {
        state: (p) => ({ nu: [p] }),
        update: ({ nu }, g) => ({ nu: average(nu, square(g)) }),
        timeScale: 1 / 0.9,
        direction: ({ nu }, g) => divide(g, sqrt(nu)),
        criticalValue: 2,
      },
      /answers weight 1 with \S+ times its gradient and weight 0 with \S+ times/,
    ],
    [
      "a scale that depends on the state",
      {
        state: () => ({ nu: [] }),
        update: ({ nu }, g) => ({ nu: average(nu, sum(square(g))) }),
        timeScale: 1 / 0.9,
        direction: ({ nu }, g) => multiply(g, divide(nu, add(nu, 1))),
        criticalValue: 2,
      },
      /moves weight 1 by the gradient of weight 0/,
    ],
    [
      "something besides gradients",
      { direction: ({ m }) => add(m, 1) },
      /direction: expected an average of gradients .* something else besides/,
    ],
    [
      "an instability with period six: the last gradient but one",
      {
        state: (p) => ({ last: [p], before: [p] }),
        update: ({ last }, g) => ({ last: g, before: last }),
        timeScale: 1,
        direction: ({ before }) => before,
      },
      /period of 6 steps, from h = 1·P, here 10 on/,
    ],
    [
      "an instability with a long period: an average of an average",
      {
        state: (p) => ({ a: [p], b: [p] }),
        update: ({ a, b }, g) => {
          const next = average(a, g);
          return { a: next, b: average(b, next) };
        },
        timeScale: 1,
        direction: ({ b }) => b,
      },
      /swinging with a period of 56\.\d+ steps/,
    ],
    [
      "a negative P",
      { preconditioner: ({ t }) => subtract(3.5, t) },
      /preconditioner: .*> 0.*got -0.5 in step 4/,
    ],
    [
      "a P that is no number",
      { preconditioner: () => Number.NaN },
      /preconditioner: .*got NaN in step 1; .*sqrt/,
    ],
    [
      "an infinite update",
      { update: ({ m }, g) => ({ m: divide(g, subtract(m, m)) }) },
      /update: .*in step 1/,
    ],
    ["a root of what may be negative", { update: (_, g) => ({ m: sqrt(g) }) }, /update: .*got NaN/],
    [
      "a derivative that is not finite",
      {
        state: (p) => ({ m: [p], z: [] }),
        update: ({ m, z }, g) => ({ m: average(m, g), z: multiply(z, 0.5) }),
        preconditioner: ({ z }) => add(10, sqrt(z)),
      },
      /the derivative of preconditioner: expected finite/,
    ],
    ["a decay of all weights", { decay: () => 1 }, /decay: expected a fraction in \[0, 1\).*got 1/],
    ["a part that is not returned", { update: () => ({}) }, /"m" with shape \[3\], got nothing/],
    ["a part of another shape", { update: (_, g) => ({ m: sum(g) }) }, /"m" with shape \[3\], got scalar/],
    [
      "a part that is not in the state",
      { update: ({ m }) => ({ m, n: m }) },
      /parts of the state \(t, m\), got "n"/,
    ],
    [
      "a number in place of a tensor",
      { update: () => ({ m: 3 as unknown as Tensor }) },
      /a tensor for "m", got number 3/,
    ],
    [
      "a first state that does not fit",
      { initialState: () => new Float64Array(1) },
      /an initial state of 4 numbers, got 2/,
    ],
    [
      "a first state with NaN",
      { initialState: (p) => new Float64Array(p).fill(Number.NaN) },
      /initialState: .*got NaN/,
    ],
    [
      "a time scale of no part",
      { timeScale: { mm: 2 } },
      /timeScale: expected parts of the state \(t, m\), got mm/,
    ],
    ["a negative time scale", { timeScale: -1 }, /timeScale: expected finite numbers > 0, got -1/],
    [
      "no shape",
      { state: () => ({ m: 3 as unknown as number[] }) },
      /state: expected a shape for "m".*got 3/,
    ],
    [
      "a direction of another shape",
      { direction: ({ m }) => sum(m) },
      /a direction of shape \[3\], got scalar/,
    ],
  ])("%s", (_, changes, sentence) => {
    expect(refusal(changes)).toMatch(sentence);
  });

  test("a state that changes from one look to the next", () => {
    let looks = 0;
    const state = (p: number) => ({ m: [p], [`n${looks++}`]: [] });
    expect(refusal({ state })).toMatch(/rule/);
  });

  test.each<[string, unknown, RegExp]>([
    ["no object", 3, /rule: expected a rule: an object with criticalValue and preconditioner, got number 3/],
    ["nothing", undefined, /got nothing/],
    [
      "a field with a wrong name",
      { criticalValue: 2, preconditioner: () => 1, directon: () => 1 },
      /got directon/,
    ],
    ["a missing field", { criticalValue: 2 }, /rule, preconditioner: expected a function, got nothing/],
    ["a critical value in words", { criticalValue: "2", preconditioner: () => 1 }, /a number, got a text/],
  ])("%s is no definition", (_, definition, sentence) => {
    expect(() => defineRule(definition as RuleDefinition, { name: "rule", lr: 1 })).toThrow(sentence);
  });
});

test("an update that a flow cannot average exactly is told, one that it can is not", () => {
  const withNu = (next: (g: Tensor) => Tensor): string[] =>
    checkUpdateRule(
      ruleWith({
        criticalValue: 2,
        direction: (_, g) => g,
        state: (p) => ({ nu: [p] }),
        update: ({ nu }, g) => ({ nu: average(nu, next(g)) }),
        timeScale: 1 / 0.9,
        preconditioner: ({ nu }) => add(nu, 1),
      }),
    );
  expect(withNu((g) => square(g))).toEqual([]);
  expect(withNu((g) => add(multiply(square(sum(g)), 2), g))).toEqual([]);
  for (const rough of [absolute, (g: Tensor) => square(square(g)), (g: Tensor) => sqrt(add(square(g), 1))])
    expect(withNu(rough).join()).toMatch(/the update of "nu" is neither linear nor quadratic/);
});

test("a P without a derivative for dead weights is told, one with a root that has it is not", () => {
  const withRoot = (root: (nu: Tensor) => Tensor): string[] =>
    checkUpdateRule(
      ruleWith({
        criticalValue: 2,
        direction: (_, g) => g,
        state: (p) => ({ nu: [p] }),
        update: ({ nu }, g) => ({ nu: average(nu, square(g)) }),
        timeScale: 1 / 0.9,
        preconditioner: ({ nu }) => add(root(nu), 0.01),
      }),
    );
  expect(withRoot(rootOrZero)).toEqual([]);
  expect(withRoot(sqrt).join()).toMatch(/always been 0.*rootOrZero in place of sqrt has$/);
});

test("a time scale that lags is told, with the number that does not", () => {
  const warnings = checkUpdateRule(ruleWith({ timeScale: 1 }));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/gives "m" 1, and 1\.11111 would/);
});
