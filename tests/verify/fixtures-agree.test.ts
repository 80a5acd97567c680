import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fixtureFiles, verifyAll } from "../../src/verify/index.ts";

const FOLDER = fileURLToPath(new URL("./fixtures", import.meta.url));

/** Cases of the authors' code, cut small, with how many quantities each has to compare. */
const CASES = [
  { name: "derivatives/cnn_ce", count: 6 },
  { name: "derivatives/mlp_binary_ce", count: 9 },
  { name: "optimizers/optimizers", count: 12 },
  { name: "trajectories/gd_mlp_ce", count: 36 },
  { name: "trajectories/rmsprop_mlp", count: 48 },
];

test.each(CASES)("$name: every quantity within the fixtures' tolerances", ({ name, count }) => {
  const verdicts = verifyAll([`${FOLDER}/${name}.json`]);
  expect(verdicts.filter((verdict) => !("pass" in verdict && verdict.pass === true))).toEqual([]);
  expect(verdicts.length).toBe(count);
});

test("no other case lies beside them", () => {
  expect(fixtureFiles(FOLDER).length).toBe(CASES.length);
});
