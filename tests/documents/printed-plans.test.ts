import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
  multiply,
  Objective,
  printGraph,
  printPlan,
  square,
  subtract,
  sum,
} from "../../src/autodiff/index.ts";

test("the graph and the plan in docs/library.md are those that are printed", () => {
  const text = readFileSync(fileURLToPath(new URL("../../docs/library.md", import.meta.url)), "utf8");
  const shown = [...text.matchAll(/```text\n([\s\S]*?)\n```/g)].map(([, block]) => block);
  const objective = new Objective({
    parameters: { w: [3] },
    loss: ({ w }) => multiply(sum(square(subtract(square(w), 1))), 0.5),
  });
  expect(shown).toEqual([printGraph(objective.graph.graph).trimEnd(), printPlan(objective.plan).trimEnd()]);
});
