import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkValue } from "../../src/base/index.ts";
import { parseCommand, parseRun } from "../../src/cli/parse.ts";
import { defaultRun, eigOf, optionsOfAll, toFlags } from "../../src/settings/index.ts";
import { runConfigs } from "../settings/run-configs.ts";

const named = { newExpid: () => "name" };
const read = (line: string) => parseRun(line.split(" ").filter(Boolean), named);

describe("command lines of the reference", () => {
  test("gradient descent on CIFAR-10", () => {
    const { config, notices } = read(
      "opt:gd data:cifar10 arch:mlp --data.n=1000 --data.classes 4 --data.criterion mse --opt.lr 0.02 --runs discrete central stable --steps 1000 --eig.frequency 1",
    );
    expect(notices).toEqual([]);
    expect(config.opt).toMatchObject({ name: "gd", lr: 0.02 });
    expect(config.data).toMatchObject({ name: "cifar10", n: 1000, classes: 4, criterion: "mse" });
    expect(config.arch).toEqual({ name: "mlp", activation: "gelu", width: 256, depth: 2 });
    expect(config.runs).toEqual(["discrete", "central", "stable"]);
    expect(config).toMatchObject({ steps: 1000, eig: { frequency: 1 }, seed: 0, warmStart: -1 });
  });

  test("RMSProp on two moons", () => {
    const { config } = read(
      "opt:rmsprop data:moons arch:mlp --data.n=40 --arch.width 12 --opt.lr 0.02 --opt.beta2 0.95 --opt.eps 1e-7 --opt.bias-correction --warm-start 3 --runs discrete midpoint central stable --steps 12 --eig.frequency 1 --checkpoint.frequency 6",
    );
    expect(config.opt).toMatchObject({ lr: 0.02, beta2: 0.95, eps: 1e-7, biasCorrection: true });
    expect(config.data).toMatchObject({ name: "moons", n: 40, nTest: 100, noise: 0.2, seed: 10 });
    expect(config).toMatchObject({ steps: 12, warmStart: 3, checkpoint: { frequency: 6, steps: [] } });
  });

  test("without --steps has the reference's default, and without --eig.frequency a notice", () => {
    const { config, notices } = read(
      "opt:gd data:cifar10 arch:cnn --data.n 100 --data.criterion ce --opt.lr 0.02",
    );
    expect(config.steps).toBe(50);
    expect(config.eig.frequency).toBe(1);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain("--eig.frequency is 1");
  });

  test("that ask for no eigenvalues where none are needed get none", () => {
    const line = "opt:gd --opt.lr 0.02";
    for (const runs of ["discrete", "discrete midpoint", "discrete stable --stable.max-Seff None"]) {
      const { config, notices } = read(`${line} --runs ${runs}`);
      expect(config.eig.frequency).toBe(-1);
      expect(notices).toEqual([]);
    }
  });

  test("with settings for one process keep the others", () => {
    const { config, notices } = read(
      "--runs discrete central --eig.frequency -1 --central.eig.frequency 3 --central.eig.no-raw-eigenvalues",
    );
    expect(notices).toEqual([]);
    expect(eigOf(config, "central")).toMatchObject({
      frequency: 3,
      rawEigenvalues: false,
      trackThreshold: 1.5,
    });
    expect(eigOf(config, "ablated")).toEqual(eigOf(config, "central"));
    expect(eigOf(config, "discrete")).toEqual(config.eig);
  });

  test("may name a device", () => {
    expect(read("--device cpu").notices).toEqual([]);
    expect(read("--device cuda").notices[0]).toContain("--device cuda is ignored");
  });
});

