import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire, SourceMap, type SourceMapPayload, type SourceMapping } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Session } from "../../src/lab/engine/session.ts";
import { argvOf, readLink } from "../../src/lab/index.ts";
import { programOf } from "../../src/lab/link/program.ts";
import { ROOT, run } from "../support/build.ts";

const OFFLINE = ["--offline", "--ignore-scripts", "--install-links", "--no-audit", "--no-fund"];
const MODULES = join(ROOT, "node_modules");
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  version: string;
  optionalDependencies: Record<string, string>;
  exports: Record<string, unknown>;
};

let folder: string;
let app: string;
let tarball: string;

/** The tarball as publishing makes it, in a project that has nothing else. Dependencies come from this checkout. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "package-"));
  run("npm", ["pack", "--pack-destination", folder], ROOT);
  tarball = join(folder, readdirSync(folder)[0]);
  app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }');
  const optional = Object.keys(manifest.optionalDependencies).map((name) => join(MODULES, name));
  run("npm", ["install", ...OFFLINE, tarball, ...optional], app);
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(app, name), text);
}

test("it holds what runs, its types, its licence, and nothing else", () => {
  const files = readdirSync(join(app, "node_modules", "central-flows"), {
    recursive: true,
    encoding: "utf8",
  });
  const folders = new Set(files.map((file) => file.split("/")[0]));
  expect([...folders].filter((name) => name !== "README.md").sort()).toEqual([
    "LICENSE",
    "dist",
    "package.json",
    "src",
  ]);
  expect(files).toContain("dist/lab/lab.html");
  for (const file of files.filter((name) => name !== "dist/lab/lab.html"))
    expect(file).toMatch(
      /^[^/]*$|^src(\/[\w-]+)*(\.ts|\.js|\.css)?$|^dist(\/[\w-]+)*(\.js|\.js\.map|\.d\.ts|\.d\.ts\.map|\.min\.(css|js)|\.iife\.min\.js|\.css)?$/,
    );
});

test("maps hold no sources and lead into those of the package, from what runs and from types", () => {
  const root = join(app, "node_modules", "central-flows");
  const maps = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".map"),
  );
  expect(maps.filter((file) => file.endsWith(".d.ts.map")).length).toBeGreaterThan(100);
  for (const file of maps) {
    const path = join(root, "dist", file);
    const map = JSON.parse(readFileSync(path, "utf8")) as SourceMapPayload;
    expect(map.sourcesContent, file).toBeUndefined();
    for (const source of map.sources) {
      expect(relative(root, resolve(dirname(path), source)), file).toMatch(/^src\/.*\.ts$/);
      expect(existsSync(resolve(dirname(path), source)), `${file}: ${source}`).toBe(true);
    }
  }
});

test.each(["dist/linalg/dense/cholesky.js", "dist/linalg/dense/cholesky.d.ts"])(
  "a name in %s leads to the line of TypeScript that declares it",
  (file) => {
    const path = join(app, "node_modules", "central-flows", file);
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")) as SourceMapPayload);
    const lines = readFileSync(path, "utf8").split("\n");
    const line = lines.findIndex((text) => /export (declare )?function choleskySolve/.test(text));
    const entry = map.findEntry(line, lines[line].indexOf("choleskySolve")) as SourceMapping;
    const source = readFileSync(resolve(dirname(path), entry.originalSource), "utf8").split("\n");
    expect(source[entry.originalLine]).toMatch(/^export function choleskySolve/);
  },
);

describe("without optional packages", () => {
  let lean: string;
  beforeAll(() => {
    lean = join(folder, "lean");
    mkdirSync(lean);
    writeFileSync(join(lean, "package.json"), '{ "private": true, "type": "module" }');
    run("npm", ["install", "--omit=optional", ...OFFLINE, tarball], lean);
  });

  test("nothing but the package itself is installed", () => {
    expect(readdirSync(join(lean, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "central-flows",
    ]);
  });

  test("every subpath loads, and a run keeps its rows and says what is missing for data.hdf5", () => {
    writeFileSync(join(lean, "all.js"), names.map((name) => `import "${name}";`).join("\n"));
    run(process.execPath, ["all.js"], lean);
    const words = "run --steps 2 --data.n 20 --warm-start -1 --json --out out".split(" ");
    const { status, stderr } = spawnSync(join(lean, "node_modules", ".bin", "central-flows"), words, {
      cwd: lean,
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/data\.hdf5 is not written: .*expected the package h5wasm.*npm install h5wasm/);
    expect(readdirSync(join(lean, "out"))).toEqual(expect.arrayContaining(["report.html", "config.json"]));
    expect(readdirSync(join(lean, "out")).some((name) => name.startsWith("journal"))).toBe(true);
  });

  test("a file of the user's own is refused with the package that it wants", () => {
    cpSync(join(ROOT, "examples", "own-rule", "heavy-ball.ts"), join(lean, "mine.ts"));
    const words = "run opt:./mine.ts --steps 2 --out own".split(" ");
    const { status, stderr } = spawnSync(join(lean, "node_modules", ".bin", "central-flows"), words, {
      cwd: lean,
      encoding: "utf8",
    });
    expect(stderr).toMatch(/opt:\.\/mine\.ts: expected the package jiti.*npm install jiti/);
    expect(status).toBe(2);
  });
});

test("the command runs an experiment and knows its version", () => {
  expect(run("npx", ["--no-install", "central-flows", "--version"], app).trim()).toBe(manifest.version);
  const out = join(folder, "out");
  run("npx", ["--no-install", "central-flows", "run", "--steps", "3", "--quiet", "--out", out], app);
  for (const file of ["config.json", "data.hdf5", "report.html"])
    expect(existsSync(join(out, file)), file).toBe(true);
});

test("a custom rule runs from a TypeScript file that has nothing beside it", () => {
  const alone = join(folder, "alone");
  mkdirSync(alone);
  cpSync(join(ROOT, "examples", "own-rule", "heavy-ball.ts"), join(alone, "mine.ts"));
  const command = join(app, "node_modules", ".bin", "central-flows");
  const words =
    "run opt:./mine.ts data:moons arch:mlp --data.n 10 --arch.width 2 --steps 2 --quiet --out out";
  run(command, words.split(" "), alone);
  expect(readdirSync(alone).sort()).toEqual(["mine.ts", "out"]);
  expect(readFileSync(join(alone, "out", "rule.ts"), "utf8")).toBe(
    readFileSync(join(alone, "mine.ts"), "utf8"),
  );
});

test.each([
  "#opt=gd&opt.lr=0.6&data=moons&data.n=12&arch=mlp&arch.width=4&steps=30&runs=discrete,central,stable",
  "#opt=rmsprop&opt.lr=0.01&opt.beta2=0.95&opt.schedule=piecewise&opt.lr-at=9:0.02,15:0.005&data=moons&data.n=12&arch=mlp&arch.width=4&steps=20",
])(
  "the program that the lab exports of %s has the bits of the lab's rows, and passes the type checker",
  (link) => {
    const pairs = readLink(link)?.runs[0] ?? new Map();
    const program = programOf(pairs);
    const session = new Session(argvOf(pairs));
    const rows: string[] = [];
    while (session.open) {
      const { index, quantities } = session.step();
      rows.push([index, quantities["discrete/train_loss"], quantities["central/train_loss"]].join(" "));
    }
    expect(rows).toHaveLength(Number(pairs.get("steps")));
    // What is exported is JavaScript and TypeScript alike; `console` is no part of the language.
    const node = "declare const console: { log(...values: unknown[]): void };\n";
    write("exported.ts", node + program);
    write("exported.mjs", program);
    const compilerOptions = {
      ...{ module: "NodeNext", moduleResolution: "NodeNext", target: "ES2022", lib: ["ES2022"], types: [] },
      ...{ strict: true, noEmit: true },
    };
    write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["exported.ts"] }));
    const compiler = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
    expect(run(process.execPath, [join(compiler, "bin", "tsc"), "-p", app], app)).toBe("");
    expect(run(process.execPath, ["exported.mjs"], app).trim().split("\n")).toEqual(rows);
  },
);

const subpaths = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
const names = subpaths.map((path) => path.replace(/^\./, "central-flows"));

test("every subpath loads in plain Node", () => {
  const imports = names.map((name, i) => `import * as m${i} from "${name}";`).join("\n");
  const counts = `console.log(JSON.stringify([${names.map((_, i) => `Object.keys(m${i}).length`)}]));`;
  write("all.js", `${imports}\n${counts}\n`);
  const found = JSON.parse(run(process.execPath, ["all.js"], app)) as number[];
  expect(found.filter((count) => count > 0)).toHaveLength(names.length);
});

/** Uses values and types of several layers. */
const PROGRAM = `\
import { compile, grad, Objective, Random, square, sum, type Tensor, nnls } from "central-flows";
import { compileRule, gradientDescent } from "central-flows/flows";
import { loadDataset } from "central-flows/data";
import { createModel, supervisedLoss } from "central-flows/models";

const gradient = compile(grad((x: Tensor) => sum(square(x))), [[3]] as const)(Float64Array.of(1, 2, 3));
const { train, inputShape, outputDim, criterion } = loadDataset("digits", { n: 50 });
const model = createModel("mlp", { inputShape, outputDim }, { width: 4 });
const objective = new Objective(supervisedLoss(model, criterion, train));
objective.setWeights(model.initialWeights(new Random(1)));
const rule = compileRule(gradientDescent({ lr: 0.1 }), objective.dimension);
if (!Number.isFinite(objective.loss()) || rule.dimension !== objective.dimension) throw new Error("wrong");
if (nnls(Float64Array.of(1), Float64Array.of(1), 1, 1).status !== "solved") throw new Error("unsolved");
console.log(String(gradient), train.labels.length);
`;

