import fc from "fast-check";
import { checkValue, isIgnored } from "../../src/base/index.ts";
import {
  FAMILIES,
  hintOf,
  type Option,
  optionsOf,
  type RunConfig,
  resolveRun,
  type Selection,
} from "../../src/settings/index.ts";

const texts = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });

/** Values of every sort; which of them an option takes is asked of its kind. */
const branchesFor = (option: Option): fc.Arbitrary<unknown>[] => [
  fc.integer({ min: -1, max: 4 }),
  fc.integer({ min: 1, max: 2 ** 40 }),
  fc.double({ min: 0, max: 2, noNaN: true }),
  fc.boolean(),
  fc.constantFrom(null, "auto", "binary", "none"),
  fc.constantFrom(...hintOf(option.setting.kind).replace(" …", "").split("|")),
  texts,
  fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 4 }),
  fc.shuffledSubarray([
    "discrete",
    "midpoint",
    "central",
    "stable",
    "stationary",
    "ablated",
    "noisy-central",
  ]),
  fc.shuffledSubarray(["gradient", "sharpness", "hessian"]),
];

const accepts = (option: Option, value: unknown): boolean => checkValue(option.setting.kind, value).ok;

/** Any value that an option takes. */
export function optionValues(option: Option): fc.Arbitrary<unknown> {
  const fitting = branchesFor(option).filter((branch) =>
    fc.sample(branch, { numRuns: 40, seed: 1 }).some((value) => accepts(option, value)),
  );
  return fc
    .oneof(...fitting)
    .filter((value) => accepts(option, value))
    .map((value) => {
      const outcome = checkValue(option.setting.kind, value);
      return outcome.ok ? outcome.value : value;
    });
}

const byFlag = new Map<string, fc.Arbitrary<unknown>>();

function cachedValues(option: Option): fc.Arbitrary<unknown> {
  const key = `${option.owner?.name ?? ""} ${option.flag}`;
  const known = byFlag.get(key) ?? optionValues(option);
  byFlag.set(key, known);
  return known;
}

const network: Record<string, readonly string[]> = {
  images: ["mlp", "cnn", "resnet", "vit"],
  points: ["mlp"],
  tokens: ["lstm", "transformer", "mamba"],
};
const sets: Record<string, readonly string[]> = {
  images: ["digits", "cifar10", "mnist", "fashion-mnist", "npz"],
  points: ["moons", "circles", "classification", "npz"],
  tokens: ["sst2", "sorting", "copying", "npz"],
};

const selections: fc.Arbitrary<Selection> = fc.constantFrom("images", "points", "tokens").chain((inputs) =>
  fc.record({
    opt: fc.constantFrom(...Object.values(FAMILIES.opt)),
    data: fc.constantFrom(...sets[inputs].map((name) => FAMILIES.data[name])),
    arch: fc.constantFrom(...network[inputs].map((name) => FAMILIES.arch[name])),
  }),
);

type Bundle = Readonly<Record<string, unknown>>;

const IDLE: Bundle = {
  "opt.warmup-steps": 0,
  "opt.total-steps": -1,
  "opt.final-fraction": 0.001,
  "opt.step-every": -1,
  "opt.step-factor": 0.5,
  "opt.lr-at": null,
};

/** Settings that must fit each other, chosen together. */
const bundles: readonly fc.Arbitrary<Bundle>[] = [
  fc.constantFrom<Bundle[]>(
    { "opt.schedule": "constant", ...IDLE },
    { "opt.schedule": "warmup", ...IDLE, "opt.warmup-steps": 3 },
    { "opt.schedule": "cosine", ...IDLE, "opt.warmup-steps": 2, "opt.total-steps": 90 },
    { "opt.schedule": "cosine", ...IDLE, "opt.final-fraction": 0.5 },
    {
      "opt.schedule": "piecewise",
      ...IDLE,
      "opt.lr-at": [
        [0, 0.25],
        [12, 0.015],
      ],
    },
    // η must stay above 0 for as long as the run lasts.
    {
      "opt.schedule": "step",
      ...IDLE,
      "opt.step-every": 7,
      "opt.lr": 0.1,
      steps: 40,
      "warm-start": 6,
      "opt.step-factor": 0.3,
    },
  ),
  fc.constantFrom<Bundle[]>({ "opt.weight-decay": 0 }, { "opt.weight-decay": 0.3, "opt.lr": 0.01 }),
  fc.constantFrom<Bundle[]>(
    { "load.path": null, "load.from-process": null, init: null },
    { "load.path": "checkpoint_6.npz", "load.from-process": "central", init: null },
    { "load.path": "-a b=c.npz", "load.from-process": null, init: null },
    { "load.path": null, "load.from-process": null, init: "w0.npz" },
  ),
  fc.record({
    "eig.frequency": fc.integer({ min: 1, max: 9 }),
    "central.eig.frequency": fc.option(fc.integer({ min: 1, max: 9 })),
    "stable.eig.frequency": fc.option(fc.integer({ min: 1, max: 9 })),
  }),
  fc.constantFrom<Bundle[]>({ "arch.d-model": 12, "arch.nhead": 4 }, { "arch.d-model": 7, "arch.nhead": 1 }),
  fc.integer({ min: 1, max: 20 }).map((quarter) => ({ "arch.dim": 4 * quarter })),
  fc.record({ "data.n": fc.integer({ min: 5, max: 100 }).map((half) => 2 * half) }),
];

/** Any configuration of a run; values that nobody gave have their defaults. */
export const runConfigs: fc.Arbitrary<RunConfig> = selections.chain((selection) => {
  const options = optionsOf(selection).filter(({ setting }) => !isIgnored(setting));
  const flags = new Set(options.map(({ flag }) => flag));
  const classes = options.find(({ flag }) => flag === "data.classes")?.setting.kind;
  const free = Object.fromEntries(
    options.map((option) => {
      const required = !("default" in option.setting);
      const values = cachedValues(option);
      return [
        option.flag,
        required ? values.map((value) => [value]) : fc.option(values.map((value) => [value])),
      ];
    }),
  );
  return fc
    .tuple(fc.record(free), fc.tuple(...bundles), fc.constantFrom(2, 10, "binary"))
    .map(([given, together, classCount]) => {
      const values = new Map<string, unknown>();
      for (const [flag, value] of Object.entries(given)) if (value !== null) values.set(flag, value[0]);
      for (const [flag, value] of together.flatMap((bundle) => Object.entries(bundle)))
        if (flags.has(flag)) values.set(flag, value);
      if (classes !== undefined && selection.data.name !== "npz")
        values.set("data.classes", checkValue(classes, classCount).ok ? classCount : 2);
      else if (classes !== undefined) values.set("data.classes", null);
      const runs = values.get("runs") as readonly string[] | undefined;
      // Without a second moment there is neither a stationary nor an ablated flow, with momentum no stationary one and none with noise.
      const missing = [
        ...(flags.has("opt.beta2") ? [] : ["stationary", "ablated"]),
        ...(flags.has("opt.beta1") ? ["stationary", "noisy-central"] : []),
      ];
      const common = runs?.filter((process) => !missing.includes(process));
      if (common !== undefined) values.set("runs", common.length > 0 ? common : ["midpoint"]);
      return resolveRun({ selection, values }, () => "some-name").config;
    });
});