describe("one meaning, several spellings", () => {
  const groups: readonly (readonly string[])[] = [
    ["--opt.lr 0.02", "--opt.lr=0.02", "--OPT.LR 2e-2", "--opt.lr .02"],
    ["--warm-start -1", "--warm_start=-1", "--Warm-Start -1"],
    ["--stable.max-Seff none", "--stable.max_Seff=None", "--stable.max-seff NONE"],
    ["--stable.max-Seff 50", "--stable.max_seff 5e1"],
    [
      "--runs discrete central stable",
      "--runs discrete --runs central --runs stable",
      "--runs=discrete,central,stable",
      "--runs stable central discrete central",
    ],
    [
      "--checkpoint.steps 10 20",
      "--checkpoint.steps 10 --checkpoint.steps=20",
      "--checkpoint.steps 10,20",
      "--checkpoint.steps (10,20)",
    ],
    [
      "arch:resnet --arch.stage-sizes 2 2 2",
      "--arch.stage-sizes 2,2,2 arch:Resnet",
      "--arch.stage_sizes 2 2 2 arch:resnet",
    ],
    ["--quiet", "--quiet true", "--quiet=True", "--QUIET TRUE"],
    [
      "--no-eig.raw-eigenvalues",
      "--eig.no-raw-eigenvalues",
      "--eig.raw_eigenvalues False",
      "--eig.raw-eigenvalues=false",
    ],
    [
      "opt:scalar-rmsprop --opt.lr 1 --opt.beta2 .9",
      "opt:scalar_rmsprop --opt.beta2 .9 --opt.lr 1",
      "--opt.lr 1 OPT:Scalar_RMSProp --opt.beta2 0.9",
    ],
    [
      "data:fashion-mnist --data.n 20 --data.criterion ce",
      "data:fashion_mnist --data.n=2e1 --data.criterion CE",
    ],
    ["--memory 2GiB", "--memory 2G", "--memory 2147483648", "--memory=2048MiB", "--memory 2gib"],
    ["--memory 1.5GB", "--memory 1500MB"],
    ["--data.n 1_000", "--data.n 1000", "--data.n 1e3"],
    ["--eig.solver LOBPCG", ""],
    [
      "",
      "opt:gd data:digits arch:mlp --opt.lr 0.3 --data.n 200 --arch.width 12 --steps 250 --warm-start 60 --discrete.precision float32 --eig.frequency 1",
    ],
  ];
  for (const [first, ...others] of groups) {
    test(first || "the default run", () => {
      const { config } = read(first);
      for (const other of others) expect(read(other).config, other).toEqual(config);
    });
  }

  test("the order of flags does not matter", () => {
    fc.assert(
      fc.property(runConfigs, fc.infiniteStream(fc.nat()), (config, order) => {
        const words = toFlags(config);
        // A word without hyphens or colon belongs to the flag before it.
        const groups: string[][] = [];
        for (const word of words) {
          if (word.startsWith("--") || /^(opt|data|arch):/.test(word)) groups.push([word]);
          else groups.at(-1)?.push(word);
        }
        const shuffled = groups
          .map((group) => ({ group, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .flatMap(({ group }) => group);
        expect(parseRun(shuffled).config).toEqual(config);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the default run", () => {
  test("sets flags that exist, to values they take", () => {
    for (const [flag, value] of Object.entries(defaultRun.values)) {
      const option = optionsOfAll().find((candidate) => candidate.flag === flag);
      expect(option && checkValue(option.setting.kind, value), flag).toEqual({ ok: true, value });
    }
  });

  test("has all four processes of the reference and needs no notice", () => {
    const { config, notices } = read("");
    expect(config.runs).toEqual(["discrete", "midpoint", "central", "stable"]);
    expect(notices).toEqual([]);
  });

  test("lends its values to the parts that are not named", () => {
    const { config } = read("arch:cnn");
    expect(config.opt.lr).toBe(defaultRun.values["opt.lr"]);
    expect(config.arch).toEqual({ name: "cnn", activation: "gelu", width: 32 });
    expect(config.steps).toBe(50);
  });

  test("is what a flag alone changes", () => {
    expect(read("--steps 7").config).toEqual({ ...read("").config, steps: 7 });
  });

  test("has a random name", () => {
    expect(parseRun([]).config.expid).not.toBe(parseRun([]).config.expid);
  });
});

describe("--config", () => {
  const file = JSON.stringify({
    opt: { class: "RMSProp", lr: 0.1, beta2: 0.9, eps: 0.5 },
    data: { class: "Moons", n: 30 },
    arch: { class: "MLP", width: 5 },
    eig_config: { frequency: 2 },
    steps: 9,
  });
  const withFile = (line: string) =>
    parseRun(["--config=c.json", ...line.split(" ").filter(Boolean)], { readFile: () => file });

  test("keeps the settings of a part that is named again", () => {
    expect(withFile("opt:rmsprop --opt.lr 0.2").config.opt).toMatchObject({ lr: 0.2, beta2: 0.9, eps: 0.5 });
  });

  test("drops the settings of a part that is replaced", () => {
    const { config } = withFile("opt:scalar-rmsprop --opt.lr 0.2 --opt.beta2 0.3");
    expect(config.opt).toMatchObject({ name: "scalar-rmsprop", lr: 0.2, beta2: 0.3, eps: 0 });
    expect(config.data).toMatchObject({ name: "moons", n: 30 });
    expect(() => withFile("opt:gd")).toThrow(/--opt\.lr/);
  });

  test("gives defaults to what the file leaves out", () => {
    const { config } = withFile("");
    expect(config).toMatchObject({ steps: 9, seed: 0, eig: { frequency: 2, tol: 1e-10 } });
  });
});

describe("the other commands", () => {
  const cases: readonly (readonly [line: string, command: object])[] = [
    ["", { command: "help", topic: null }],
    ["help", { command: "help", topic: null }],
    ["--help", { command: "help", topic: null }],
    ["help run", { command: "help", topic: "run" }],
    ["help arch:ViT", { command: "help", topic: "arch:vit" }],
    ["run opt:adam --help", { command: "help", topic: "run" }],
    ["verify -h", { command: "help", topic: "verify" }],
    ["--version", { command: "version" }],
    ["version", { command: "version" }],
    [
      "verify a b/c",
      { command: "verify", paths: ["a", "b/c"], json: false, backend: "auto", threads: "auto" },
    ],
    [
      "verify --json a b",
      { command: "verify", paths: ["a", "b"], json: true, backend: "auto", threads: "auto" },
    ],
    [
      "verify a --json=false",
      { command: "verify", paths: ["a"], json: false, backend: "auto", threads: "auto" },
    ],
    ["report experiments/x", { command: "report", dir: "experiments/x", follow: false }],
    ["resume d", { command: "resume", dir: "d", steps: null, quiet: false, json: false }],
    ["resume --steps 7 d --quiet", { command: "resume", dir: "d", steps: 7, quiet: true, json: false }],
    ["info --json", { command: "info", json: true }],
  ];
  for (const [line, command] of cases)
    test(line || "none", () => expect(parseCommand(line.split(" ").filter(Boolean))).toEqual(command));

  test("run carries its configuration", () => {
    const command = parseCommand(["run", "--steps", "3"], named);
    expect(command).toMatchObject({ command: "run", config: { steps: 3, expid: "name" }, notices: [] });
  });
});

test("doubtful settings are said", () => {
  expect(read("--eig.track-threshold 1.97").notices.join()).toContain("--eig.track-threshold 1.97");
  expect(read("--checkpoint.steps 3 500 --steps 500").notices.join()).toContain("no checkpoint at 500");
  expect(read("--load.path c.npz --warm-start 3").notices.join()).toContain("--warm-start is skipped");
});
