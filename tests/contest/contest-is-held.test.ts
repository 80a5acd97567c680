import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  contestText,
  factsOf,
  holdContest,
  MODELS,
  PROBLEMS,
  playModel,
  playOptimizer,
  scoreOf,
} from "../../src/contest/index.ts";
import { processEntry } from "../../src/flows/index.ts";
import { temporaryFolder } from "../run/small-runs.ts";

const problems = ["toy-gd-settles", "toy-heavy-ball-bursts"];
const options = { problems, steps: 12, environment: "a test" };
const never = (): boolean => false;

test("a small contest: every model that takes the rule has a row, on the page, in the text and in contest.json", () => {
  const directory = join(temporaryFolder(), "contest");
  const outcome = holdContest({ ...options, directory });
  if (outcome === "interrupted") throw new Error("interrupted");
  const { results, page, json } = outcome;
  expect(results.map(({ name }) => name)).toEqual(problems);
  const models = results.map(({ entries }) => entries.map(({ model }) => model));
  const whole = MODELS.filter((model) => model !== "stationary" && model !== "noisy-central");
  expect(models[0]).toEqual(whole);
  expect(models[1]).toEqual(whole.filter((model) => model !== "edge-flow"));
  const html = readFileSync(page, "utf8");
  const text = contestText(results, MODELS);
  for (const { name, entries } of results) {
    expect(html).toContain(`id="${name}-sharpness"`);
    for (const { model } of entries)
      for (const place of [html, text]) expect(place).toContain(processEntry(model).label);
  }
  expect(JSON.parse(readFileSync(json, "utf8")).results).toEqual(results);
});

test("what is there is used again; a stopped contest goes on to the same results", () => {
  const directory = join(temporaryFolder(), "contest");
  let calls = 0;
  // That many looks end in the middle of a model of the first problem.
  const stopped = holdContest({ ...options, directory, shouldStop: () => calls++ > 50 });
  expect(stopped).toBe("interrupted");
  const file = join(directory, `${problems[0]}.json`);
  const kept = JSON.parse(readFileSync(file, "utf8")).entries;
  expect(kept.length).toBeGreaterThan(0);
  expect(existsSync(join(directory, "index.html"))).toBe(false);
  const said: string[] = [];
  const outcome = holdContest({ ...options, directory, progress: (line) => said.push(line.trim()) });
  if (outcome === "interrupted") throw new Error("interrupted");
  const first = said.slice(
    0,
    said.findIndex((line) => line.includes(problems[1])),
  );
  expect(first.length).toBeGreaterThan(1);
  for (const { model } of kept) expect(first).not.toContain(model);
  const straight = holdContest({ ...options, directory: join(temporaryFolder(), "straight") });
  if (straight === "interrupted") throw new Error("interrupted");
  expect(outcome.results).toEqual(straight.results);
  const written = statSync(file).mtimeMs;
  const again = holdContest({ ...options, directory });
  expect(again).toEqual(outcome);
  expect(statSync(file).mtimeMs).toBe(written);
  // Another number of steps, or a file that is none, is no result.
  writeFileSync(file, "{");
  const other = holdContest({ ...options, directory, problems: [problems[0]], steps: 5 });
  if (other === "interrupted") throw new Error("interrupted");
  expect(other.results[0].steps).toBe(5);
  rmSync(directory, { recursive: true });
});

test("scores by plain loops: paths, means of the second half, the largest, the onset", () => {
  const problem = PROBLEMS.find(({ name }) => name === "toy-adam");
  if (!problem) throw new Error("the problem is gone");
  const steps = 40;
  const { setup, dispose } = problem.make(never);
  const reference = playOptimizer(setup, steps, never);
  if (!reference) throw new Error("stopped");
  const facts = factsOf(reference);
  const played = playModel(processEntry("two-step"), setup, reference, never);
  if (!played) throw new Error("stopped");
  const score = scoreOf(played, facts);
  let [path, sharpness, variance, measured, loss, own, size] = [0, 0, 0, 0, 0, 0, 0];
  for (let t = 0; t < steps; t++) {
    path += played.distance[t] / steps / facts.moved;
    if (t < steps / 2) continue;
    sharpness += played.sharpness[t] / (steps / 2);
    variance += played.variance[t];
    measured += reference.variance[t];
    loss += reference.loss[t];
    own += played.loss[t];
    size += Math.abs(reference.loss[t]);
  }
  const near = (x: number, y: number): void =>
    expect(Math.abs(x - y)).toBeLessThan(1e-12 * (1 + Math.abs(y)));
  near(score.path, path);
  near(score.sharpness, sharpness);
  near(score.variances, variance / measured - 1);
  near(score.loss, (own - loss) / size);
  expect(score.overshoot).toBe(Math.max(...played.sharpness.subarray(1)));
  const scale = (0.1 * measured) / (steps / 2);
  expect(score.onset).toBe(played.variance.findIndex((value) => value >= scale));
  // A step of the two-step flow: a point to observe, four middles of substeps; one third derivative.
  expect(score.thirds).toBe(1);
  expect(score.gradients).toBeGreaterThanOrEqual(4);
  expect(score.gradients).toBeLessThan(6);
  dispose();
});

test("a model that ends early has no means, and says how far it came", () => {
  const { setup, dispose } = PROBLEMS[0].make(never);
  const reference = playOptimizer(setup, 20, never);
  if (!reference) throw new Error("stopped");
  const entry = processEntry("stable");
  const broken = {
    ...entry,
    create: (...given: Parameters<typeof entry.create>) =>
      entry.create(given[0], { ...given[1], stable: { minSubsteps: 4, maxSharpness: 1e-9 } }),
  };
  const played = playModel(broken, setup, reference, never);
  if (!played) throw new Error("stopped");
  expect(played.steps).toBe(0);
  expect(scoreOf(played, factsOf(reference)).path).toBeNaN();
  dispose();
});

test("there are ten problems and more, with and without momentum, and seven models and more", () => {
  expect(PROBLEMS.length).toBeGreaterThanOrEqual(10);
  expect(MODELS.length).toBeGreaterThanOrEqual(7);
  expect(new Set(PROBLEMS.map(({ name }) => name)).size).toBe(PROBLEMS.length);
  for (const words of ["heavy ball", "Nesterov", "Adam", "gd", "rmsprop", "mlp", "cnn", "minimal example"])
    expect(
      PROBLEMS.some(({ help }) => help.includes(words)),
      words,
    ).toBe(true);
});

test("every problem can be made, and the optimizer steps on it", () => {
  for (const problem of PROBLEMS) {
    const { setup, dispose } = problem.make(never);
    expect(playOptimizer(setup, 2, never)?.midpoints.length, problem.name).toBe(2);
    dispose();
  }
});
