import { expect, test } from "vitest";
import { Objective, sizeOf } from "../../src/autodiff/index.ts";
import { modelNamed, supervisedLoss } from "../../src/models/index.ts";

/** What one evaluation of everything does for one sequence of this length. */
function effort(name: string, length: number): { nodes: number; flops: number; written: number } {
  const model = modelNamed(name, { inputShape: [length], outputDim: 3, vocabulary: 4 });
  const { plan } = new Objective(
    supervisedLoss(model, "ce", {
      inputs: new Float64Array(length),
      shape: [length],
      labels: new Float64Array(length),
      labelShape: [length],
    }),
  );
  const instructions = plan.segments.flat();
  return {
    nodes: plan.graph.nodes.length,
    flops: instructions.reduce((total, { cost }) => total + cost.flops, 0),
    written: instructions.reduce((total, { shape }) => total + sizeOf(shape), 0),
  };
}

/** In a graph that reads an array step by step, adding up full-sized gradients of its slices would be quadratic. */
test.each(["lstm", "mamba"])("%s: work to third order is affine in the sequence's length", (name) => {
  const [a, b, c] = [6, 12, 24].map((length) => effort(name, length));
  for (const quantity of ["nodes", "flops", "written"] as const) {
    const [first, second] = [b[quantity] - a[quantity], c[quantity] - b[quantity]];
    expect(Math.abs(second - 2 * first), quantity).toBeLessThanOrEqual(0.01 * second);
  }
});

test("mamba's graph does not grow with the sequence: its scan is one node", () => {
  expect(effort("mamba", 40).nodes).toBe(effort("mamba", 5).nodes);
});
