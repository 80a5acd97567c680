import { expect, test } from "vitest";
import { profileText } from "../../../src/cli/terminal/profile-text.ts";

test("the last line of the table is the sum of the others, and a stage without time has no rate", () => {
  const stage = (name: "value" | "gradient", scale: number) => ({
    stage: name,
    runs: 2 * scale,
    products: 6 * scale,
    flops: 1.5e9 * scale,
    bytes: 1e9 * scale,
    seconds: scale - 1,
    secondsByThread: [scale - 1, 0],
  });
  const text = profileText({
    threads: 2,
    chunks: 1,
    preparation: { trace: 0.25, plan: 0.5, compile: 0.125 },
    stages: [stage("value", 1), stage("gradient", 3)],
  });
  const cells = text.split("\n").map((line) => line.trim().split(/ {2,}/));
  expect(cells[1]).toEqual(["value", "2", "6", "1.500", "1.000", "0.000", "–"]);
  expect(cells[2]).toEqual(["gradient", "6", "18", "4.500", "3.000", "2.000", "2.3"]);
  expect(cells[3]).toEqual(["all", "8", "24", "6.000", "4.000", "2.000", "3.0"]);
  expect(text.split("\n")[4]).toBe("threads 2; seconds to trace 0.250, plan 0.500, compile 0.125");
});
