import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CLAIM_NAMES, checkClaims } from "../../src/claims/index.ts";
import { claimsText } from "../../src/report/index.ts";
import { CLAIM_PRESET_NAMES, PRESETS } from "../../src/settings/index.ts";
import { temporaryFolder } from "../run/small-runs.ts";
import { taskLine } from "../sweep/small-sweeps.ts";

const provenance = { cmd: "test", gitHash: null, version: "0" };
const directory = join(temporaryFolder(), "claims");
const presets = ["claim-cnn-rmsprop", "claim-cnn-scalar-rmsprop"];
const STEPS = 6;

test("tiny runs: every claim has numbers, a plain verdict and a place on the page; a second call reuses the runs", async () => {
  const said: string[] = [];
  const options = {
    directory,
    presets,
    steps: STEPS,
    provenance,
    taskLine,
    environment: "a test",
    progress: (line: string) => said.push(line),
  };
  const outcome = await checkClaims(CLAIM_NAMES, options);
  if (outcome === "interrupted") throw new Error("interrupted");
  const { claims, page } = outcome;
  expect(claims.map(({ name }) => name)).toEqual(CLAIM_NAMES);
  const html = readFileSync(page, "utf8");
  for (const claim of claims) {
    expect(claim.verdict).toMatch(claim.holds ? /^holds: / : /^does not hold here: /);
    expect(claim.holds).toBe(claim.experiments.every(({ holds }) => holds));
    expect(claim.experiments.map(({ name }) => name)).toEqual(["cnn-rmsprop", "cnn-scalar-rmsprop"]);
    for (const { name, numbers, charts, axes } of claim.experiments) {
      expect(numbers.some(({ holds }) => holds !== undefined)).toBe(true);
      expect(charts.length).toBeGreaterThan(0);
      for (const chart of charts)
        for (const { lines } of chart.kind === "series" ? chart.groups : [])
          for (const { values, axis = 0 } of lines) expect(values.length).toBe(axes[axis].steps.length);
      expect(html).toContain(`id="${claim.name}-${name}"`);
      for (const { label } of numbers) expect(claimsText(claims)).toContain(label);
    }
  }
  // Six steps are far from the edge: nothing is predicted there, and the page says so.
  expect(claims[0].holds).toBe(false);
  expect(claims[0].verdict).toContain("steps at the edge");
  const certified = claims[1].experiments[0].numbers.find(({ label }) => label.includes("certificates"));
  expect(certified?.value).toBeLessThanOrEqual(1e-8);

  const data = join(directory, "sweep", "runs", `0000_preset=${presets[0]}`, "data.hdf5");
  const written = statSync(data).mtimeMs;
  const again = await checkClaims(["acceleration"], options);
  if (again === "interrupted") throw new Error("interrupted");
  expect(statSync(data).mtimeMs).toBe(written);
  expect(again.claims[0]).toEqual(claims[2]);
  expect(again.page).toBe(join(directory, "acceleration.html"));
  expect(existsSync(page)).toBe(true);
});

test("an interrupted measurement goes on", async () => {
  const folder = join(temporaryFolder(), "claims");
  const options = {
    directory: folder,
    presets: [presets[1]],
    steps: STEPS,
    provenance,
    taskLine,
    environment: "",
  };
  let asked = 0;
  const interrupted = await checkClaims(["acceleration"], {
    ...options,
    events: { interrupted: () => asked++ === 3 },
  });
  expect(interrupted).toBe("interrupted");
  const outcome = await checkClaims(["acceleration"], options);
  expect(outcome).not.toBe("interrupted");
});

test("the claims' presets have the flows that are compared, an mlp and another network, and both rules", () => {
  const found = CLAIM_PRESET_NAMES.map((name) => PRESETS.get(name));
  for (const preset of found)
    expect(preset?.runs).toEqual(expect.arrayContaining(["discrete", "central", "ablated"]));
  expect(new Set(found.map((preset) => preset?.arch.name)).size).toBe(2);
  expect(new Set(found.map((preset) => preset?.opt.name))).toEqual(new Set(["rmsprop", "scalar-rmsprop"]));
});
