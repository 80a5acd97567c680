import { dirname } from "node:path";
import { expect, test } from "vitest";
import { filesBelow } from "./sources.ts";

/** What a reader takes in at a glance. */
const MOST_FILES = 14;

test(`no folder of src holds more than ${MOST_FILES} files`, () => {
  const counts = new Map<string, number>();
  for (const { path } of filesBelow("src", ".ts"))
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  expect(counts.size).toBeGreaterThan(30);
  expect([...counts].filter(([, count]) => count > MOST_FILES)).toEqual([]);
});
