import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { multiply, square, sum } from "../../src/autodiff/index.ts";
import { InputKindError, InputValueError } from "../../src/base/index.ts";
import { centralFlow, gradientDescent } from "../../src/flows/index.ts";
import { rowsOf, serve } from "../../src/worker/index.ts";
import { bundle } from "../../tools/bundle.mjs";
import { ROOT } from "../support/build.ts";
import type { Question, work } from "./counting.ts";

let folder: string;
let file: string;
let worker: Worker;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "worker-"));
  file = join(folder, "counting.mjs");
  const { code } = await bundle(join(ROOT, "tests", "worker", "counting.ts"));
  writeFileSync(file, code);
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  worker = new Worker(file);
});
afterEach(() => worker.terminate());

const ask = (question: Question, signal?: AbortSignal) =>
  rowsOf<typeof work>(worker, question, { ...(signal && { signal }) });

async function all(question: Question): Promise<{ readonly index: number; readonly made: number }[]> {
  const rows = [];
  for await (const row of ask(question)) rows.push(row);
  return rows;
}

test("every row comes, in order, once, and the worker answers again", async () => {
  const rows = await all({ count: 3000 });
  expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  expect(rows.map(({ made }) => made)).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
  expect((await all({ count: 2 })).map(({ made }) => made)).toEqual([3001, 3002]);
  expect(await all({ count: 0 })).toEqual([]);
});

test("a flow has the same bits there", async () => {
  const here = centralFlow({
    parameters: { w: [2] },
    loss: ({ w }) => multiply(sum(square(w)), 0.5),
    weights: [1, 2],
    optimizer: gradientDescent({ lr: 0.3 }),
  });
  const losses = [...here.steps(5)].map(({ central }) => central.loss);
  expect((await all({ lr: 0.3 })).map(({ made }) => made)).toEqual(losses);
});

test("rows with pauses between them come too", async () => {
  expect((await all({ count: 3, pause: 5 })).map(({ index }) => index)).toEqual([0, 1, 2]);
});

test("the worker gets ahead of a slow page by a bounded number of rows", async () => {
  let seen = 0;
  for await (const { index } of ask({ count: 5000 })) {
    seen = index;
    if (index === 10) await new Promise((resolve) => setTimeout(resolve, 300));
    if (index === 20) break;
  }
  expect(seen).toBe(20);
  const [{ made }] = await all({ count: 1 });
  expect(made).toBeLessThan(1000);
});

test.each([
  ["value", InputValueError, "InputValueError"],
  ["kind", InputKindError, "InputKindError"],
  ["plain", Error, "SyntaxError"],
] as const)(
  "an error of kind %s comes after the rows before it, with class, name and message",
  async (fails, of, name) => {
    const rows: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const { index } of ask({ count: 3, fails })) rows.push(index);
    };
    const error = await loop().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(of);
    expect(error).toMatchObject({ name, message: expect.stringMatching(/lr: expected|odd/) });
    expect(rows).toEqual([0, 1, 2]);
  },
);

test("what the flow refuses in the worker is refused in the page", async () => {
  await expect(all({ lr: -1 })).rejects.toThrow(/expected/);
});

test("an abort ends the loop at once with its reason, and the run behind it", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let rows = 0;
  const loop = async (): Promise<void> => {
    for await (const _ of ask({ count: 10_000, pause: 2 }, controller.signal))
      if (++rows === 2) controller.abort(reason);
  };
  await expect(loop()).rejects.toBe(reason);
  expect(rows).toBeLessThan(10_000);
  expect((await all({ count: 1 })).length).toBe(1);
  await expect(ask({ count: 1 }, AbortSignal.abort(reason)).next()).rejects.toBe(reason);
});

test("the next question to a worker ends the loop over the one before", async () => {
  const first = ask({ count: 10_000, pause: 2 });
  await first.next();
  expect((await all({ count: 4 })).length).toBe(4);
  let left = 0;
  for await (const _ of first) left++;
  expect(left).toBeLessThan(9_999);
});

test("a worker that ends, or cannot be loaded, ends the loop with an error", async () => {
  const loop = all({ count: 10_000, pause: 2 });
  setTimeout(() => worker.terminate(), 100);
  await expect(loop).rejects.toThrow(/rowsOf: the worker has ended before its last row/);
  worker = new Worker(join(folder, "absent.mjs"));
  await expect(all({ count: 1 })).rejects.toThrow(/absent\.mjs/);
});

test("serve in the page, and rows of no worker, are refused in words", async () => {
  expect(() => serve(() => [])).toThrow(/serve: expected to be called in a worker.*new Worker/);
  await expect(rowsOf<typeof work>("work" as never, {}).next()).rejects.toThrow(/rowsOf: expected a worker/);
});
