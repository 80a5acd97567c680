import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Vitest leaves one core to itself; on two that would halve the speed, and it has little to do.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
