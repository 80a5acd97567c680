import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isMisuse } from "../../src/base/index.ts";
import { type WritableArray, writeNpz } from "../../src/data/index.ts";
import { NAMES } from "../../src/record/index.ts";
import { problemOf, quantityShape } from "../../src/simulation/index.ts";
import { fixtureFiles } from "../../src/verify/index.ts";
import { configOf, MOONS, resumeRun, rowsIn, runConfig, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const file = (name: string, contents: Uint8Array | string): string => {
  const path = join(base, name);
  writeFileSync(path, contents);
  return path;
};
const npz = (name: string, arrays: Record<string, WritableArray>): string => file(name, writeNpz(arrays));
const matrix = (rows: number, columns: number, f = (i: number) => Math.sin(i)): WritableArray => ({
  shape: [rows, columns],
  data: Float64Array.from({ length: rows * columns }, (_, i) => f(i)),
});
const labels = (rows: number, f = (i: number) => i % 2): WritableArray => ({
  shape: [rows],
  data: Float64Array.from({ length: rows }, (_, i) => f(i)),
});
const good = { inputs: matrix(6, 3), labels: labels(6) };

const GD = "opt:gd --opt.lr 0.1 --steps 2 --runs discrete --eig.frequency 1".split(" ");
const MLP = [...GD, ..."arch:mlp --arch.width 3".split(" ")];
const withData = (path: string, classes = "2"): string[] => [
  ...MLP,
  ...`data:npz --data.criterion mse --data.classes ${classes} --data.path`.split(" "),
  path,
];
const moons = (...more: string[]): string[] => [...MLP, ..."data:moons --data.n 10".split(" "), ...more];

const goodFile = npz("good.npz", good);
const truncated = file("truncated.npz", writeNpz(good).slice(0, 200));
const flipped = file(
  "flipped.npz",
  writeNpz(good).map((byte, i) => (i === 250 ? byte ^ 4 : byte)),
);
const text = file("text.npz", "these are no arrays");
const empty = file("empty.npz", "");
const folder = join(base, "folder.npz");
mkdirSync(folder);
const weights = (f: (i: number) => number, count = 22): string =>
  npz(`weights-${count}-${f(1)}.npz`, {
    w0: { shape: [count], data: Float64Array.from({ length: count }, (_, i) => f(i)) },
  });

const missing = join(base, "missing");

/** A vision transformer whose tokens are rows of equal numbers: all its weights are 0. */
const VIT =
  "data:digits arch:vit --data.n 10 --data.criterion mse --arch.dim 4 --arch.depth 1 --arch.mlp-dim 4";
const { parameters } = problemOf(configOf(...GD, ...VIT.split(" ")), {});
const constantRows = weights(
  () => 0,
  Object.values(parameters).reduce((total, shape) => total + shape.reduce((size, side) => size * side, 1), 0),
);

/** What is wrong, the words, and what the message must name. */
const MISUSES: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a data file that is not there", withData(`${missing}.npz`), /missing\.npz/],
  ["a folder for a data file", withData(folder), /an \.npz file, got no file at .*folder/],
  ["a truncated data file", withData(truncated), /truncated\.npz|zip/i],
  ["a data file with a flipped bit", withData(flipped), /flipped\.npz|checksum|CRC/i],
  ["a text for a data file", withData(text), /text\.npz|zip/i],
  ["an empty data file", withData(empty), /empty\.npz|zip/i],
  ["a data file without labels", withData(npz("a.npz", { inputs: good.inputs })), /labels/],
  ["a data file without inputs", withData(npz("b.npz", { labels: good.labels })), /inputs/],
  [
    "data of no examples",
    withData(npz("c.npz", { inputs: matrix(0, 3), labels: labels(0) })),
    /example|empty|row|at least/,
  ],
  ["fewer labels than inputs", withData(npz("d.npz", { ...good, labels: labels(5) })), /6.*5|5.*6/],
  [
    "a NaN among the inputs",
    withData(npz("e.npz", { ...good, inputs: matrix(6, 3, (i) => (i === 7 ? NaN : i)) })),
    /NaN/,
  ],
  [
    "an infinity among the inputs",
    withData(npz("f.npz", { ...good, inputs: matrix(6, 3, (i) => (i === 7 ? Infinity : i)) })),
    /Infinity|finite/,
  ],
  [
    "a NaN among the labels",
    withData(npz("g.npz", { ...good, labels: labels(6, (i) => (i === 2 ? NaN : 0)) })),
    /NaN|label/,
  ],
  ["a fractional label", withData(npz("h.npz", { ...good, labels: labels(6, (i) => i / 2) })), /0\.5|label/],
  ["a label beyond the classes", withData(npz("i.npz", { ...good, labels: labels(6, (i) => i) })), /label/],
  ["initial weights that are not there", moons("--init", `${missing}.npz`), /--init.*missing\.npz/],
  [
    "a folder for initial weights",
    moons("--init", folder),
    /\.npz or \.safetensors file, got .*where there is none/,
  ],
  [
    "initial weights of another network",
    moons(
      "--init",
      weights((i) => i, 21),
    ),
    /--init: expected 25 weights.*got 21/,
  ],
  [
    "a NaN among the initial weights",
    moons(
      "--init",
      weights((i) => (i === 3 ? NaN : i), 25),
    ),
    /--init: expected finite weights, got NaN at position 3, entry 3 of 1\.weight/,
  ],
  ["initial weights by another name", moons("--init", goodFile), /"w0" or "w".*inputs, labels/],
  [
    "a text for initial weights",
    moons("--init", text),
    /\.npz or \.safetensors file, got .*neither; in Python/,
  ],
  [
    "initial weights under a name that is too long",
    moons("--init", `${"x".repeat(300)}.npz`),
    /^InputValueError: x+…x+\.npz: expected a file that can be read, got a name that is too long$/,
  ],
  [
    "a rule file under a name that is too long",
    moons().map((word) => (word.startsWith("opt:") ? `opt:./${"x".repeat(300)}.ts` : word)),
    /expected a file with an update rule, got a name that is too long/,
  ],
  ["corrupt initial weights", moons("--init", flipped), /flipped\.npz/],
  ["a checkpoint that is not there", moons("--load.path", `${missing}.npz`), /missing\.npz/],
  ["a data file for a checkpoint", moons("--load.path", goodFile), /"step"/],
  ["a corrupt checkpoint", moons("--load.path", truncated), /truncated\.npz/],
  [
    "images for a convolution where there are points",
    [...GD, ..."data:moons arch:cnn".split(" ")],
    /cnn|image|channels/,
  ],
  ["a text model for points", [...GD, ..."data:moons arch:lstm".split(" ")], /lstm|token/],
  [
    "patches that do not divide the image",
    [...GD, ..."data:digits arch:vit --data.n 10 --data.criterion mse --arch.patch-size 3".split(" ")],
    /patch/,
  ],
  [
    "patches of one number under a layer norm",
    [...GD, ..."data:digits arch:vit --data.n 10 --data.criterion mse --arch.patch-size 1".split(" ")],
    /vit\.patchSize: .*layer norm.*take larger patches$/,
  ],
  [
    "a constant row under a layer norm",
    [...GD, ...VIT.split(" "), "--init", constantRows],
    /finite loss, gradient and Hessian at the initial weights, got a gradient of NaN.*rows of equal numbers under a norm/,
  ],
  [
    "more digits than there are",
    [...MLP, ..."data:digits --data.criterion mse --data.n 100000".split(" ")],
    /data\.n|examples|there are/,
  ],
  [
    "a data set whose files are not there",
    [...MLP, ..."data:cifar10 --data.criterion mse --data.n 10 --data.cache-dir".split(" "), missing],
    /cifar|CIFAR/,
  ],
  [
    "another data set whose files are not there",
    [...MLP, ..."data:mnist --data.criterion ce --data.n 10 --data.cache-dir".split(" "), missing],
    /mnist|MNIST/i,
  ],
  [
    "sentences that are not there",
    [...GD, ..."data:sst2 arch:lstm --data.criterion ce --data.n 10 --data.cache-dir".split(" "), missing],
    /sst2|SST/i,
  ],
  [
    "a learning rate below zero",
    [...moons(), "--opt.lr=-1"].filter((word, i, all) => word !== "--opt.lr" && all[i - 1] !== "--opt.lr"),
    /opt\.lr/,
  ],
  [
    "a schedule over before it begins",
    moons("--opt.schedule", "cosine", "--opt.warmup-steps", "30", "--opt.total-steps", "20"),
    /total|warm/,
  ],
  [
    "a central flow without eigenvalues",
    moons().map((word, i, all) =>
      all[i - 1] === "--eig.frequency" ? "-1" : all[i - 1] === "--runs" ? "central" : word,
    ),
    /frequency/,
  ],
];

