import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixtureFiles, verifyAll } from "../../src/verify/index.ts";

/** The whole cases of which those in tests/verify/fixtures are cut, where they are at hand: see README.md there. */
const FOLDER = process.env.CENTRAL_FLOWS_FIXTURES;

/** How many checks each folder has at least; trajectories in the steps before chaos. */
const PARTS = [
  { part: "derivatives", least: 80 },
  { part: "optimizers", least: 12 },
  { part: "trajectories", least: 100, steps: 40 },
];

test("CENTRAL_FLOWS_FIXTURES, where it is set, names a folder of fixtures", () => {
  expect(FOLDER === undefined || fixtureFiles(FOLDER).length > 0).toBe(true);
});

describe.each(PARTS.filter(({ part }) => FOLDER !== undefined && existsSync(join(FOLDER, part))))(
  "$part",
  ({ part, least, steps }) => {
    test("within the fixtures' tolerances", () => {
      const verdicts = verifyAll(fixtureFiles(join(FOLDER!, part)), steps === undefined ? {} : { steps });
      expect(verdicts.filter((verdict) => "pass" in verdict && verdict.pass === false)).toEqual([]);
      const passed = verdicts.filter((verdict) => "pass" in verdict && verdict.pass === true);
      expect(passed.length).toBeGreaterThanOrEqual(least);
    }, 600_000);
  },
);
