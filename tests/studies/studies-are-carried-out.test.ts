import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { studiesText } from "../../src/report/index.ts";
import { boundWords, carryOut, meets, STUDIES, STUDY_NAMES } from "../../src/studies/index.ts";

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

test("names of studies are distinct, and what is no study is refused by name", async () => {
  expect(new Set(STUDY_NAMES).size).toBe(STUDY_NAMES.length);
  for (const name of STUDY_NAMES) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  await expect(carryOut(["folly"], { ...options, directory: folder() })).rejects.toThrow(/expected one of/);
});

test("a kept result answers only for its own version, size and criteria", async () => {
  const [{ name }] = STUDIES;
  const directory = folder();
  await carryOut([name], { ...options, directory });
  const json = join(directory, `${name}.json`);
  const foreign = { ...JSON.parse(readFileSync(json, "utf8")), verdict: "marked" };
  writeFileSync(json, JSON.stringify(foreign));
  const verdict = async (version: string): Promise<string> => {
    const outcome = await carryOut([name], { ...options, version, directory, keep: true });
    return outcome === "interrupted" ? outcome : outcome.studies[0].verdict;
  };
  expect(await verdict("0")).toBe("marked");
  expect(await verdict("1")).not.toBe("marked");
});

test("no number is within a bound that it does not meet, and NaN is within none", () => {
  expect(meets({ below: 1 }, 0.5)).toBe(true);
  expect(meets({ below: 1 }, 1)).toBe(false);
  expect(meets({ above: 1 }, 1)).toBe(false);
  expect(meets({ between: [1, 2] }, 2)).toBe(true);
  expect(meets({ between: [1, 2] }, 2.1)).toBe(false);
  for (const bound of [{ below: 1 }, { above: 1 }, { between: [0, 1] }] as const)
    expect(meets(bound, Number.NaN)).toBe(false);
});
