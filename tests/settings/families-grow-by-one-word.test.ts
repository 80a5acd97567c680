import { expect, test } from "vitest";
import { flag, integer } from "../../src/base/index.ts";
import { dataset } from "../../src/data/index.ts";
import { optimizer } from "../../src/flows/index.ts";
import { architecture } from "../../src/models/index.ts";
import { FAMILIES, type Families, optionsOfAll, parseRun, toConfigJson } from "../../src/settings/index.ts";

// Each is what its file would say; the lists below stand for the one word in the list of its family.
const toyRule = optimizer({
  name: "toy-rule",
  className: "ToyRule",
  help: "a toy",
  settings: { halvings: { kind: integer({ min: 0, max: 3 }), default: 1, help: "times half" } },
  define: ({ halvings }) => ({ criticalValue: 2, preconditioner: () => 1 / 0.5 ** halvings }),
});
const toyData = dataset({
  name: "toy-data",
  className: "ToyData",
  gives: "points",
  help: "a toy",
  settings: { upside: { kind: flag, default: false, help: "turned over" } },
  make: () => {
    throw new Error("not made here");
  },
});
const toyNetwork = architecture({
  name: "toy-net",
  className: "ToyNet",
  reads: ["points"],
  help: "a toy",
  settings: { folds: { kind: integer({ min: 2 }), help: "folds", example: "3" } },
  build: () => {
    throw new Error("not built here");
  },
});

const families: Families = {
  opt: { ...FAMILIES.opt, "toy-rule": toyRule },
  data: { ...FAMILIES.data, "toy-data": toyData },
  arch: { ...FAMILIES.arch, "toy-net": toyNetwork },
};
const parse = (line: string) => parseRun(line.split(" "), { families, newExpid: () => "name" });

test("a toy of each family has flags, defaults, bounds, fits and a config.json by standing in its list", () => {
  const { config } = parse("opt:toy-rule --opt.lr 1 data:toy_data --data.upside arch:toy-net --arch.folds 4");
  expect(config).toMatchObject({
    opt: { name: "toy-rule", lr: 1, halvings: 1, schedule: "constant" },
    data: { name: "toy-data", upside: true, ghostBatchSize: -1 },
    arch: { name: "toy-net", folds: 4 },
  });
  expect(toConfigJson(config, { cmd: "", gitHash: null, version: "0" }, families)).toMatchObject({
    opt: { class: "ToyRule", halvings: 1 },
    data: { class: "ToyData", upside: true, cache_dir: "data_cache" },
    arch: { class: "ToyNet", folds: 4 },
  });
  expect(() => parse("opt:toy-rule --opt.lr 1 --opt.halvings 4")).toThrow(
    "--opt.halvings: expected an integer in [0, 3]",
  );
  expect(() => parse("data:toy-data arch:toy-net")).toThrow("--arch.folds, required by arch:toy-net");
  expect(() => parse("arch:toy-net --arch.folds 2")).toThrow(/data of points.*data:moons.*data:toy-data/);
  expect(() => parse("--arch.folds 2")).toThrow("--arch.folds belongs to arch:toy-net");
  expect(() => parse("opt:toy-rul --opt.lr 1")).toThrow("did you mean opt:toy-rule?");
  expect(optionsOfAll(families).length).toBeGreaterThan(optionsOfAll().length);
});

test("a toy rule is a rule", () => {
  expect(toyRule({ lr: 1, halvings: 2 }).criticalValue).toBe(2);
  expect(() => toyRule({ lr: 1, halvings: 4 })).toThrow(
    "toy-rule.halvings: expected an integer in [0, 3], got 4",
  );
});