describe.each([
  ["NodeNext", "NodeNext"],
  ["ESNext", "Bundler"],
])("in a %s project with moduleResolution %s", (module, moduleResolution) => {
  test("a program passes the type checker without types of Node or the browser, and runs", () => {
    const imports = names.map((name, i) => `import type * as m${i} from "${name}";`).join("\n");
    const used = `export type All = [${names.map((_, i) => `typeof m${i}`).join(", ")}];\n`;
    const console = "declare const console: { log(...values: unknown[]): void };\n";
    write("consumer.ts", `${imports}\n${used}${console}${PROGRAM}`);
    const compilerOptions = {
      ...{ module, moduleResolution, target: "ES2022", lib: ["ES2022"], types: [] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
    };
    cpSync(join(ROOT, "examples", "own-rule", "blended-rmsprop.ts"), join(app, "rule.ts"));
    write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["consumer.ts", "rule.ts"] }));
    const compiler = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
    expect(run(process.execPath, [join(compiler, "bin", "tsc"), "-p", app], app)).toBe("");
    expect(run(process.execPath, ["consumer.js"], app)).toBe("2,4,6 50\n");
  });
});

test("publint and arethetypeswrong find nothing wrong", async () => {
  const file = readFileSync(tarball);
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  const { messages } = await publint({ pack: { tarball: bytes }, strict: true });
  expect(messages).toEqual([]);
  const attw = join(MODULES, ".bin", "attw");
  const { analysis } = JSON.parse(run(attw, [tarball, "--profile", "esm-only", "--format", "json"], ROOT));
  expect(Object.keys(analysis.entrypoints)).toHaveLength(Object.keys(manifest.exports).length);
});
