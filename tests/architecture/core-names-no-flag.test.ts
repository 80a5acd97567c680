import { expect, test } from "vitest";
import { filesBelow } from "./sources.ts";

const CORE = ["base", "wasm", "autodiff", "linalg", "flows", "models"];
/** A long flag as a user types it, `--eig.tol`. */
const FLAG = /(?<![\w-])--[a-z][\w.-]*/g;
const COMMENT = /\/\*.*?\*\/|\/\/[^\n]*/gs;

test("no sentence of the core names a flag: it is used without a command line too", () => {
  const files = CORE.flatMap((layer) => filesBelow(`src/${layer}`, ".ts", ".js"));
  expect(files.length).toBeGreaterThan(100);
  const named = files.flatMap(({ path, text }) =>
    [...text.replace(COMMENT, "").matchAll(FLAG)].map(([flag]) => `${path}: ${flag}`),
  );
  expect(named).toEqual([]);
});

test("a flag in a sentence is seen; one in a comment and a decrement are not", () => {
  const flags = (text: string): string[] =>
    [...text.replace(COMMENT, "").matchAll(FLAG)].map(([flag]) => flag);
  expect(flags("`try --threads 1` // --eig.tol")).toEqual(["--threads"]);
  expect(flags("for (let i = n; i--; ) left--; /* --opt.lr */")).toEqual([]);
});
