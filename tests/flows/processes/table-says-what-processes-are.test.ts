import { expect, test } from "vitest";
import {
  gradientDescent,
  heavyBall,
  PROCESS_KINDS,
  PROCESSES,
  type ProcessEntry,
  processEntry,
  rmsProp,
  scalarAdam,
} from "../../../src/flows/index.ts";
import { REFERENCE_PROCESSES } from "../../../src/settings/index.ts";
import { filesBelow } from "../../architecture/sources.ts";
import { EIGEN, edgeExample, setupAt, takeSteps } from "../problems.ts";

const SETTINGS = {
  central: { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
  stable: { minSubsteps: 4, maxSharpness: null },
};
const RULES = [
  gradientDescent({ lr: 0.1 }),
  heavyBall({ lr: 0.1, beta1: 0.9 }),
  rmsProp({ lr: 0.1, beta2: 0.9, eps: 1e-3 }),
  scalarAdam({ lr: 0.1, beta2: 0.9, eps: 1e-3 }),
];
const entries: readonly ProcessEntry[] = PROCESSES;

test("kinds and labels differ, and every kind has eigenvalue settings, its own or another's", () => {
  expect(new Set(PROCESS_KINDS).size).toBe(PROCESSES.length);
  expect(new Set(entries.map(({ label }) => label)).size).toBe(PROCESSES.length);
  for (const kind of PROCESS_KINDS) {
    expect(processEntry(kind).kind).toBe(kind);
    expect(REFERENCE_PROCESSES).toContain(processEntry(kind).eigenSettings);
  }
});

test("an entry makes a process of its kind for the rules that it takes, and refuses the others", () => {
  for (const entry of entries)
    for (const rule of RULES) {
      const setup = setupAt(edgeExample(1, 0.02), rule, [0.2, 2]);
      const squares = "nu" in rule.state(2);
      const takes = {
        all: true,
        squares,
        "second moment": rule.secondMoment !== undefined,
        "no momentum": !rule.direction,
      }[entry.rules];
      if (takes) {
        entry.check(setup.rule);
        expect(entry.create(setup, SETTINGS).kind).toBe(entry.kind);
      } else expect(() => entry.check(setup.rule), `${entry.kind} ${rule.name}`).toThrow(RangeError);
    }
});

test("a process that always needs eigenvalues refuses to be without, the others go without", () => {
  const eigen = { ...EIGEN, frequency: -1 };
  for (const entry of entries) {
    const setup = setupAt(edgeExample(1, 0.02), RULES[2], [0.2, 2], { eigen });
    const create = () => entry.create(setup, SETTINGS);
    if (entry.needsEigenvalues === "always") expect(create).toThrow(/eigenpairs computed every/);
    else takeSteps(create(), 2);
  }
});

test("what an entry logs are quantities with the entries that their shapes say", () => {
  for (const entry of entries) {
    const process = entry.create(setupAt(edgeExample(1, 0.02), RULES[2], [0.2, 6]), SETTINGS);
    takeSteps(process, 3);
    if (!process.observation) throw new Error(entry.kind);
    for (const [name, quantity] of Object.entries(entry.quantities(process.observation)))
      if (typeof quantity !== "number")
        expect(quantity.data.length, name).toBe(quantity.shape.reduce((size, length) => size * length, 1));
  }
});

test("no list of the kinds stands anywhere else: no six in a row", () => {
  const kinds = PROCESS_KINDS.map((kind) => `"${kind}"`).join("|");
  const list = new RegExp(`(?:(?:${kinds})[\\s,|]+){5}(?:${kinds})`);
  for (const folder of ["src/settings", "src/simulation", "src/record", "src/run", "src/cli", "src/report"])
    for (const { path, text } of filesBelow(folder, ".ts")) expect(list.test(text), path).toBe(false);
});
