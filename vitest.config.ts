import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** More than fifteen seconds each on one core of two: run by `npm run test:slow`, not by `npm test`. */
const SLOW = [
  "tests/claims/claims-are-measured.test.ts",
  "tests/flows/dynamics/leapfrog-is-second-order.test.ts",
  "tests/flows/processes/noise-gaps-agree.test.ts",
  "tests/flows/rules/critical-value-is-the-stability-edge.test.ts",
  "tests/lab/engine/presets-make-their-point.test.ts",
  "tests/lab/lab-in-a-browser.test.ts",
  "tests/lab/lab-in-firefox.test.ts",
  "tests/lab/links-are-computed-in-node.test.ts",
  "tests/linalg/programs/noise-balances-five-thousand-times.test.ts",
  "tests/packaging/jsr-takes-it.test.ts",
  "tests/packaging/one-digest-on-every-engine.test.ts",
  "tests/packaging/strangers-projects-build.test.ts",
  "tests/packaging/tarball-works-when-installed.test.ts",
  "tests/run/default-run-shows-the-flow.test.ts",
  "tests/run/killed-runs-resume.test.ts",
  "tests/run/long-runs-are-archived.test.ts",
  "tests/sweep/killed-sweeps-finish.test.ts",
  "tests/studies/studies-are-carried-out.test.ts",
  "tests/verify/whole-fixtures-agree.test.ts",
];

/** Needs Slurm and its clocks, minutes of waiting: run by `npm run test:slurm` alone. */
const ON_SLURM = ["tests/sweep/slurm-arrays-finish.test.ts"];

/** Needs the site that `npm run site` builds: run by `npm run test:site` alone. */
const ON_SITE = ["tests/packaging/site-is-whole.test.ts"];

/** The modes `fast` and `slow` are parts; any other, as in `npx vitest run FILE`, is everything. */
export default defineConfig(({ mode }) => ({
  test: {
    include: mode === "slow" ? SLOW : ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...(mode === "fast" ? [...SLOW, ...ON_SLURM, ...ON_SITE] : [])],
    setupFiles: ["tests/support/seed.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Vitest leaves one core to itself; on two that would halve the speed, and it has little to do.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
}));
