import { dirname } from "node:path";
import { expect, test } from "vitest";
import { filesBelow } from "./sources.ts";

/** Rooms of tests that are about the repository as a whole. */
const OF_THEIR_OWN = ["tests/architecture", "tests/documents", "tests/packaging", "tests/support"];

test("tests live in the rooms of what they test", () => {
  const rooms = new Set(filesBelow("src", ".ts", ".js", ".css").map(({ path }) => dirname(path)));
  for (const room of [...rooms]) for (let up = room; up !== "."; up = dirname(up)) rooms.add(up);
  const strangers = filesBelow("tests", ".ts")
    .map(({ path }) => dirname(path))
    .filter((folder) => !rooms.has(folder.replace(/^tests/, "src")))
    .filter((folder) => !OF_THEIR_OWN.some((own) => `${folder}/`.startsWith(`${own}/`)));
  expect([...new Set(strangers)]).toEqual([]);
});
