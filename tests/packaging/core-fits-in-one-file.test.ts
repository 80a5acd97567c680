import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXP_TABLE, LOG_TABLE } from "../../src/base/index.ts";
import * as core from "../../src/index.ts";
import { bundle, gzipped, packedTables, withoutLeftOut } from "../../tools/bundle.mjs";
import { ROOT } from "../support/build.ts";

/** Of the file as it is served, in bytes, gzipped. */
const MOST = 125_000;
const LAYERS = ["autodiff", "base", "flows", "linalg", "models", "wasm"];

let folder: string;
let code: string;
let modules: readonly string[];
let min: typeof core;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "core-"));
  ({ code, modules } = await bundle(join(ROOT, "src", "index.ts"), { without: withoutLeftOut }));
  const file = join(folder, "min.mjs");
  writeFileSync(file, code);
  min = (await import(pathToFileURL(file).href)) as typeof core;
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the core is at most 125 kB gzipped, and of its layers alone", () => {
  expect(gzipped(code)).toBeLessThanOrEqual(MOST);
  const layers = modules
    .map((file) => relative(join(ROOT, "src"), file))
    .filter((path) => path.includes("/"));
  expect([...new Set(layers.map((path) => path.split("/")[0]))].sort()).toEqual(LAYERS);
  expect(code).not.toMatch(/\bfrom\s*"|\bimport\s*[("]/);
});

test("it exports what central-flows exports, but for checks of rules, examples with known answers, rivals and solvers for analyses and runs", () => {
  const left = Object.keys(core).filter((name) => !(name in min));
  expect(left.sort()).toEqual(
    [
      ...[
        "checkUpdateRule",
        "edgeOfRule",
        "pinningThreshold",
        "edgeExample",
        "twoEigenvalues",
        "EdgeFlowProcess",
        "RodProcess",
        "TwoStepProcess",
        "differentiateQuadraticProgram",
        "differentiateSdcp",
      ],
      ...["densityMoment", "hutchPlusPlus", "smoothedDensity", "spectralDensity", "largestMargin"],
      ...["rowSpace", "addFromCoordinates"],
    ].sort(),
  );
  expect(Object.keys(min).filter((name) => !(name in core))).toEqual([]);
});

/** Loss, gradient and products by a network with every elementary function behind a table. */
function derivatives(
  { Objective, Random, selectBackend, ...ops }: typeof core,
  backend: "js" | "wasm",
  threads = 1,
) {
  const { add, erf, erfc, exp, log, matmul, multiply, square, sum, tanh } = ops;
  const random = new Random(3);
  const objective = new Objective(
    {
      parameters: { W: [3, 4], v: [4, 1] },
      examples: { x: { data: random.fillNormal(new Float64Array(120)), shape: [3] } },
      outputs: ({ W, v }, { x }) => {
        const h = matmul(x, W);
        const curved = add(add(tanh(h), erf(h)), add(erfc(h), log(add(1, exp(multiply(h, -1))))));
        return matmul(curved, v);
      },
      criterion: (outputs) => sum(square(outputs), { axes: [1] }),
    },
    { backend: selectBackend(backend).backend, threads, chunk: 10 },
  );
  objective.setWeights(random.fillNormal(new Float64Array(objective.dimension)));
  const products = new Float64Array(objective.dimension);
  objective.hvp(objective.gradient().slice(), products, 1);
  const numbers = [objective.loss(), ...objective.gradient(), ...products];
  const result = { numbers, threads: objective.threads };
  objective.dispose();
  return result;
}

test.each([
  ["js", 1],
  ["wasm", 1],
  ["wasm", 2],
] as const)("minified it computes the same bits, backend %s, threads %i", (backend, threads) => {
  const whole = derivatives(min, backend, threads);
  expect(whole.threads).toBe(threads);
  expect(whole.numbers.every(Number.isFinite)).toBe(true);
  expect(whole.numbers).toEqual(derivatives(core, "js").numbers);
});

test("packed tables unpack to the same bits, whatever the numbers", () => {
  const special = [
    0,
    -0,
    1,
    -1,
    5e-324,
    Number.MAX_VALUE,
    -Number.MIN_VALUE,
    2 ** -1022,
    Math.PI,
    1e300,
    -1e-300,
  ];
  const drawn = new core.Random(1).fillNormal(new Float64Array(85));
  const numbers = [...special, ...drawn];
  const words = numbers.map((number) => (Object.is(number, -0) ? "-0" : String(number)));
  const packed = packedTables(`const table = new Float64Array([${words.join(", ")}]);`);
  const table = new Function(`${packed}\nreturn table;`)() as Float64Array;
  expect(packed).not.toContain("new Float64Array([");
  expect([...table].every((entry, i) => Object.is(entry, numbers[i]))).toBe(true);
  expect(packedTables("const few = new Float64Array([1, 2]);")).toBeUndefined();
});

test("tables that are computed as the file loads have the bits of those in the sources", () => {
  const source = readFileSync(join(ROOT, "src", "base", "elementary", "tables.ts"), "utf8");
  const packed = packedTables(source) ?? "";
  for (const [name, table] of Object.entries({ EXP_TABLE, LOG_TABLE })) {
    expect(packed).toMatch(new RegExp(`${name} = (exponentials|logarithms)\\(\\)`));
    const computed = new Function(`${packed.replaceAll("export ", "")}\nreturn ${name};`)() as Float64Array;
    expect(computed.length).toBe(table.length);
    expect(computed.every((entry, i) => Object.is(entry, table[i]))).toBe(true);
  }
});
