import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { carryOut, meets, STUDIES, STUDY_NAMES } from "../../src/studies/index.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "studies-"));
const options = { size: "small", version: "0", environment: "a test" } as const;

test("every study has criteria with sentences of their own, sources with a standing, and says what was not available", () => {
  for (const { criteria, papers, unavailable, title, question } of STUDIES) {
    const sentences = Object.values(criteria).map(({ sentence }) => sentence);
    expect(sentences.length).toBeGreaterThan(0);
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const { arxiv, standing } of papers) {
      expect(arxiv).toMatch(/^\d{4}\.\d{5}$/);
      expect(standing.length).toBeGreaterThan(0);
    }
    for (const words of [title, question, unavailable]) expect(words.length).toBeGreaterThan(10);
  }
});

test("names of studies are distinct, and what is no study is refused by name", async () => {
  expect(new Set(STUDY_NAMES).size).toBe(STUDY_NAMES.length);
  for (const name of STUDY_NAMES) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  await expect(carryOut(["folly"], { ...options, directory: folder() })).rejects.toThrow(/expected one of/);
});

test("a kept result answers only for its own version, size and criteria", async () => {
  const name = "margin";
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
