import { expect, test } from "vitest";
import { noiseEquation } from "../../../src/linalg/index.ts";
import { noisy, violations } from "./noise-cases.ts";

/** Of each form, drawn apart, with k ≤ 10 and noise of 1e-2 to 1e-8. */
const PROBLEMS = 2500;
const LIMIT = 1e-10;

test.each([
  ["lyapunov", 1000],
  ["full", 1000 + PROBLEMS],
] as const)(
  "%s form: 2,500 random problems of noise are balanced",
  (form, from) => {
    const families = ["random", "negative A", "degenerate"];
    const worst: Record<string, number> = {};
    const methods: Record<string, number> = {};
    const least = [Number.POSITIVE_INFINITY, 0];
    for (let seed = 0; seed < PROBLEMS; seed++) {
      const family = families[seed % families.length];
      const given = noisy(from + seed, 10, family);
      const { value, status, stats } = noiseEquation(given.k, given.a, given.b, given.noise, { form });
      expect(status, `${family}, k = ${given.k}, seed ${seed}`).toBe("solved");
      methods[stats.method] = (methods[stats.method] ?? 0) + 1;
      // Below, N counts as 0 and X, Y are the complementarity problem's.
      if (stats.method === "complementarity") continue;
      for (const [name, amount] of Object.entries(violations(given, value.X, form === "full")))
        worst[name] = Math.max(worst[name] ?? Number.NEGATIVE_INFINITY, amount);
      least[0] = Math.min(least[0], stats.spectrum[0]);
      least[1] = Math.max(least[1], stats.spectrum[1]);
    }
    console.log(
      `${form}: by ${JSON.stringify(methods)}; worst ${JSON.stringify(worst)}; Y from ${least[0]} to ${least[1]}`,
    );
    expect(methods.Newton + (methods.continuation ?? 0)).toBeGreaterThan(PROBLEMS / 2);
    expect(worst.equation).toBeLessThanOrEqual(LIMIT);
    expect(worst["X ⪰ 0"]).toBeLessThanOrEqual(LIMIT);
    expect(worst["Y ⪰ 0"]).toBeLessThanOrEqual(LIMIT);
    expect(worst["Y ≺ 2"]).toBeLessThan(0);
  },
  600_000,
);
