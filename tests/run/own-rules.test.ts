import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reportOf } from "../../src/cli/commands/report.ts";
import { parseRun } from "../../src/cli/parse.ts";
import { loadOwnFile } from "../../src/custom/index.ts";
import { readRunConfig } from "../../src/run/index.ts";
import { toFlags } from "../../src/settings/index.ts";
import { quantityData, type StepRow } from "../../src/simulation/index.ts";
import {
  configOf,
  type LeftRun,
  resumeRun,
  rowsDifference,
  runWords,
  temporaryFolder,
} from "./small-runs.ts";

const folder = temporaryFolder();
const PROBLEM =
  "data:moons arch:mlp --data.n=20 --data.n-test 12 --arch.width 6 --warm-start 3 --eig.frequency 1".split(
    " ",
  );

/** Writes a file, `name` unique to the test, and returns its path. */
function rule(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const RMSPROP = `
import { add, divide, multiply, power, rootOrZero, square, subtract } from "central-flows";

export const options = { lr: 0.02, beta2: 0.95, eps: 1e-7 };

export default ({ lr, beta2, eps }) => ({
  criticalValue: 2,
  state: (p) => ({ nu: [p] }),
  update: ({ nu }, g) => ({ nu: add(nu, multiply(subtract(square(g), nu), 1 - beta2)) }),
  timeScale: 1 / beta2,
  preconditioner({ t, nu }) {
    const corrected = divide(nu, subtract(1, power(t.trace.constant(beta2), t)));
    return divide(add(rootOrZero(corrected), eps), lr);
  },
});
`;

const run = (name: string, words: readonly string[], steps = 8): Promise<LeftRun> =>
  runWords(join(folder, name), [...words, ...PROBLEM, "--steps", String(steps)]);

const withoutSummaries = (rows: readonly StepRow[]): StepRow[] =>
  rows.map((row) => ({
    ...row,
    quantities: Object.fromEntries(Object.entries(row.quantities).filter(([path]) => !/\/opt\./.test(path))),
  }));

describe("a custom rule that is written as a built-in one", () => {
  test("has its rows in every process, bit for bit", async () => {
    const own = await run("own", [`opt:${rule("rmsprop.ts", RMSPROP)}`]);
    const flags = "opt:rmsprop --opt.lr 0.02 --opt.beta2 0.95 --opt.eps 1e-7 --opt.bias-correction".split(
      " ",
    );
    const named = await run("named", flags);
    expect(Object.keys(own.processes)).toEqual(["discrete", "midpoint", "central", "stable"]);
    expect(rowsDifference(withoutSummaries(own.rows), withoutSummaries(named.rows))).toBeUndefined();
    for (const path of ["discrete/opt.t", "central/opt.lr", "stable/opt.nu_l1"])
      expect(quantityData(own.rows[5].quantities[path])).toEqual(
        quantityData(named.rows[5].quantities[path]),
      );
  });

  test("has its rows under a schedule and weight decay, but for rounding", async () => {
    const common = "--opt.schedule cosine --opt.warmup-steps 2 --opt.weight-decay 0.5".split(" ");
    const own = await run("own-cosine", [`opt:${rule("cosine.ts", RMSPROP)}`, ...common]);
    const flags = "opt:rmsprop --opt.lr 0.02 --opt.beta2 0.95 --opt.eps 1e-7 --opt.bias-correction".split(
      " ",
    );
    const named = await run("named-cosine", [...flags, ...common]);
    for (const [i, row] of own.rows.entries())
      for (const path of ["discrete/train_loss", "central/train_loss", "discrete/opt.lr"]) {
        const a = quantityData(row.quantities[path])[0];
        const b = quantityData(named.rows[i].quantities[path])[0];
        expect(Math.abs(a - b), `${path} in row ${i}`).toBeLessThanOrEqual(1e-11 * Math.abs(b));
      }
  });
});

test("the ablated flow is there for a rule that remembers squares of gradients, and refused to others", async () => {
  const { rows, processes } = await run("ablated", [
    `opt:${rule("abl.ts", RMSPROP)}`,
    "--runs",
    "central",
    "ablated",
  ]);
  expect(processes.ablated.kind).toBe("running");
  expect(quantityData(rows[7].quantities["ablated/train_loss"])[0]).toBeGreaterThan(0);
  const text = "export default ({ lr }) => ({ criticalValue: 2, preconditioner: () => 1 / lr });";
  const words = [`opt:${rule("plain.ts", text)}`, "--opt.lr", "0.1", "--runs", "ablated"];
  await expect(run("not-ablated", words)).rejects.toThrow(/remembers squares of gradients, got plain/);
});

describe("a file", () => {
  const DESCENT = "export default ({ lr }) => ({ criticalValue: 2, preconditioner: () => 1 / lr });\n";

  test.each(["ts", "js", "mjs", "mts"])(
    "may end in .%s, imports the program that runs it, and leaves nothing",
    (ending) => {
      const home = join(folder, `home-${ending}`);
      mkdirSync(home);
      const path = join(home, `mine.${ending}`);
      const imports = `import { add } from "central-flows";\nimport { sqrt } from "central-flows/autodiff";\n`;
      const uses = `if (typeof add !== "function" || typeof sqrt !== "function") throw new Error("no add");\n`;
      writeFileSync(path, imports + uses + DESCENT);
      const { settings, part } = loadOwnFile("opt", path);
      expect(settings).toEqual({});
      expect("define" in part && part.define?.({ lr: 0.5 })).toMatchObject({ criticalValue: 2 });
      expect(readdirSync(home)).toEqual([`mine.${ending}`]);
    },
  );

  test.each<[string, string, RegExp]>([
    [
      "does not compile",
      "export default ({ lr }) => {\n  const a = = 3;\n};\n",
      /a file that compiles, got Unexpected token.* at line 2, column 1\d$/,
    ],
    ["throws", "\nthrow new Error('no way');\n", /a file that runs, got Error: no way \(line 2\)$/],
    ["is empty", "", /a default export that makes a rule.*got none/],
    [
      "exports an object",
      "export default { criticalValue: 2 };",
      /a default export that makes a rule.*got object/,
    ],
    ["returns nothing", "export default () => {};", /returns a rule, an object, got nothing/],
    ["returns a promise", "export default async () => ({});", /got a promise; the function may not be async/],
    [
      "has options that are none",
      "export const options = [1];\nexport default () => ({});",
      /options as an object/,
    ],
    [
      "has an option of a kind that no flag has",
      "export const options = { a: {} };",
      /as the default of a, got/,
    ],
    [
      "has an option that is not finite",
      "export const options = { a: NaN };",
      /as the default of a, got NaN/,
    ],
    [
      "has an option with a name that is taken",
      "export const options = { schedule: 1 };",
      /names of their own, got schedule/,
    ],
    ["has an option with an odd name", "export const options = { 'a b': 1 };", /names of options such as/],
    [
      "has no positive learning rate",
      "export const options = { lr: 0 };",
      /a number > 0 as the default of lr, got 0/,
    ],
    [
      "imports what is not there",
      "import { x } from './x.ts';\nexport default () => x;",
      /a file that runs, got Error: Cannot find module/,
    ],
    [
      "imports a name that we do not have",
      "import { ad } from 'central-flows';\nexport default () => ad();",
      /central-flows: expected a name that it exports, got ad/,
    ],
    [
      "reads an option that it does not declare",
      "export const options = { beta: 0.9 };\n\nexport default ({ bta }) => bta;",
      /options that are declared \(lr, beta\), got bta/,
    ],
    [
      "calls what is not there",
      "export default () => ({\n  criticalValue: 2,\n  preconditioner: () => Math.squareRoot(2),\n});",
      /preconditioner: expected a function that runs, got TypeError: Math.squareRoot is not a function \(line 3\)/,
    ],
  ])("that %s is refused with a sentence", async (what, text, sentence) => {
    const path = rule(`${what.replaceAll(" ", "-")}.ts`, text);
    const target = `refused ${what}`;
    await expect((async () => run(target, [`opt:${path}`, "--opt.lr", "0.1"]))()).rejects.toThrow(sentence);
    expect(existsSync(join(folder, target))).toBe(false);
  });

  test("that is not there, or a folder, is refused", () => {
    expect(() => configOf(`opt:${join(folder, "none.ts")}`)).toThrow(/got none of that name/);
    expect(() => configOf(`opt:${folder}/`)).toThrow(/expected a file with an update rule/);
  });
});

describe("options", () => {
  const path = rule(
    "options.ts",
    `export const options = { lr: 0.1, stepSize: 2, wide: false, form: "average" };
export default (all) => ({ criticalValue: 2, preconditioner: () => 1 / all.lr, name: Object.values({ ...all }).join(" ") });`,
  );

  test("are flags of the kind of their defaults, and come back from flags and from config.json", () => {
    const words = [`opt:${path}`, ..."--opt.step_size=-3 --opt.wide --opt.form sum --opt.lr 1".split(" ")];
    const config = configOf(...words, "--expid", "a");
    expect(config.opt).toMatchObject({
      lr: 1,
      options: { stepSize: -3, wide: true, form: "sum" },
      criticalValue: null,
    });
    expect(parseRun(toFlags(config)).config).toEqual(config);
    expect(configOf(`opt:${path}`, "--no-opt.wide").opt).toMatchObject({
      options: { wide: false, stepSize: 2 },
    });
  });

  test.each<[string, RegExp]>([
    ["--opt.step-siz 3", /got --opt.step-siz; did you mean --opt.step-size\?/],
    ["--opt.beta2 0.9", /declares \(lr, stepSize, wide, form\).*got --opt.beta2/],
    ["--opt.step-size many", /--opt.step-size: expected a finite number, got many/],
    ["--opt.wide perhaps", /perhaps/],
    ["--opt.lr -1", /--opt.lr: expected a finite number > 0/],
    ["--opt.file a.ts", /got --opt.file/],
    ["--runs central stationary", /second moment for stationary/],
    ["opt:gd", /one opt:NAME/],
  ])("%s is refused", (words, sentence) => {
    expect(() => configOf(`opt:${path}`, ...words.split(" "))).toThrow(sentence);
  });

  test("lr is required where the file gives none", () => {
    const bare = rule("bare.ts", "export default () => ({});");
    expect(() => configOf(`opt:${bare}`)).toThrow(`--opt.lr, required by opt:${bare}`);
  });
});

describe("afterwards", () => {
  const TIMES_RUN = "globalThis.timesRun = (globalThis.timesRun ?? 0) + 1;\n";
  const timesRun = (): number => (globalThis as { timesRun?: number }).timesRun ?? 0;

  test("a run's folder has the rule; what is read from it runs no rule, and says where the file has changed", async () => {
    const path = rule("kept.ts", TIMES_RUN + RMSPROP);
    const { criticalValue } = await run("kept", [`opt:${path}`, "--opt.eps", "1e-6"], 3);
    expect(readFileSync(join(folder, "kept", "rule.ts"), "utf8")).toBe(TIMES_RUN + RMSPROP);
    const before = timesRun();
    expect(before).toBe(1);
    expect((await reportOf(join(folder, "kept"))).notice).toBeUndefined();
    rule("kept.ts", `${TIMES_RUN}throw new Error("run");`);
    const { notice, path: page } = await reportOf(join(folder, "kept"));
    expect(notice).toBe(`${path} has changed since this run was started`);
    expect(readFileSync(page, "utf8")).toContain("has changed since this run was started");
    rmSync(path);
    expect((await reportOf(join(folder, "kept"))).notice).toBeUndefined();
    expect(readRunConfig(join(folder, "kept")).opt).toMatchObject({
      name: "own",
      file: path,
      criticalValue,
      options: { beta2: 0.95, eps: 1e-6 },
    });
    expect(timesRun()).toBe(before);
  });

  test("resume goes on with the rule of the run to the same bits, and says that the file has changed", async () => {
    const path = rule("resumed.ts", RMSPROP);
    const whole = await run("whole", [`opt:${path}`], 9);
    await run("resumed", [`opt:${path}`], 4);
    rule("resumed.ts", RMSPROP.replace("criticalValue: 2", "criticalValue: 3"));
    const notices: string[] = [];
    const resumed = await resumeRun(join(folder, "resumed"), 9, { notice: (line) => notices.push(line) });
    expect(rowsDifference(resumed.rows, whole.rows)).toBeUndefined();
    expect(notices.join("\n")).toMatch(/has changed since this run was started; going on with .*rule\.ts/);
    rule("resumed.ts", RMSPROP);
    writeFileSync(join(folder, "resumed", "rule.ts"), `${RMSPROP}\n`);
    await expect(resumeRun(join(folder, "resumed"), 10)).rejects.toThrow(
      /got another in .*rule.ts; restore it/,
    );
    rmSync(join(folder, "resumed", "rule.ts"));
    await expect(resumeRun(join(folder, "resumed"), 10)).rejects.toThrow(
      /rule.ts: expected a file with an update/,
    );
  });

  test("--config runs the file as it is now, and says so where it is another", async () => {
    const path = rule("again.ts", RMSPROP);
    await run("again", [`opt:${path}`, "--opt.eps", "1e-5"], 2);
    const config = join(folder, "again", "config.json");
    expect(parseRun(["--config", config]).notices.join()).not.toMatch(/not the rule/);
    rule("again.ts", `${RMSPROP}// another\n`);
    const { config: now, notices } = parseRun(["--config", config]);
    expect(notices.join("\n")).toMatch(/again.ts is not the file that wrote this config.json/);
    expect(now.opt).toMatchObject({ options: { eps: 1e-5 } });
    rule("again.ts", RMSPROP.replace("eps: 1e-7", "epsilon: 1e-7"));
    expect(() => parseRun(["--config", config])).toThrow(/got --opt.eps/);
  });
});
