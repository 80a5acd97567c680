import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reportOf } from "../../src/cli/commands/report.ts";
import { parseRun } from "../../src/cli/parse.ts";
import { exportWeights, readRunConfig } from "../../src/run/index.ts";
import { sameRun, toFlags } from "../../src/settings/index.ts";
import { quantityData, quantityShape, type StepRow } from "../../src/simulation/index.ts";
import {
  configOf,
  type LeftRun,
  resumeRun,
  rowsDifference,
  runWords,
  temporaryFolder,
} from "./small-runs.ts";

const folder = temporaryFolder();

/** Writes a file, `name` unique to the test, and returns its path. */
function own(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const RUN = "--steps 6 --eig.frequency 1".split(" ");
const run = (name: string, words: readonly string[]): Promise<LeftRun> =>
  runWords(join(folder, name), [...words, ...RUN]);
const at = (row: StepRow, path: string): number => quantityData(row.quantities[path])[0];

/** The built-in mlp of two hidden layers, written again in a file. */
const MLP = `
import { architecture, drawParameters, fanInBound, gelu, linear, reshape, size, sizeOf, uniform } from "central-flows";

export default architecture({
  name: "again",
  reads: ["points"],
  help: "three dense layers",
  settings: { width: size(4, "width") },
  build({ inputShape, outputDim }, { width }) {
    const features = sizeOf(inputShape);
    const parameters = {
      "1.weight": [width, features], "1.bias": [width],
      "3.weight": [width, width], "3.bias": [width],
      "5.weight": [outputDim, width], "5.bias": [outputDim],
    };
    return {
      parameters,
      forward(p, inputs) {
        const flat = reshape(inputs, [-1, features]);
        const first = gelu(linear(flat, p["1.weight"], p["1.bias"]));
        const second = gelu(linear(first, p["3.weight"], p["3.bias"]));
        return linear(second, p["5.weight"], p["5.bias"]);
      },
      initialWeights: (random) =>
        drawParameters(parameters, (name, shape) =>
          uniform(random, sizeOf(shape), fanInBound(parameters[name.replace("bias", "weight")])),
        ),
    };
  },
});
`;

/** Points of the plane with targets of a given shape. */
const data = (more: string, train = "inputs, shape: [2], labels, labelShape: [3], n") => `
import { integer, Random } from "central-flows/base";
import { dataset } from "central-flows/data";
import { exp, mean, multiply, sqrt, square, subtract, sum, add } from "central-flows/autodiff";

export default dataset({
  name: "points",
  gives: "points",
  help: "random points",
  settings: { n: { kind: integer({ min: 2 }), default: 8, help: "points" } },
  make({ n }) {
    const random = new Random(1, "points");
    const inputs = random.fillNormal(new Float64Array(2 * n));
    const labels = random.fillNormal(new Float64Array(3 * n));
    return { train: { ${train} }, ${more} };
  },
});
`;

test("a network from a file that is the built-in one has its rows, bit for bit", async () => {
  const problem = "opt:rmsprop --opt.lr 0.02 --opt.beta2 0.95 --opt.eps 1e-7 data:moons --data.n=12".split(
    " ",
  );
  const ours = await run("mlp-file", [`arch:${own("mlp.ts", MLP)}`, "--arch.width=5", ...problem]);
  const named = await run("mlp-name", ["arch:mlp", "--arch.width=5", ...problem]);
  expect(rowsDifference(ours.rows, named.rows)).toBeUndefined();
  expect(
    Object.keys(
      exportWeights(ours.directory, join(folder, "w.npz"), { process: "central", step: null }).parameters,
    ),
  ).toEqual(["1.weight", "1.bias", "3.weight", "3.bias", "5.weight", "5.bias"]);
});

describe("a regression", () => {
  const words = ["opt:gd", "--opt.lr", "0.05", "arch:mlp", "--arch.width=3"];

  test("has half the mean squared distance as its loss, for targets of any shape, and no accuracy", async () => {
    for (const [name, train] of [
      ["vector", "inputs, shape: [2], labels, labelShape: [3], n"],
      ["matrix", "inputs, shape: [2], labels, labelShape: [3, 1], n"],
    ]) {
      const file = own(`${name}.ts`, data('outputDim: 3, criterion: "regression"', train));
      const { rows } = await run(name, [...words, `data:${file}`, "--data.n=9"]);
      const outputs = rows[0].quantities["discrete/train_outputs"];
      expect(quantityShape(outputs)).toEqual(name === "vector" ? [9, 3] : [9, 3, 1]);
      const random = new (await import("../../src/base/index.ts")).Random(1, "points");
      random.fillNormal(new Float64Array(18));
      const targets = random.fillNormal(new Float64Array(27));
      let loss = 0;
      targets.forEach((y, i) => {
        loss += (quantityData(outputs)[i] - y) ** 2 / 18;
      });
      expect(Math.abs(at(rows[0], "discrete/train_loss") - loss)).toBeLessThan(1e-14 * loss * 27);
      expect(rows[0].quantities["discrete/train_acc"]).toBeUndefined();
      expect(at(rows[5], "central/train_loss")).toBeLessThan(loss);
    }
  });

  test("written as a criterion of one's own has the same losses", async () => {
    const named = await run("by-name", [
      ...words,
      `data:${own("r.ts", data('outputDim: 3, criterion: "regression"'))}`,
    ]);
    const criterion = "criterion: (f, y) => multiply(sum(square(subtract(f, y)), { axes: [1] }), 0.5)";
    const written = await run("by-hand", [
      ...words,
      `data:${own("c.ts", data(`outputDim: 3, ${criterion}`))}`,
    ]);
    for (const [i, row] of written.rows.entries())
      expect(at(row, "central/train_loss")).toBeCloseTo(at(named.rows[i], "central/train_loss"), 13);
  });
});

test("a loss of the weights alone runs in every process from where it says", async () => {
  // ½x² + 8y²: descent at 0.1 takes x to 0.9x and y to −0.6y in each step.
  const file = own(
    "bowl.ts",
    `import { add, multiply, square, weightLoss } from "central-flows";
import { number } from "central-flows/base";
export default weightLoss({
  name: "bowl", help: "a bowl", settings: { start: { kind: number(), default: 1, help: "x" } },
  build: ({ start }) => ({
    parameters: { x: [], y: [] },
    loss: ({ x, y }) => add(multiply(square(x), 0.5), multiply(square(y), 8)),
    initialWeights: () => Float64Array.of(start, 1),
  }),
});`,
  );
  const { rows, config } = await run("bowl", ["opt:gd", "--opt.lr=0.1", `loss:${file}`, "--arch.start", "3"]);
  rows.forEach((row, t) => {
    const [x, y] = [3 * 0.9 ** t, (-0.6) ** t];
    expect(at(row, "discrete/train_loss")).toBeCloseTo((x * x) / 2 + 8 * y * y, 12);
  });
  expect(at(rows[5], "stable/effective_hessian_eigs")).toBeCloseTo(1.6, 12);
  expect(parseRun(toFlags(config)).config).toEqual(config);
  const weights = exportWeights(join(folder, "bowl"), join(folder, "bowl.npz"), {
    process: "stable",
    step: null,
  });
  expect(weights.parameters).toEqual({ x: [], y: [] });
  expect(() => configOf(`loss:${file}`, "data:moons")).toThrow(
    /a loss of the weights alone, or data and a network/,
  );
  expect(() => configOf("loss:bowl")).toThrow(/loss:FILE.*a file is told from a name by a slash/);
});

test("a quantity of one's own is in every row of every process, and in the report", async () => {
  const file = own(
    "sizes.ts",
    `import { quantity } from "central-flows/simulation";
import { number } from "central-flows/base";
export default quantity({
  name: "sizes", help: "sizes", settings: { power: { kind: number(), default: 2, help: "power" } },
  measure: ({ gradient, parameter, process }, { power }) => [
    gradient.reduce((sum, g) => sum + Math.abs(g) ** power, 0),
    parameter("5.bias").length,
    process.length,
  ],
});`,
  );
  const words = [
    `observe:${file}`,
    "opt:gd",
    "--opt.lr=0.1",
    "data:moons",
    "--data.n=8",
    "arch:mlp",
    "--arch.width=3",
  ];
  const { rows, config, directory } = await run("observed", words);
  for (const row of rows)
    for (const process of ["discrete", "midpoint", "central", "stable"]) {
      const [squares, biases, letters] = Array.from(
        quantityData(row.quantities[`${process}/observed/sizes`]),
      );
      expect([biases, letters]).toEqual([1, process.length]);
      expect(squares).toBeCloseTo(at(row, `${process}/grad_norm_sq`), 13);
    }
  expect(config.observe).toMatchObject({ name: "own", options: { power: 2 } });
  const { path } = await reportOf(directory);
  expect(readFileSync(path, "utf8")).toContain('id="observed-sizes"');
  const plain = await run("unobserved", words.slice(1));
  expect(plain.config.observe).toBeUndefined();
  expect(sameRun(plain.config)).not.toBe(sameRun(config));
  const kept = rows.map((row) => ({
    ...row,
    quantities: Object.fromEntries(
      Object.entries(row.quantities).filter(([path]) => !path.includes("observed")),
    ),
  }));
  expect(rowsDifference(kept, plain.rows)).toBeUndefined();
});

test("files are kept in the folder; resume goes on with them to the same bits, and refuses others", async () => {
  const [net, points] = [
    own("kept-net.ts", MLP),
    own("kept-data.ts", data('outputDim: 3, criterion: "regression"')),
  ];
  const words = [`arch:${net}`, `data:${points}`, "opt:gd", "--opt.lr=0.2", "--data.n=6"];
  const whole = await runWords(join(folder, "whole"), [...words, "--eig.frequency=1", "--steps=9"]);
  const started = join(folder, "started");
  let rows = 0;
  await runWords(started, [...words, "--eig.frequency=1", "--steps=9"], {
    row: () => {
      rows++;
    },
    interrupted: () => rows >= 4,
  });
  expect(readFileSync(join(started, "network.ts"), "utf8")).toBe(MLP);
  expect(existsSync(join(started, "data.ts"))).toBe(true);
  own("kept-net.ts", "throw new Error('another');");
  const notices: string[] = [];
  const resumed = await resumeRun(started, null, { notice: (line) => notices.push(line) });
  expect(rowsDifference(resumed.rows, whole.rows)).toBeUndefined();
  expect(notices.filter((line) => line.includes("all rights"))).toHaveLength(1);
  expect(notices.join("\n")).toMatch(/kept-net.ts has changed since.*going on with .*network\.ts/);
  writeFileSync(join(started, "network.ts"), `${MLP}\n`);
  await expect(resumeRun(started, 10)).rejects.toThrow(
    /arch:.*the file as it was when the run was set up.*another in/,
  );
  expect(readRunConfig(started)).toMatchObject({
    arch: { name: "own", options: { width: 4 } },
    data: { options: { n: 6 } },
  });
});

describe("settings of files", () => {
  const net = own("settings.ts", MLP);

  test("are flags with their kinds, and go round through flags and config.json", () => {
    const config = configOf(`arch:${net}`, "data:moons", "--arch.width=7");
    expect(config.arch).toMatchObject({ name: "own", options: { width: 7 } });
    expect(parseRun(toFlags(config)).config).toEqual(config);
    expect(() => configOf(`arch:${net}`, "data:moons", "--arch.width=0")).toThrow(
      "--arch.width: expected an integer ≥ 1, got 0",
    );
    expect(() => configOf(`arch:${net}`, "data:moons", "--arch.wdith=3")).toThrow(
      /an option that the file after arch: declares \(width\).*did you mean --arch.width/,
    );
    expect(() => configOf(`arch:${net}`, "data:digits")).toThrow(/data of points/);
  });
});

const net = (build: string) => `
import { add, architecture, drawParameters, linear, mean, sum } from "central-flows";
const parameters = { w: [1, 2] };
const initialWeights = () => Float64Array.of(1, 2);
const forward = (p, x) => linear(x, p.w);
export default architecture({ name: "n", reads: ["points"], help: "n", settings: {}, build({ outputDim }) { ${build} } });`;

const moons = ["data:moons", "--data.n=6"];

describe("what is refused with a sentence, before the first step", () => {
  test.each<[string, string, string[], RegExp]>([
    [
      "a network without build",
      "export default { name: 'a' };",
      moons,
      /arch:.*export default architecture\(\{.*got one without build/,
    ],
    ["no network", "", moons, /arch:.*a default export with a network.*got none/],
    [
      "a build that returns nothing",
      net(""),
      moons,
      /arch:.*build: expected a function that returns an object, got nothing/,
    ],
    [
      "outputs of another width",
      net(
        "return { parameters: { w: [3, 2] }, forward, initialWeights: () => new Float64Array(6).fill(1) };",
      ),
      moons,
      /arch:.*forward: expected outputs of shape \[\d, 1\] for \d examples of shape \[2\], got \[\d, 3\]/,
    ],
    [
      "outputs that are no tensor",
      net("return { parameters, forward: () => 3, initialWeights };"),
      moons,
      /forward: expected a tensor, got number 3/,
    ],
    [
      "weights of another number",
      net("return { parameters, forward, initialWeights: () => new Float64Array(3) };"),
      moons,
      /initialWeights: expected a Float64Array of 2 numbers.*got 3/,
    ],
    [
      "weights that are no numbers",
      net("return { parameters, forward, initialWeights: () => Float64Array.of(1, NaN) };"),
      moons,
      /initialWeights: expected finite numbers, got NaN at position 1/,
    ],
    [
      "a parameter that is not declared",
      net("return { parameters, forward: (p, x) => linear(x, p.v), initialWeights };"),
      moons,
      /parameters that it declares \(w\), got v/,
    ],
    [
      "shapes that do not fit",
      net("return { parameters: { w: [1, 5] }, forward, initialWeights: () => new Float64Array(5) };"),
      moons,
      /arch:.*forward: expected a function that runs, got matmul.*\(line \d+\)/,
    ],
    [
      "rows that depend on one another",
      net("return { parameters, forward: (p, x) => add(linear(x, p.w), mean(x)), initialWeights };"),
      moons,
      /example/,
    ],
  ])("%s", async (what, text, words, sentence) => {
    const target = `refused ${what}`;
    const file = own(`${what.replaceAll(" ", "-")}.ts`, text);
    await expect(
      (async () => run(target, [`arch:${file}`, "opt:gd", "--opt.lr=0.1", ...words]))(),
    ).rejects.toThrow(sentence);
    expect(existsSync(join(folder, target))).toBe(false);
  });

  const regression = 'outputDim: 3, criterion: "regression"';
  test.each<[string, string, RegExp]>([
    [
      "NaN in inputs",
      data(regression).replace("return", "inputs[5] = NaN; return"),
      /data:.*train.inputs: expected finite numbers, got NaN in example 2, entry 1/,
    ],
    [
      "NaN in targets",
      data(regression).replace("return", "labels[7] = 0 / 0; return"),
      /train.labels: expected finite numbers, got NaN in example 2, entry 1/,
    ],
    [
      "too few inputs",
      data(regression, "inputs: inputs.slice(1), shape: [2], labels, labelShape: [3], n"),
      /train.inputs: expected 16 numbers, n = 8 examples of shape \[2\], got 15/,
    ],
    [
      "a shape that is none",
      data(regression, "inputs, shape: 2, labels, labelShape: [3], n"),
      /train.inputs: expected shape: a list of lengths/,
    ],
    [
      "a plain list",
      data(regression, "inputs: [...inputs], shape: [2], labels, labelShape: [3], n"),
      /train.inputs: expected a Float64Array, got a list/,
    ],
    [
      "real labels under a criterion of classes",
      data(
        'outputDim: 3, criterion: "ce"',
        "inputs, shape: [2], labels: labels.slice(0, n), labelShape: [], n",
      ),
      /train.labels: expected classes, whole numbers from 0 to 2.*the criterion is regression/,
    ],
    [
      "a criterion that is none",
      data('outputDim: 3, criterion: "huber"'),
      /criterion: expected one of mse.*or a function of outputs and labels, got huber/,
    ],
    [
      "as many outputs as no target has",
      data('outputDim: 2, criterion: "regression"'),
      /as many outputs per example as labels, of shape \[3\], got \[2\]/,
    ],
    [
      "a loss that is one number for all examples",
      data("outputDim: 3, criterion: (f, y) => mean(square(subtract(f, y)))"),
      /criterion: expected one value per row.*a scalar.*leave mean and sum/,
    ],
    [
      "a loss that is no tensor",
      data("outputDim: 3, criterion: () => 1"),
      /criterion: expected a function that returns a tensor, got number/,
    ],
    [
      "a loss that calls what is not there",
      data("outputDim: 3, criterion: (f, y) => f.minus(y)"),
      /data:.*criterion: expected a function that runs, got TypeError.*\(line \d+\)/,
    ],
    [
      "a setting that config.json cannot hold",
      data(regression).replace("integer({ min: 2 })", '{ is: "list" }'),
      /settings: expected a kind for n: number\(\).*got list/,
    ],
  ])("%s in data", async (what, text, sentence) => {
    const target = `refused data ${what}`;
    const file = own(`data-${what.replaceAll(" ", "-")}.ts`, text);
    const words = [`data:${file}`, "arch:mlp", "--arch.width=3", "opt:gd", "--opt.lr=0.1"];
    await expect((async () => run(target, words))()).rejects.toThrow(sentence);
    expect(existsSync(join(folder, target))).toBe(false);
  });

  test.each<[string, string, string, RegExp]>([
    [
      "loss",
      "a loss that is no scalar",
      "loss: ({ x }) => multiply(x, 2)",
      /loss:.*loss: expected a scalar, got a tensor of shape \[2\]; sum or mean/,
    ],
    ["loss", "no loss", "los: 1", /loss: expected a function of the parameters that returns a scalar/],
    ["observe", "a text", "measure: () => 'a'", /observe:.*measure: expected a number, or a list/],
    [
      "observe",
      "an unknown parameter",
      "measure: ({ parameter }) => parameter('v').length",
      /a parameter of the network \(1.weight.*got v/,
    ],
    ["observe", "a name that is none", "measure: () => 1, name: 'a/b'", /name: expected letters/],
  ])("of %s:FILE, %s", async (kind, what, field, sentence) => {
    const text =
      kind === "loss"
        ? `import { multiply, sum, weightLoss } from "central-flows";
export default weightLoss({ name: "l", help: "", settings: {}, build: () => ({ parameters: { x: [2] }, initialWeights: () => Float64Array.of(1, 2), ${field} }) });`
        : `import { quantity } from "central-flows/simulation";
export default quantity({ name: "q", help: "", settings: {}, ${field} });`;
    const file = own(`${kind}-${what.replaceAll(" ", "-")}.ts`, text);
    const more = kind === "loss" ? [] : [...moons, "arch:mlp", "--arch.width=3"];
    const words = [`${kind}:${file}`, "opt:gd", "--opt.lr=0.1", ...more];
    await expect((async () => run(`refused ${kind} ${what}`, words))()).rejects.toThrow(sentence);
  });
});

test("an optimizer may be the record that built-in ones are", async () => {
  const file = own(
    "record.ts",
    `import { multiply, optimizer } from "central-flows";
import { number } from "central-flows/base";
export default optimizer({
  name: "slow", help: "slower descent", settings: { factor: { kind: number({ over: 0 }), default: 2, help: "slower by" } },
  define: ({ factor }, rate) => ({ criticalValue: 2, preconditioner: ({ t }) => multiply(1, factor / 0.1) }),
});`.replace("({ t }) => multiply(1, factor / 0.1)", "() => factor / 0.1"),
  );
  const words = ["data:moons", "--data.n=8", "arch:mlp", "--arch.width=3"];
  const slow = await run("slow", [`opt:${file}`, "--opt.lr=0.1", "--opt.factor=4", ...words]);
  const gd = await run("gd", ["opt:gd", "--opt.lr=0.025", ...words]);
  for (const [i, row] of slow.rows.entries())
    expect(at(row, "central/train_loss")).toBeCloseTo(at(gd.rows[i], "central/train_loss"), 12);
});