test.each(MISUSES)("%s: refused in words before anything is written", async (_, words, message) => {
  const directory = join(base, "never");
  let caught: unknown;
  try {
    await runWords(directory, words);
  } catch (error) {
    caught = error;
  }
  expect(isMisuse(caught), String(caught)).toBe(true);
  expect(String(caught)).toMatch(message);
  expect(String(caught)).toMatch(/expected .*, got /s);
  expect(existsSync(directory)).toBe(false);
});

test("there are at least thirty misuses", () => {
  expect(MISUSES.length).toBeGreaterThanOrEqual(30);
});

test.each([
  ["a file", file("occupied", "x")],
  ["a folder in a file", join(file("occupied-too", "x"), "run")],
  ["where no one may write", "/proc/central-flows/run"],
])("an output folder that is %s is refused", async (_, directory) => {
  const refusal = await runWords(directory, moons()).catch((error: unknown) => error);
  expect(isMisuse(refusal), String(refusal)).toBe(true);
  expect(String(refusal)).toContain(directory.split("/").slice(0, 3).join("/"));
});

test("a folder that holds a run is not overwritten", async () => {
  const directory = join(base, "twice");
  await runWords(directory, moons());
  const before = readFileSync(join(directory, NAMES.data));
  await expect(runWords(directory, moons())).rejects.toThrow(/which holds one; choose another/);
  expect(readFileSync(join(directory, NAMES.data)).equals(before)).toBe(true);
});

