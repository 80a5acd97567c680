import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fixtureFiles, type Verdict, verifyAll } from "../../src/verify/index.ts";

/** Numbers from the authors' code, where they are at hand. */
const FOLDER =
  process.env.CENTRAL_FLOWS_FIXTURES ?? fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));

const judged = (verdicts: readonly Verdict[]): { passed: number; failed: Verdict[] } => ({
  passed: verdicts.filter((verdict) => "pass" in verdict && verdict.pass === true).length,
  failed: verdicts.filter((verdict) => "pass" in verdict && verdict.pass === false),
});

const under = (part: string): string[] => {
  const path = join(FOLDER, part);
  return existsSync(path) ? fixtureFiles(path) : [];
};

interface Group {
  readonly name: string;
  readonly files: readonly string[];
  /** How many checks there are at least. */
  readonly least: number;
  readonly steps?: number;
}

const GROUPS: readonly Group[] = [
  {
    name: "derivatives of multilayer perceptrons",
    files: under("derivatives").filter((path) => /\/mlp_[^/]*$/.test(path)),
    least: 30,
  },
  { name: "torch.optim.RMSprop", files: under("optimizers"), least: 3 },
  { name: "the first 40 steps of every trajectory", files: under("trajectories"), least: 100, steps: 40 },
];

for (const { name, files, least, steps } of GROUPS)
  test(`${name}: within the fixtures' tolerances`, (ctx) => {
    if (files.length === 0) {
      console.warn(`skipped: no fixtures at ${FOLDER}`);
      return ctx.skip();
    }
    const { passed, failed } = judged(verifyAll(files, steps === undefined ? {} : { steps }));
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(least);
  }, 300_000);
