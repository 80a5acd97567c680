import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRule, piecewiseSchedule, type RateChange, scalarRmsProp } from "../../../src/flows/index.ts";
import { parseRun } from "../../../src/settings/index.ts";
import { buildRun, rowDifference, type StepRow } from "../../../src/simulation/index.ts";

/** The rows of a small run with some flags. */
function rowsOf(flags: string, steps = 12): StepRow[] {
  const words = `data:moons --data.n=12 arch:mlp --arch.width=3 --steps=${steps} --backend=js ${flags}`;
  const { simulation } = buildRun(parseRun(words.split(" ")).config, {});
  return Array.from({ length: steps }, (_, index) => ({ index, step: index, quantities: simulation.step() }));
}

const eta = (changes: readonly RateChange[], t: number): number =>
  compileRule(scalarRmsProp({ lr: piecewiseSchedule(2, changes), beta2: 0.9 }), 1).learningRate(
    Float64Array.of(t, 1),
  );

test("η is that of the last change at a step already begun, of whole steps and of fractions", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(30), { maxLength: 4 }),
      fc.nat(31),
      fc.constantFrom(0, 0.25, 1 / 3, 0.5, 0.99),
      (steps, whole, fraction) => {
        const changes = steps.sort((a, b) => a - b).map((step, i): RateChange => [step, 1 / (i + 2)]);
        const begun = changes.filter(([step]) => step <= whole - 1);
        expect(eta(changes, whole + fraction)).toBe(begun.at(-1)?.[1] ?? 2);
      },
    ),
  );
});

test("a fraction that lost its last bits on the way still counts as whole", () => {
  const thirds = 5 + 1 / 3 + 1 / 3 + 1 / 3 - 2 ** -50;
  expect(eta([[5, 1]], thirds)).toBe(1);
});

test.each([
  "opt:gd --opt.lr=0.3",
  "opt:heavy-ball --opt.lr=0.02",
  "opt:scalar-rmsprop --opt.lr=0.02 --opt.beta2=0.9",
  "opt:rmsprop --opt.lr=0.01 --opt.beta2=0.9 --opt.bias-correction",
  "opt:adam --opt.lr=0.01 --opt.beta2=0.95",
])("%s: optimizer and flows change η in the same row", (flags) => {
  const rows = rowsOf(`${flags} --opt.schedule=piecewise --opt.lr-at=4:0.004,9:0.002`);
  const first = Number(/lr=([\d.]+)/.exec(flags)?.[1]);
  for (const process of ["discrete", "midpoint", "central", "stable"])
    expect(
      rows.map(({ quantities }) => quantities[`${process}/opt.lr`]),
      process,
    ).toEqual([...Array(4).fill(first), ...Array(5).fill(0.004), ...Array(3).fill(0.002)]);
});

test.each(["opt:gd --opt.lr=0.3", "opt:nesterov --opt.lr=0.02"])(
  "%s: the rows before a change are to the bit those without it, those after it are not",
  (flags) => {
    const plain = rowsOf(flags);
    const changed = rowsOf(`${flags} --opt.schedule=piecewise --opt.lr-at=5:0.01`);
    expect(plain.map((row, i) => rowDifference(row, changed[i])).findIndex((found) => found)).toBe(5);
  },
);

test("rates that are not positive and steps that do not ascend are refused", () => {
  expect(() => piecewiseSchedule(0.1, [[3, 0]])).toThrow(
    "learning rate from step 3: expected a finite number > 0",
  );
  expect(() =>
    piecewiseSchedule(0.1, [
      [3, 1],
      [3, 2],
    ]),
  ).toThrow("expected integers in ascending order, got 3 after 3");
});
