import { expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { largestMargin } from "../../../src/linalg/index.ts";

const degrees = ([x, y]: Float64Array): number => (Math.atan2(y, x) * 180) / Math.PI;

test("two unit points: the bisector, 15.75°, with the cosine of half their angle as margin", () => {
  const [a, b] = [Math.PI / 8, Math.PI / 20];
  const points = Float64Array.of(Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b));
  const { value, status } = largestMargin(points, 2);
  expect(status).toBe("solved");
  expect(degrees(value.direction)).toBeCloseTo(15.75, 10);
  expect(value.margin).toBeCloseTo(Math.cos((a - b) / 2), 12);
  // With h₂/h₁ = 3.637 the point at 9° alone is on the margin: w ∝ h⊙x.
  const adaptive = largestMargin(points, 2, Float64Array.of(1, 3.637));
  expect(degrees(adaptive.value.direction)).toBeCloseTo(29.94, 2);
  expect(adaptive.value.multipliers[0]).toBe(0);
});

test("random points: margin and multipliers prove each other, in any metric", () => {
  const random = new Random(5, "margin");
  for (let trial = 0; trial < 40; trial++) {
    const [n, count] = [1 + random.integer(6), 1 + random.integer(12)];
    const direction = random.fillNormal(new Float64Array(n));
    const points = random.fillNormal(new Float64Array(n * count));
    for (let k = 0; k < count; k++) {
      const row = points.subarray(k * n, (k + 1) * n);
      const side = row.reduce((total, x, i) => total + x * direction[i], 0);
      if (side < 0) for (let i = 0; i < n; i++) row[i] = -row[i];
    }
    const h = Float64Array.from({ length: n }, () => Math.exp(random.normal()));
    const { value, status } = largestMargin(points, count, h);
    expect(status, `trial ${trial}`).toBe("solved");
    const scale = Math.sqrt(value.direction.reduce((total, w, i) => total + (w * w) / h[i], 0));
    const margins = Array.from({ length: count }, (_, k) =>
      value.direction.reduce((total, w, i) => total + (w / scale) * points[k * n + i], 0),
    );
    expect(Math.abs(Math.min(...margins) / value.margin - 1), `trial ${trial}`).toBeLessThan(1e-9);
    // Weak duality: no unit w has a larger margin than ‖Σ λ_k x_k‖ in the dual metric over Σ λ_k.
    const sum = Float64Array.from({ length: n }, (_, i) =>
      value.multipliers.reduce((total, l, k) => total + l * points[k * n + i], 0),
    );
    const total = value.multipliers.reduce((a, b) => a + b);
    const bound = Math.sqrt(sum.reduce((t, x, i) => t + h[i] * x * x, 0)) / total;
    expect(Math.abs(bound / value.margin - 1), `trial ${trial}`).toBeLessThan(1e-9);
  }
});

test("points that no w separates are told so, with the proof", () => {
  const { status, value } = largestMargin(Float64Array.of(1, 0, -1, 0), 2);
  expect(status).toBe("infeasible");
  expect(value.margin).toBeNaN();
  expect(value.multipliers[0]).toBeGreaterThan(0);
  expect(() => largestMargin(Float64Array.of(1, 2, 3), 2)).toThrow(/one length/);
  expect(() => largestMargin(Float64Array.of(1, 2), 1, Float64Array.of(1, 0))).toThrow(/above 0/);
});