test.each([
  ["resume", () => resumeRun(missing, null)],
  ["verify", async () => fixtureFiles(missing)],
  [
    "verify of a folder without fixtures",
    async () => {
      mkdirSync(join(base, "bare", "inner"), { recursive: true });
      return fixtureFiles(join(base, "bare"));
    },
  ],
])("%s of nothing is misuse", async (_, act) => {
  const refusal = await act().catch((error: unknown) => error);
  expect(isMisuse(refusal), String(refusal)).toBe(true);
});

describe("what is unusual but right", () => {
  test("more eigenvalues asked for than weights: all of them", async () => {
    const words = moons().map((word, i, all) => (all[i - 1] === "--runs" ? "central" : word));
    const outcome = await runWords(join(base, "all-eigenvalues"), [...words, "--eig.initial-neigs", "500"]);
    expect(outcome.ending).toBe("finished");
    expect(quantityShape(outcome.rows[0].quantities["central/effective_hessian_eigs"])).toEqual([25]);
  });

  test("a chunk larger than the data, one example, and one step", async () => {
    const one = npz("one.npz", { inputs: matrix(1, 3), labels: labels(1) });
    const outcome = await runWords(join(base, "one"), [...withData(one), "--chunk", "1000"]);
    expect(outcome.ending).toBe("finished");
  });

  test("no eigenvalues at all for the processes that can do without", async () => {
    const words = MOONS.map((word, i, all) => (all[i - 1] === "--eig.frequency" ? "-1" : word)).filter(
      (word) => word !== "central" && word !== "stable",
    );
    const outcome = await runWords(join(base, "plain"), [...words, "--steps", "3"]);
    expect(outcome.ending).toBe("finished");
    expect(outcome.rows[0].quantities["discrete/effective_hessian_eigs"]).toBeUndefined();
  });

  test("a warm start that diverges ends the run at its first row, with outputs", async () => {
    const config = configOf(
      ...moons("--warm-start", "400").map((word, i, all) => (all[i - 1] === "--opt.lr" ? "1e8" : word)),
    );
    const directory = join(base, "warm");
    const outcome = await runConfig(directory, config);
    expect(outcome.ending).toBe("failed");
    expect(outcome.status).toMatch(
      /^ended after 1 of 2 steps; warm start: after 1 of its steps the loss is .*; take a smaller learning rate$/,
    );
    expect(existsSync(join(directory, "data.hdf5"))).toBe(true);
  });
});

describe("as a process", () => {
  const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const cli = (...words: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", MAIN, ...words], { encoding: "utf8", timeout: 60_000 });

  test("a diverging run keeps and writes everything, says why and ends with status 1", async () => {
    const directory = join(base, "diverging");
    const words = moons().map((word, i, all) =>
      all[i - 1] === "--opt.lr" ? "1e8" : all[i - 1] === "--steps" ? "60" : word,
    );
    const { status, stdout, stderr } = cli("run", ...words, "--out", directory);
    expect(status, stderr).toBe(1);
    expect(stdout).toMatch(/ended after \d+ of 60 steps; discrete: the loss or gradient is no longer finite/);
    for (const name of ["report.html", "data.hdf5", "config.json", "outcome.json"])
      expect(existsSync(join(directory, name)), name).toBe(true);
    const rows = await rowsIn(directory);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows[0].quantities["discrete/train_loss"]).toBeTypeOf("number");
    expect(rows.at(-1)?.quantities["discrete/train_loss"]).toBeUndefined();
  });

  test("misuse ends with status 2 and one sentence, a failed verification with 1", () => {
    const misuse = cli("run", ...withData(`${missing}.npz`), "--out", join(base, "never"));
    expect(misuse.status).toBe(2);
    expect(misuse.stderr.trim().split("\n").length).toBe(1);
    expect(misuse.stdout).toBe("");
    const bare = cli("verify", join(base, "bare"));
    expect(bare.status).toBe(2);
    expect(bare.stderr).toMatch(/fixtures/);
    const broken = join(base, "broken-case");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "case.json"), '{"architecture": "mlp"');
    const failed = cli("verify", broken);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(/FAIL.*JSON that parses/);
  });
});
