import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import { advice, noiseEquation, sdcp, svecLength } from "../../../src/linalg/index.ts";
import { followPath, newton } from "../../../src/linalg/programs/noise/equation.ts";
import { frobenius, gram, powerOfTen } from "../cases.ts";
import { noisy, violations } from "./noise-cases.ts";

const LIMIT = 1e-10;

const scalar = (a: number, b: number, noise: number, form: "lyapunov" | "full") =>
  noiseEquation(1, Float64Array.of(a), Float64Array.of(b), Float64Array.of(noise), { form });

describe("noiseEquation", () => {
  for (const form of ["lyapunov", "full"] as const)
    it(`balances noise of 1e-2 to 1e-8, ${form} form`, () => {
      for (const family of ["random", "negative A", "degenerate"])
        for (let seed = 0; seed < 40; seed++) {
          const given = noisy(seed, 10, family);
          const { value, status, stats } = noiseEquation(given.k, given.a, given.b, given.noise, { form });
          const label = `${family}, k = ${given.k}, seed ${seed}: ${JSON.stringify(stats)}`;
          expect(status, label).toBe("solved");
          if (stats.noise <= 1e-9) continue;
          const { equation, ...others } = violations(given, value.X, form === "full");
          expect(equation, label).toBeLessThanOrEqual(LIMIT);
          for (const [name, amount] of Object.entries(others))
            expect(amount, `${label}: ${name}`).toBeLessThanOrEqual(LIMIT);
        }
    });

  it("has the roots of its polynomial for k = 1, on the branch of small Y", () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = new Random(seed, "scalar noise");
      const [a, b, noise] = [0.1 * random.normal(), powerOfTen(random, 3), 10 ** (-2 - 4 * random.uniform())];
      const root = Math.sqrt(a * a + 2 * b * noise);
      const y = a > 0 ? (a + root) / 2 : (b * noise) / (root - a);
      const { value, status } = scalar(a, b, noise, "lyapunov");
      expect(status === "unstable").toBe(y >= 2);
      expect(Math.abs(value.Y[0] / y - 1), `seed ${seed}`).toBeLessThanOrEqual(
        1e-9 * Math.max(1, Math.abs(a) / y),
      );
    }
    // y(2 − y)(y + 0.1) = 0.01 has the roots 0.0371 and 1.9976.
    const { value, status } = scalar(-0.1, 1, 0.01, "full");
    expect(status).toBe("solved");
    expect(Math.abs(value.Y[0] - 0.0371)).toBeLessThanOrEqual(5e-5);
    // y²(2 − y) has its largest value 32/27 at y = 4/3: just below there are two roots, above none.
    expect(scalar(0, 1, (32 / 27) * (1 - 1e-4), "full").status).toBe("solved");
    const beyond = scalar(0, 1, (32 / 27) * 1.001, "full");
    expect(beyond.status).toBe("unstable");
    expect(advice.unstable).toMatch(/\(0, 2\)/);
  });

  it("balances noise that the oscillation multiplies: for k = 1 it moves the edge", () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random(seed, "multiplied noise");
      const [a, b, noise, v] = [
        -0.1 * random.uniform(),
        1,
        10 ** (-3 - 3 * random.uniform()),
        random.uniform(),
      ];
      // 2xy − vx = n with y = a + bx: x(2bx + 2a − v) = n.
      const half = v - 2 * a;
      const x = (half + Math.sqrt(half * half + 8 * b * noise)) / (4 * b);
      const { value, status } = noiseEquation(
        1,
        Float64Array.of(a),
        Float64Array.of(b),
        Float64Array.of(noise),
        { multiplicative: Float64Array.of(v) },
      );
      expect(status).toBe("solved");
      expect(Math.abs(value.X[0] / x - 1)).toBeLessThanOrEqual(1e-9);
    }
  });

  it("has one solution in the Lyapunov form, whatever the start", () => {
    for (let seed = 0; seed < 40; seed++) {
      const given = noisy(seed, 6, seed % 2 ? "random" : "degenerate");
      const { k } = given;
      const expected = noiseEquation(k, given.a, given.b, given.noise).value.X;
      const random = new Random(seed, "starts");
      for (let start = 0; start < 3; start++) {
        const scale = powerOfTen(random, 2);
        const initial = gram(random, k, k + 1).map((entry) => entry * scale);
        const guessed = noiseEquation(k, given.a, given.b, given.noise, { initial });
        const label = `k = ${k}, seed ${seed}, start ${start}`;
        expect(guessed.status, label).toBe("solved");
        const distance = frobenius(guessed.value.X.map((entry, at) => entry - expected[at]));
        expect(distance, label).toBeLessThanOrEqual(1e-6 * frobenius(expected));
        // Continuation from an interior point: commuting, so that X₀Y₀ + Y₀X₀ is positive definite.
        const identity = new Float64Array(k * k).map((_, at) =>
          at % (k + 1) === 0 ? 1 + random.uniform() : 0,
        );
        const path = followPath(given, identity, identity.slice());
        const polished = newton(given, path.x, 0);
        const away = frobenius(polished.x.map((entry, at) => entry - expected[at]));
        expect(away, label).toBeLessThanOrEqual(1e-6 * frobenius(expected));
      }
    }
  });

  it("tends to the complementarity problem's solution, linearly where that is strictly complementary", () => {
    for (let seed = 0; seed < 20; seed++) {
      const given = noisy(seed, 5, "negative A");
      const { k } = given;
      const X = sdcp(k, given.a, given.b).value.X;
      const size = frobenius(given.noise);
      const distances = [1e-5, 1e-6, 1e-7].map((level) => {
        const noise = given.noise.map((entry) => (entry / size) * level * frobenius(given.a) * frobenius(X));
        const found = noiseEquation(k, given.a, given.b, noise);
        expect(found.status).toBe("solved");
        return frobenius(found.value.X.map((entry, at) => entry - X[at])) / frobenius(X);
      });
      expect(distances[2], `seed ${seed}: ${distances}`).toBeLessThanOrEqual(0.2 * distances[1]);
      const none = noiseEquation(k, given.a, given.b, new Float64Array(k * k));
      expect(Array.from(none.value.X)).toEqual(Array.from(X));
      const small = given.noise.map((entry) => (entry / size) * 1e-10 * frobenius(given.a) * frobenius(X));
      expect(noiseEquation(k, given.a, given.b, small).stats.method).toBe("complementarity");
    }
  });

  it("covariances fall, in the mean, where Y rises: ⟨X₁ − X₂, Y₁ − Y₂⟩ ≤ 0 for one noise", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed, "antitone");
      const k = 1 + random.integer(6);
      const noise = gram(random, k, k + 1);
      // B = 0: Y is given, X the solution of the Lyapunov equation.
      const zero = new Float64Array(svecLength(k) ** 2);
      const [first, second] = [0, 1].map(() => {
        const Y = gram(random, k, k + 1).map((entry, at) => 0.01 * entry + (at % (k + 1) === 0 ? 1e-3 : 0));
        return { Y, X: noiseEquation(k, Y, zero, noise).value.X };
      });
      const inner = first.X.reduce(
        (sum, entry, at) => sum + (entry - second.X[at]) * (first.Y[at] - second.Y[at]),
        0,
      );
      const size = (frobenius(first.X) + frobenius(second.X)) * (frobenius(first.Y) + frobenius(second.Y));
      expect(inner / size, `k = ${k}, seed ${seed}`).toBeLessThanOrEqual(k * EPS);
    }
  });

  it("gives singular noise and infeasible problems a status", () => {
    for (let seed = 0; seed < 30; seed++) {
      const given = noisy(seed, 5, "negative A");
      const { k } = given;
      const random = new Random(seed, "singular noise");
      const noise = gram(random, k, Math.max(1, k - 1)).map((entry) => (entry * frobenius(given.noise)) / k);
      const { value, status, stats } = noiseEquation(k, given.a, given.b, noise);
      const label = `k = ${k}, seed ${seed}: ${JSON.stringify(stats)}`;
      expect(["solved", "singular-noise"], label).toContain(status);
      const found = violations({ ...given, noise }, value.X, false);
      expect(found["X ⪰ 0"], label).toBeLessThanOrEqual(LIMIT);
      expect(found["Y ⪰ 0"], label).toBeLessThanOrEqual(LIMIT);
      // B = 0 holds nothing back.
      const free = noiseEquation(k, given.a, new Float64Array(given.b.length), given.noise);
      expect(free.status, label).toBe("unsolvable");
      expect(free.value.direction).toBeDefined();
    }
    // Y = 0 cannot balance any noise, though X = 0 solves the problem without noise.
    expect(scalar(0, 0, 1e-3, "lyapunov").status).toBe("unsolvable");
    expect(scalar(3, 1, 1e-3, "lyapunov").status).toBe("unstable");
  });

  it("reports NaN, refuses wrong lengths and what is not a covariance", () => {
    expect(scalar(Number.NaN, 1, 1, "full").status).toBe("not-finite");
    expect(() => scalar(1, 1, -1, "full")).toThrow(/N ⪰ 0/);
    const one = Float64Array.of(1);
    expect(() => noiseEquation(2, one, one, one)).toThrow(/A of 2×2/);
    expect(noiseEquation(0, new Float64Array(0), new Float64Array(0), new Float64Array(0)).status).toBe(
      "solved",
    );
  });
});
