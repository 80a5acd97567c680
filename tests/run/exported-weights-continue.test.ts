import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readNpz, readSafetensors } from "../../src/data/index.ts";
import { createModel } from "../../src/models/index.ts";
import { exportWeights } from "../../src/run/index.ts";
import { configOf, type LeftRun, resumeRun, runWords, temporaryFolder } from "./small-runs.ts";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const CNN =
  "opt:gd data:digits arch:cnn --data.n 12 --arch.width 2 --opt.lr 0.1 --runs discrete central stable".split(
    " ",
  );
const STEPS = 6;
const LAST = { process: "discrete", step: null } as const;
const lossOf = ({ rows }: LeftRun, row: number, process = "discrete"): unknown =>
  rows[row].quantities[`${process}/train_loss`];

/** A run of six steps that has saved row 3, and the same run four steps longer. */
let longer: LeftRun;

beforeAll(async () => {
  await runWords(at("run"), [...CNN, "--steps", String(STEPS), "--checkpoint.steps", "3"]);
  exportWeights(at("run"), at("last.npz"), LAST);
  exportWeights(at("run"), at("last.safetensors"), LAST);
  exportWeights(at("run"), at("third.npz"), { process: "central", step: 3 });
  longer = await resumeRun(at("run"), STEPS + 4);
});

describe("a run from exported weights", () => {
  test.each(["npz", "safetensors"])(
    "as %s goes on where the run ended, with the same bits",
    async (format) => {
      const next = await runWords(at(`next-${format}`), [
        ...CNN,
        "--steps",
        "4",
        "--init",
        at(`last.${format}`),
      ]);
      for (let row = 0; row < 4; row++) expect(lossOf(next, row)).toBe(lossOf(longer, STEPS + row));
    },
  );

  test("starts from another process and an earlier step", async () => {
    const next = await runWords(at("third"), [...CNN, "--steps", "1", "--init", at("third.npz")]);
    for (const process of ["discrete", "central", "stable"])
      expect(lossOf(next, 0, process)).toBe(lossOf(longer, 3, "central"));
  });
});

test("each parameter has its name, shape and place in w, all float64", () => {
  const arrays = readNpz(readFileSync(at("last.npz")));
  const { parameters } = createModel("cnn", { inputShape: [1, 8, 8], outputDim: 10 }, { width: 2 });
  expect([...arrays.keys()]).toEqual(["w", ...Object.keys(parameters)]);
  const joined: number[] = [];
  for (const [name, shape] of Object.entries(parameters)) {
    expect(arrays.get(name)).toMatchObject({ dtype: "<f8", shape });
    joined.push(...arrays.get(name)!.data);
  }
  expect(arrays.get("w")).toMatchObject({ dtype: "<f8", shape: [joined.length] });
  expect([...arrays.get("w")!.data]).toEqual(joined);
});

test("a .safetensors file holds the same parameters and nothing else", () => {
  const [npz, tensors] = [
    readNpz(readFileSync(at("last.npz"))),
    readSafetensors(readFileSync(at("last.safetensors"))),
  ];
  npz.delete("w");
  expect([...tensors.keys()]).toEqual([...npz.keys()]);
  for (const [name, { shape, data }] of npz) expect(tensors.get(name)).toEqual({ dtype: "F64", shape, data });
});

test("what is not there is named, and nothing is written", () => {
  const attempt = (choice: Parameters<typeof exportWeights>[2]) => () =>
    exportWeights(at("run"), at("none.npz"), choice);
  expect(attempt({ process: "midpoint", step: null })).toThrow(/central, discrete, stable|discrete, central/);
  expect(attempt({ process: "discrete", step: 4 })).toThrow(/a step with a checkpoint \(3, 10\), got 4/);
  expect(() => exportWeights(at("nowhere"), at("none.npz"), LAST)).toThrow(/config.json/);
  expect(existsSync(at("none.npz"))).toBe(false);
});

test("weights of another network are refused by --init", async () => {
  const words = [...CNN, "--steps", "1", "--init", at("last.npz")];
  const wider = words.map((word, i) => (words[i - 1] === "--arch.width" ? "3" : word));
  expect(configOf(...wider).arch).toMatchObject({ width: 3 });
  await expect(runWords(at("wider"), wider)).rejects.toThrow(/weights for this network/);
});
