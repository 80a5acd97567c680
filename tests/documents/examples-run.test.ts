import { describe, expect, test } from "vitest";

describe("examples", () => {
  test("quadratic: both processes meet their closed forms", async () => {
    const { discreteDeviation, flowDeviation } = await import("../../examples/quadratic.ts");
    expect(discreteDeviation).toBeLessThan(1e-13);
    // Euler's error is first order: about t·(ηλ)²/(2·substeps) of the weights.
    expect(flowDeviation).toBeLessThan((20 * 0.4 ** 2 * 3) / (2 * 400));
  });

  test("own loss: each derivative meets differences of the one below", async () => {
    const { hvpError, thirdError } = await import("../../examples/own-loss.ts");
    expect(hvpError).toBeLessThan(1e-5);
    expect(thirdError).toBeLessThan(1e-5);
  });

  test("own optimizer: it and its flow settle at the edge", async () => {
    const { flowSharpness, optimizerSharpness, status } = await import("../../examples/own-optimizer.ts");
    expect(status).toBe("running");
    expect(Math.abs(flowSharpness - 2)).toBeLessThan(1e-3);
    expect(Math.abs(optimizerSharpness - 2)).toBeLessThan(0.02);
  });
});
