import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { Objective, ObjectiveOptions } from "../../src/autodiff/index.ts";
import { ROOT } from "../support/build.ts";

type Run = (inputs: Float64Array, targets: Float64Array, options: ObjectiveOptions) => Objective;

const folder = join(ROOT, "tests", "documents", "generated-readme");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** README's library example as a function of its data and of how they are evaluated. */
async function readmeExample(): Promise<Run> {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  const code =
    [...text.matchAll(/```ts\n([\s\S]*?)```/g)]
      .map(([, block]) => block)
      .find((block) => block.includes("new Objective")) ?? "";
  const [imports, ...body] = code.split(";\n");
  const local = imports.replace(
    "central-flows/autodiff",
    pathToFileURL(join(ROOT, "src", "autodiff", "index.ts")).href,
  );
  const rest = body
    .join(";\n")
    .replace(/data: Float64Array\.of\([\d, ]*\), shape: \[2\]/, "data: inputs, shape: [2]")
    .replace(/data: Float64Array\.of\([\d, ]*\), shape: \[1\]/, "data: targets, shape: [1]")
    .replace(/^\}\);$/m, "}, options);")
    .replace(/^console\.log.*$/m, "");
  expect(rest).toContain("data: inputs");
  expect(rest).toContain("data: targets");
  expect(rest).toContain("}, options);");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "example.ts");
  writeFileSync(
    path,
    `${local};\nexport const run = (inputs, targets, options) => {\n${rest}\nreturn objective;\n};\n`,
  );
  return ((await import(/* @vite-ignore */ pathToFileURL(path).href)) as { run: Run }).run;
}

/** The mean squared error of the example's network on XOR, in plain loops. W1 [2, 16], b1 [16], W2 [16, 1]. */
function plainLoss(w: Float64Array): number {
  const rows = [
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 0],
  ];
  let total = 0;
  for (const [a, b, y] of rows) {
    let f = 0;
    for (let j = 0; j < 16; j++) f += w[48 + j] * Math.tanh(a * w[j] + b * w[16 + j] + w[32 + j]);
    total += (f - y) ** 2 / rows.length;
  }
  return total;
}

const H = 1e-3;
/** The fourth-order difference of a function of the weights along v. */
function difference(f: (w: Float64Array) => Float64Array, w: Float64Array, v: Float64Array): Float64Array {
  const [a, b, c, d] = [1, -1, 2, -2].map((step) => f(w.map((x, i) => x + step * H * v[i])));
  return a.map((x, i) => (8 * (x - b[i]) - (c[i] - d[i])) / (12 * H));
}

test("README's loss, gradient, product and third derivative are those of the mean, for any number of examples and chunk", async () => {
  const run = await readmeExample();
  const p = 64;
  const w = Float64Array.from({ length: p }, (_, i) => 0.3 * Math.sin(3 * i + 1));
  const v = Float64Array.from({ length: p }, (_, i) => Math.cos(i));
  const units = Array.from({ length: p }, (_, i) =>
    Float64Array.from({ length: p }, (_, j) => (i === j ? 1 : 0)),
  );
  const plainGradient = (x: Float64Array): Float64Array =>
    Float64Array.from(units, (unit) => difference((at) => Float64Array.of(plainLoss(at)), x, unit)[0]);

  const evaluate = (copies: number, options: ObjectiveOptions) => {
    const tile = (data: number[]) =>
      Float64Array.from({ length: copies * data.length }, (_, i) => data[i % data.length]);
    const objective = run(tile([0, 0, 0, 1, 1, 0, 1, 1]), tile([0, 1, 1, 0]), options);
    objective.setWeights(w);
    const [product, third] = [new Float64Array(p), new Float64Array(p)];
    objective.hvp(v, product, 1);
    objective.thirdDerivatives(v, 1, third);
    return {
      loss: Float64Array.of(objective.loss()),
      gradient: objective.gradient().slice(),
      product,
      third,
    };
  };
  const size = (x: Float64Array): number => Math.sqrt(x.reduce((sum, entry) => sum + entry * entry, 0));
  const gap = (x: Float64Array, y: Float64Array): number => size(x.map((entry, i) => entry - y[i])) / size(y);

  const four = evaluate(1, {});
  expect(Math.abs(four.loss[0] - plainLoss(w))).toBeLessThan(1e-15);
  // Differences are good to ε/h of the level below and h⁴ of their own.
  expect(gap(four.gradient, plainGradient(w))).toBeLessThan(1e-10);
  expect(gap(four.product, difference(plainGradient, w, v))).toBeLessThan(1e-8);

  for (const [copies, options] of [
    [1, { chunk: 3 }],
    [1, { chunk: 1 }],
    [5, {}],
    [5, { chunk: 7 }],
    [1250, {}],
    [1250, { chunk: 999 }],
    [5000, {}],
  ] as const) {
    const found = evaluate(copies, options);
    for (const [name, expected] of Object.entries(four))
      expect(gap(found[name as keyof typeof four], expected), `${name} of ${4 * copies}`).toBeLessThan(1e-12);
  }
});
