import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lab } from "../../src/cli/lab.ts";
import { parseCommand } from "../../src/cli/parse.ts";
import { LAB_MARK } from "../../src/lab/index.ts";

const built = fileURLToPath(new URL("../../dist/lab/lab.html", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lab-command-"));
const already = existsSync(built);
beforeAll(() => {
  if (already) return;
  mkdirSync(dirname(built), { recursive: true });
  writeFileSync(built, `<!doctype html>${LAB_MARK}`);
});
afterAll(() => {
  if (!already) rmSync(built);
  rmSync(folder, { recursive: true });
});

test("the lab is written, and again over itself, but not over what is something else", async () => {
  const out = join(folder, "mine.html");
  for (let i = 0; i < 2; i++) expect(await lab.run({ out, open: false })).toBe(0);
  expect(readFileSync(out, "utf8")).toContain(LAB_MARK);
  writeFileSync(out, "my notes");
  await expect(async () => lab.run({ out, open: false })).rejects.toThrow("which is something else");
  expect(readFileSync(out, "utf8")).toBe("my notes");
});

test("where no browser starts, the file is there and its address is told, with exit status 1", async () => {
  const before = process.env.BROWSER;
  process.env.BROWSER = join(folder, "no-such-browser");
  try {
    expect(await lab.run({ out: join(folder, "other.html"), open: true })).toBe(1);
  } finally {
    if (before === undefined) delete process.env.BROWSER;
    else process.env.BROWSER = before;
  }
  expect(existsSync(join(folder, "other.html"))).toBe(true);
});

test("the command is read as the others are", () => {
  expect(parseCommand(["lab", "--open", "--out", "a.html"])).toMatchObject({
    command: "lab",
    open: true,
    out: "a.html",
  });
  expect(() => parseCommand(["lab", "a.html"])).toThrow("lab: expected no further words, got a.html");
});
