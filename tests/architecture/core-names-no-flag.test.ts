import { expect, test } from "vitest";
import { advice } from "../../src/linalg/index.ts";
import { filesBelow } from "./sources.ts";

const CORE = ["base", "wasm", "autodiff", "linalg", "flows", "models"];
/** A flag as a word of its own: --name, with parts behind points. */
const FLAG = /(?:^|[^-\w])--[a-z][\w.-]*/;
const COMMENT = /\/\*.*?\*\/|^\s*\/\/[^\n]*/gms;

test("nothing that the core says names a flag: statuses are codes, errors speak of arguments", () => {
  const files = CORE.flatMap((layer) => filesBelow(`src/${layer}`, ".ts"));
  expect(files.length).toBeGreaterThan(100);
  const named = files.flatMap(({ path, text }) => {
    const found = FLAG.exec(text.replace(COMMENT, ""));
    return found ? [`${path}: ${found[0].trim()}`] : [];
  });
  expect(named).toEqual([]);
});

test("the advice of the solvers names none either", () => {
  for (const sentence of Object.values(advice)) expect(sentence).not.toMatch(FLAG);
});
