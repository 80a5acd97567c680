import { existsSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { studiesText } from "../../src/report/index.ts";
import { boundWords, carryOut, meets, STUDIES } from "../../src/studies/index.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "studies-"));
const options = { size: "small", version: "0", environment: "a test" } as const;

describe.each(STUDIES)("study $name, small", (study) => {
  test("measures what its criteria name, judges by them alone, and leaves page, numbers and picture", async () => {
    const directory = folder();
    const done: number[] = [];
    const outcome = await carryOut([study.name], {
      ...options,
      directory,
      progress: (_, share) => done.push(share),
    });
    if (outcome === "interrupted") throw new Error("interrupted");
    const [result] = outcome.studies;
    const judged = result.numbers.filter(({ holds }) => holds !== undefined);
    expect(judged.map(({ label }) => label)).toEqual(
      Object.values(study.criteria).map(({ sentence }) => sentence),
    );
    Object.values(study.criteria).forEach(({ bound }, i) => {
      expect(judged[i].criterion).toBe(boundWords(bound));
      expect(judged[i].holds).toBe(meets(bound, judged[i].value));
    });
    expect(result.holds).toBe(judged.every(({ holds }) => holds));
    expect(result.verdict).toMatch(result.holds ? /^holds: / : /^does not hold here: /);
    expect(done.length).toBeGreaterThan(0);
    for (const share of done) expect(share >= 0 && share <= 1).toBe(true);
    const html = readFileSync(outcome.page, "utf8");
    expect(html).toContain(`id="${study.name}"`);
    for (const { arxiv } of study.papers) expect(html).toContain(`https://arxiv.org/abs/${arxiv}`);
    expect(result.figures.length).toBeGreaterThan(0);
    for (const { curves } of result.figures) {
      expect(curves.length).toBeGreaterThan(0);
      expect(curves.length).toBeLessThanOrEqual(8);
      for (const { x, y } of curves) {
        expect(y.length).toBe(x.length);
        expect(x.every((place, i) => i === 0 || place >= x[i - 1])).toBe(true);
        expect(y.some((value) => Number.isFinite(value))).toBe(true);
      }
    }
    expect(readFileSync(join(directory, `${study.name}.svg`), "utf8")).not.toMatch(/NaN|Infinity/);
    for (const { label } of result.numbers) expect(studiesText(outcome.studies)).toContain(label);

    // What is finished is kept by the next call, to the number.
    const json = join(directory, `${study.name}.json`);
    const written = statSync(json).mtimeMs;
    const again = await carryOut([study.name], { ...options, directory, keep: true });
    if (again === "interrupted") throw new Error("interrupted");
    expect(statSync(json).mtimeMs).toBe(written);
    expect(again.studies).toEqual(outcome.studies);
  });

  test("stops when it is asked to, and writes nothing half-finished", async () => {
    const directory = folder();
    let asked = 0;
    const stopped = await carryOut([study.name], {
      ...options,
      directory,
      shouldStop: () => asked++ >= 1,
    });
    expect(stopped).toBe("interrupted");
    expect(existsSync(join(directory, `${study.name}.json`))).toBe(false);
  });
});
