import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, run } from "../support/build.ts";
import { declarationsOf } from "./declarations.ts";

const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  exports: Record<string, { readonly types: string } | string>;
};
const doors = Object.entries(exports).flatMap(([subpath, target]) =>
  typeof target === "object" && subpath !== "./min" ? [[subpath, target.types] as const] : [],
);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "api-"));
  const compiler = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const words = ["-p", join(ROOT, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", folder];
  run(process.execPath, [join(compiler, "bin", "tsc"), ...words], ROOT);
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * What a program may count on. A change here is one that the changelog tells; `npx vitest run tests/packaging/public-api-is-known.test.ts
 * -u` writes it down.
 */
test.each(doors)("%s exports the names and signatures that are written down", async (subpath, types) => {
  const found = declarationsOf(join(folder, types.replace(/^\.\/dist\//, "")));
  expect(found.size).toBeGreaterThan(0);
  expect([...found].filter(([, declarations]) => declarations.length === 0).map(([name]) => name)).toEqual(
    [],
  );
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  // The root gives again what its layers do.
  const text = sorted
    .map(([name, declarations]) => (subpath === "." ? name : declarations.join("\n")))
    .join("\n");
  await expect(`${text}\n`).toMatchFileSnapshot(
    `api/${subpath.replace(/^\.\/?/, "") || "central-flows"}.txt`,
  );
});
