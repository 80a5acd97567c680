import fc from "fast-check";
import { expect, test } from "vitest";
import {
  argvOf,
  type LabLink,
  pairsOf,
  readLink,
  readPairs,
  USUAL_VIEW,
  writeLink,
} from "../../src/lab/index.ts";
import { parseRun, type RunConfig } from "../../src/settings/index.ts";
import { runConfigs } from "../settings/run-configs.ts";

/** Runs without a name: a link has none, nor has it a part from a file. */
const configs: fc.Arbitrary<RunConfig> = runConfigs.map((config) => ({ ...config, expid: "lab" }));

test("a configuration comes back from its pairs, read as the words of a command line", () => {
  fc.assert(
    fc.property(configs, (config) => {
      expect(parseRun(argvOf(pairsOf(config)), { newExpid: () => "lab" }).config).toEqual(config);
    }),
    { numRuns: 60 },
  );
});

test("a link comes back: every run, told as a difference from the first, the view, the chart, the bits", () => {
  const links = fc.record(
    {
      runs: fc.array(configs, { minLength: 1, maxLength: 3 }),
      view: fc.record({
        sharpness: fc.constantFrom("raw", "effective"),
        loss: fc.constantFrom("log", "linear"),
        path: fc.constantFrom("plane", "band"),
      }),
      embed: fc.constantFrom("sharpness", "picture"),
      tour: fc.constantFrom("edge.1", "a/b&c=%"),
      bits: fc.record({
        rows: fc.nat(1e5),
        digest: fc.constant("0123456789abcdef"),
        marks: fc.constantFrom("", "00ff", "00ffabcd"),
      }),
    },
    { requiredKeys: ["runs", "view"] },
  );
  fc.assert(
    fc.property(links, ({ runs, ...rest }) => {
      const link = { ...rest, runs: runs.map(pairsOf) } as LabLink;
      const { runs: read, ...others } = readLink(`#${writeLink(link)}`)!;
      expect(others).toEqual(rest);
      expect(read.map((pairs) => readPairs(pairs).config)).toEqual(runs);
    }),
    { numRuns: 60 },
  );
});

test("a hash without a run says nothing; a later form, an unknown chart or view and broken text are told in words", () => {
  expect(readLink("")).toBeUndefined();
  expect(readLink("#view=linear")).toBeUndefined();
  expect(readLink("#tour=edge.1")).toEqual({ runs: [], view: USUAL_VIEW, tour: "edge.1" });
  for (const [hash, words] of [
    ["#form=2&opt=gd", "link: expected one of form 1, got form 2; it is of a newer lab: open that one"],
    ["#opt=gd&embed=pie", "embed: expected one of sharpness, loss, path, picture, got pie"],
    ["#opt=gd&view=round", "view: expected among"],
    ["#opt=gd&bits=1", "bits: expected rows.digest.marks, got 1"],
    ["#opt=%", "link: expected text in which %"],
  ])
    expect(() => readLink(hash), hash).toThrow(words);
});

test("a link is short where a run is near the usual, and a difference names only what differs", () => {
  const first = pairsOf(
    parseRun("opt:gd --opt.lr=0.3 data:moons arch:mlp --arch.width=16".split(" ")).config,
  );
  const other = pairsOf(
    parseRun("opt:rmsprop --opt.lr=0.005 --opt.beta2=0.99 data:moons arch:mlp --arch.width=8".split(" "))
      .config,
  );
  expect(writeLink({ runs: [first, other], view: { ...USUAL_VIEW, loss: "linear" } })).toBe(
    "opt=gd&data=moons&arch=mlp&opt.lr=0.3&arch.width=16&view=linear/opt=rmsprop&opt.lr=0.005&opt.beta2=0.99&arch.width=8",
  );
});
