import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputKindError, InputValueError, isMisuse } from "../../src/base/index.ts";
import { parseCommand, parseRun } from "../../src/cli/parse.ts";
import { checkRun, fromConfigJson, optionsOfAll } from "../../src/settings/index.ts";

/** Splits at spaces; `''` stands for an empty word. */
const words = (line: string): string[] =>
  line
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => (word === "''" ? "" : word));

function errorOf(attempt: () => unknown): Error {
  try {
    attempt();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** What is typed after `run`, and what the error has to name. */
const RUN_MISUSE: readonly (readonly [line: string, ...named: string[]])[] = [
  // Names
  ["--opt.lrr 0.1", "--opt.lrr", "did you mean --opt.lr?"],
  ["--lr 0.1", "did you mean --opt.lr?"],
  ["--max-seff 3", "did you mean --stable.max-Seff?"],
  ["--central.nsubstep 3", "did you mean --central.nsubsteps?"],
  ["--frobnicate 3", "--frobnicate", "central-flows help run"],
  ["opt:rmsprp --opt.lr 1", "opt:rmsprp", "did you mean opt:rmsprop?"],
  ["data:cifar-10", "did you mean data:cifar10?"],
  ["arch:transfomer", "did you mean arch:transformer?"],
  ["opt:lion", "opt:lion", "opt:gd, opt:scalar-rmsprop, opt:rmsprop, opt:heavy-ball"],
  ["opt:scalar-adm", "did you mean opt:scalar-adam"],
  ["opt:", "opt:gd"],
  ["--opt rmsprop", "expected opt:NAME", "got --opt"],
  ["opt:gd opt:rmsprop", "one opt:NAME", "opt:gd and opt:rmsprop"],
  // Flags of another part
  ["opt:gd --opt.lr 0.1 --opt.beta2 0.9", "--opt.beta2 belongs to", "opt:rmsprop", "this run has opt:gd"],
  ["--data.noise 0.1", "belongs to data:moons and data:circles", "this run has data:digits"],
  ["arch:mlp --arch.stage_sizes 3", "--arch.stage_sizes belongs to arch:resnet", "this run has arch:mlp"],
  ["--no-arch.simple", "--no-arch.simple belongs to arch:vit"],
  // Missing flags and values
  ["opt:gd", "--opt.lr", "required by opt:gd", "for example --opt.lr 0.02"],
  ["opt:rmsprop", "--opt.lr and --opt.beta2", "opt:rmsprop"],
  ["data:cifar10 --data.n 10", "--data.criterion", "data:cifar10", "for example --data.criterion mse"],
  ["data:npz --data.criterion ce", "--data.path", "data:npz"],
  ["--opt.lr", "--opt.lr", "a value after it", "got none"],
  ["--opt.lr --steps 3", "--opt.lr", "a value after it", "got --steps"],
  ["--out -q", "--out", "a value after it", "got -q"],
  ["--runs", "--runs", "a value after it"],
  ["--runs=", "--runs", "got none"],
  ["--opt.lr=", "--opt.lr"],
  ["--expid=", "--expid"],
  // Given twice
  ["--steps 3 --steps 4", "--steps", "once", "3 and then 4"],
  ["--opt.lr=1 --OPT.LR 2", "once", "1 and then 2"],
  ["--quiet --no-quiet", "once", "true and then false"],
  // Stray words
  ["cifar10", "cifar10", "did you mean data:cifar10?"],
  ["rmsprop --opt.lr 1", "did you mean opt:rmsprop?"],
  ["steps 3", "did you mean --steps?"],
  ["steps=3", "did you mean --steps=3?"],
  ["-steps 3", "two hyphens", "did you mean --steps?"],
  ["—steps 3", "did you mean --steps?"],
  ["--opt.lr 0.1 0.2", "0.2", "a value stands after its flag"],
  ["--quiet maybe", "maybe"],
  ["--quiet=maybe", "--quiet", "true or false", "maybe"],
  ["--no-quiet=false", "--no-quiet", "no value"],
  ["-- --steps 3", "--steps"],
  ["''", "an empty word"],
  // Numbers
  ["--opt.lr 0", "--opt.lr", "> 0", "got 0"],
  ["--opt.lr -0.1", "--opt.lr", "> 0", "got -0.1"],
  ["--opt.lr inf", "finite"],
  ["--opt.lr nan", "finite"],
  ["--opt.lr 1e999", "finite"],
  ["--opt.lr big", "--opt.lr", "big"],
  ["--opt.lr 0x10", "0x10"],
  ["--opt.lr 0,02", "did you mean 0.02?"],
  ["--opt.lr 2/50", "did you mean 0.04?"],
  ["--opt.lr 2%", "did you mean 0.02?"],
  ["--data.n 1k", "an integer", "did you mean 1000?"],
  ["--data.n 2.5", "an integer"],
  ["--data.n 5000", "1797"],
  ["--steps 0", "≥ 1"],
  ["--steps 9007199254740993", "an integer"],
  ["--warm-start -2", "≥ -1"],
  ["--threads 0", "≥ 1", "auto"],
  ["--arch.width 0", "≥ 1"],
  ["--central.nsubsteps 0", "≥ 1"],
  ["--central.sdcp-threshold 2.1", "(0, 2]"],
  ["--central.sdcp-threshold 0", "(0, 2]"],
  ["--eig.frequency 0", "≥ 1, or -1"],
  ["--eig.tol 0", "(0, 1)"],
  ["opt:rmsprop --opt.lr 1 --opt.beta2 1", "[0, 1)"],
  ["opt:rmsprop --opt.lr 1 --opt.beta2 0.9 --opt.eps -1e-8", "≥ 0"],
  ["opt:heavy-ball --opt.lr 1 --opt.beta1 1", "--opt.beta1", "[0, 1)", "got 1"],
  ["opt:adam --opt.lr 1 --opt.beta1 -0.1", "--opt.beta1", "[0, 1)"],
  ["opt:nadam --opt.lr 1 --opt.beta2 1.5", "--opt.beta2", "[0, 1)"],
  ["opt:nesterov --opt.lr 1 --opt.momentum-form sum", "polyak or average"],
  ["--opt.weight-decay -0.1", "--opt.weight-decay", "≥ 0"],
  ["--memory 512", "did you mean 512MiB?"],
  ["--memory lots", "512MiB"],
  ["--chunk 0", "≥ 1", "auto"],
  ["data:circles --data.factor 1", "[0, 1)"],
  // Names as values, lists
  ["--data.criterion msee", "ce or mse", "msee"],
  ["--eig.solver arpack", "lobpcg, scipy or lanczos"],
  ["--backend cuda", "auto, js, wasm or wasm-fma"],
  ["--runs discrete centrl", "central", "centrl"],
  ["--runs none", "at least 1"],
  ["--checkpoint.steps 10 -1", "≥ 0", "-1"],
  ["--checkpoint.steps ten", "ten"],
  ["opt:gd --opt.lr 1 data:digits arch:resnet --arch.stage-sizes 3,0,3", "≥ 1"],
  ["--data.classes 1", "[2, 10]", "binary"],
  ["--expid ../../etc", "folder"],
  ["--expid /tmp/a", "folder"],
  // What does not go together
  ["--data.classes 11", "[2, 10]"],
  ["data:moons --data.n 1", "--data.n", "≥ 2"],
  ["data:classification --data.classes 17", "--data.classes", "[2, 16]"],
  ["data:classification --data.n-features 6", "--data.n-features", "≥ 7"],
  ["data:classification --data.n 3 --data.classes 4", "each of 4 classes"],
  ["arch:vit --arch.simple false", "--arch.simple: expected true, got false", "only the form"],
  ["-q", "two hyphens", "did you mean --quiet?"],
  ["--data.n 3 --data.classes 4", "each of 4 classes"],
  ["arch:lstm", "tokens", "data:digits", "data:sorting"],
  ["data:moons arch:cnn", "images", "data:moons", "arch:mlp"],
  ["arch:vit --arch.dim 30", "multiple of 4"],
  ["data:sorting --data.criterion ce arch:transformer --arch.nhead 5", "--arch.d-model", "multiple of"],
  ["data:sst2 arch:lstm --data.criterion ce --data.n 7", "even"],
  ["--eig.frequency -1", "at least 1", "leave central out"],
  ["--central.eig.frequency -1", "at least 1"],
  ["--runs stable --eig.frequency -1", "stable"],
  ["--runs central ablated", "ablated", "opt:gd", "opt:rmsprop"],
  ["opt:adam --opt.lr 1 --opt.beta2 0.9 --runs stationary", "without momentum", "opt:adam", "opt:rmsprop"],
  ["opt:rmsprop --opt.lr 1 --opt.beta2 0.9 --runs ablated --eig.frequency -1", "ablated flow needs"],
  ["opt:nesterov --opt.lr 1 --runs central ablated", "ablated", "opt:nesterov", "opt:rmsprop"],
  ["--opt.lr 0.5 --opt.weight-decay 2", "--opt.weight-decay", "less than 1/η", "η = 0.5"],
  ["--opt.schedule cosine --opt.final-fraction 0", "--opt.final-fraction", "(0, 1]", "got 0"],
  ["--opt.final-fraction 0.5", "--opt.schedule cosine"],
  ["--opt.schedule step --opt.step-every 1 --opt.step-factor 0", "--opt.step-factor", "> 0"],
  [
    "--opt.schedule step --opt.step-every 1 --steps 2000 --warm-start 0",
    "--opt.step-factor",
    "above 0",
    "0.5^2000",
  ],
  ["--opt.schedule piecewise", "--opt.lr-at", "120:0.1,200:0.05"],
  ["--opt.lr-at 5:0.1", "--opt.schedule piecewise", "constant"],
  ["--opt.schedule piecewise --opt.lr-at 5", "--opt.lr-at", "a step and a finite number > 0", "got 5"],
  ["--opt.schedule piecewise --opt.lr-at 5:0", "--opt.lr-at", "> 0", "got 5:0"],
  ["--opt.schedule piecewise --opt.lr-at 9:0.1,5:0.2", "--opt.lr-at", "ascending order", "9, 5"],
  ["--opt.warmup-steps 5", "--opt.schedule warmup or cosine"],
  ["--opt.total-steps 5", "--opt.schedule cosine"],
  ["--opt.step-every 5 --opt.schedule cosine", "--opt.schedule step"],
  ["--opt.schedule warmup", "--opt.warmup-steps", "for example"],
  ["--opt.schedule step", "--opt.step-every", "for example"],
  ["--opt.schedule cosine --opt.warmup-steps 50 --steps 50 --warm-start 0", "fewer steps"],
  ["--load.from-process central", "--load.path"],
  ["--load.path a.npz --init b.npz", "--init"],
];

describe("misuse of run is an InputValueError that names what to change", () => {
  for (const [line, ...named] of RUN_MISUSE) {
    test(line, () => {
      const error = errorOf(() => parseRun(words(line)));
      expect(error).toBeInstanceOf(InputValueError);
      expect(error.message).toMatch(/^[^:]+(:[^ ]+)?: expected .+, got .+/);
      for (const name of named) expect(error.message).toContain(name);
    });
  }
});

const OTHER_MISUSE: readonly (readonly [line: string, ...named: string[]])[] = [
  ["rnu", "did you mean run?"],
  ["train", "run, verify, report"],
  ["opt:gd --opt.lr 1", "did you mean central-flows run opt:gd --opt.lr 1?"],
  ["--steps 3", "did you mean central-flows run --steps 3?"],
  ["verify", "fixtures"],
  ["verify a --jsn", "did you mean --json?"],
  ["verify a --json --json", "once"],
  ["report", "one folder", "for example central-flows report"],
  ["report a b", "one folder", "a b"],
  ["report a --json", "--follow", "--json"],
  ["resume", "one folder"],
  ["resume a --steps", "--steps", "a value after it"],
  ["resume a --steps 0", "≥ 1"],
  ["resume a --seed 3", "--seed"],
  ["export", "one folder", "for example central-flows export"],
  ["export a b", "one folder", "a b"],
  ["claim", "one of prediction, adaptation, acceleration, all", "none"],
  ["claim adaptaton", "adaptaton", "did you mean adaptation"],
  ["claim prediction adaptation", "prediction adaptation", "claim all"],
  ["claim all --steps 0", "--steps", "≥ 1"],
  ["study", "one of margin", "none"],
  ["study epsilom", "epsilom", "did you mean epsilon"],
  ["study all extra", "no further words after all", "extra"],
  ["study epsilon one two", "no further words after epsilon", "one two"],
  ["export a --process stationary", "--process", "discrete, midpoint, central or stable"],
  ["export a --step -1", "--step", "≥ 0"],
  ["export a --step", "--step", "a value after it"],
  ["export a --output", "--output", "a value after it"],
  ["export a --outptu b", "did you mean --output?"],
  ["exprot a", "did you mean export?"],
  ["info now", "no further words"],
  ["version 2", "no further words"],
  ["help runn", "did you mean run?"],
  ["help arch:vitt", "did you mean arch:vit?"],
  ["help run verify", "run verify"],
];

describe("misuse of the other commands is explained", () => {
  for (const [line, ...named] of OTHER_MISUSE) {
    test(line, () => {
      const error = errorOf(() => parseCommand(words(line)));
      expect(error).toBeInstanceOf(InputValueError);
      for (const name of named) expect(error.message).toContain(name);
    });
  }
});

describe("misuse in a configuration file is explained", () => {
  const cases: readonly (readonly [content: string, ...named: string[]])[] = [
    ["{", "--config", "a JSON file", "a.json"],
    ["[]", "a.json", "a JSON object"],
    ["null", "a.json", "a JSON object"],
    ['{"opt": 3}', "a.json opt", "an object"],
    ['{"opt": {"class": "Lion"}}', "opt.class", "GradientDescent", '"Lion"'],
    ['{"opt": {"lr": 1}}', "opt.class", "nothing"],
    ['{"opt": {"class": "GradientDescent", "lr": "1"}}', "a.json opt.lr", '"1"'],
    ['{"opt": {"class": "GradientDescent", "lr": -1}}', "a.json opt.lr", "> 0"],
    ['{"opt": {"class": "GradientDescent", "lr": 1, "beta2": 0.9}}', "opt.beta2", "under opt only lr"],
    ['{"opt": {"class": "GradientDescent"}}', "--opt.lr", "opt:gd"],
    ['{"steeps": 3}', "steeps", "steps"],
    ['{"steps": null}', "steps", "null"],
    ['{"runs": "central"}', "runs"],
    ['{"runs": ["centrel"]}', "runs", "centrel"],
    ['{"eig_config": {"raw_eigenvalues": 1}}', "eig_config.raw_eigenvalues", "true or false"],
    ['{"checkpointer": {"steps": [1, "2"]}}', "checkpointer.steps"],
    ['{"stable_config": {"eig": {"frequency": 0}}}', "stable_config.eig.frequency"],
    ['{"memory": 100}', "memory", "did you mean 100MiB?"],
  ];
  for (const [content, ...named] of cases) {
    test(content, () => {
      const error = errorOf(() => parseRun(["--config", "a.json"], { readFile: () => content }));
      expect(isMisuse(error)).toBe(true);
      for (const name of named) expect(error.message).toContain(name);
    });
  }

  test("a wrong kind is an InputKindError", () => {
    expect(errorOf(() => fromConfigJson({ steps: "3" }))).toBeInstanceOf(InputKindError);
    expect(errorOf(() => fromConfigJson(undefined))).toBeInstanceOf(InputKindError);
  });

  test("a file that cannot be read is named", () => {
    const error = errorOf(() => parseRun(["--config", "no/such/file.json"]));
    expect(error).toBeInstanceOf(InputValueError);
    expect(error.message).toContain("no/such/file.json");
  });

  test("prototype keys are unknown keys", () => {
    const error = errorOf(() => fromConfigJson(JSON.parse('{"__proto__": {"steps": 3}, "constructor": 1}')));
    expect(error).toBeInstanceOf(InputValueError);
  });
});

test("a configuration made by hand is checked too", () => {
  const { config } = parseRun([]);
  expect(() => checkRun({ ...config, steps: 0 })).toThrow(/--steps: expected an integer ≥ 1, got 0/);
  expect(() => checkRun({ ...config, opt: { ...config.opt, lr: Number.NaN } })).toThrow(/--opt\.lr/);
});

describe("whatever is given, the answer is a command or an explanation", () => {
  const scrap = fc.oneof(
    fc.constantFrom(
      "--",
      "-",
      "=",
      "--=",
      "---",
      "-1",
      "-1e-5",
      "--__proto__",
      "--constructor=1",
      "opt:",
      "OPT:__proto__",
    ),
    fc.constantFrom(
      "run",
      "help",
      "verify",
      "true",
      "none",
      "auto",
      "3",
      "0.5",
      "central",
      "opt:gd",
      "arch:vit",
    ),
    fc.constantFrom(...optionsOfAll().map(({ flag }) => `--${flag}`)),
    fc.string(),
  );

  test("on the command line", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("run", "verify", "resume", "help", ""),
        fc.array(scrap),
        (command, rest) => {
          try {
            expect(parseCommand([command, ...rest], { readFile: () => "{}" }).command).toBeTypeOf("string");
          } catch (error) {
            if (!isMisuse(error)) throw error;
            expect(error.message).toContain("expected");
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("in a file", () => {
    const keys = fc.constantFrom(
      "opt",
      "class",
      "lr",
      "runs",
      "steps",
      "eig_config",
      "load",
      "expid",
      "__proto__",
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, fc.jsonValue({ maxDepth: 1 }), fc.dictionary(keys, tie("tree"))),
    }));
    fc.assert(
      fc.property(tree, (json) => {
        try {
          expect(fromConfigJson(json).steps).toBeGreaterThan(0);
        } catch (error) {
          if (!isMisuse(error)) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
