import { expect, test } from "vitest";
import {
  type ExampleLoss,
  matmul,
  multiply,
  Objective,
  reshape,
  square,
  subtract,
  sum,
  tanh,
} from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import {
  CentralProcess,
  gradientDescent,
  heavyBall,
  MiniBatches,
  type NoiseSource,
  type ProcessSetup,
  processEntry,
  rmsProp,
  scalarRmsProp,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import { distance, edgeExample, setupAt, takeSteps, twoEigenvalues, weightsOf } from "../problems.ts";

const CENTRAL = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
const noisy = (setup: ProcessSetup, source: Partial<NoiseSource>): CentralProcess =>
  new CentralProcess(setup, CENTRAL, "noisy-central", {
    variance: 0,
    terms: ["gradient", "sharpness"],
    form: "full",
    ...source,
  });
const ETA = 0.3;

// In docs/derivations.md, section 17: γ(2 − ηγ) = η(βσ² + 2s²)/(2α) with α = ε, β = 1, and without −ηγ in the Lyapunov form.
const law = (epsilon: number, x: number, y: number): number => (ETA * (x ** 2 + 2 * y ** 2)) / (2 * epsilon);

/** The distance of the toy's sharpness from 2/η at rest, with variances of the gradient in x and in y; it starts a little beside rest. */
function gap(epsilon: number, x: number, y: number, source: Partial<NoiseSource> = {}): number {
  const start = 2 / ETA - 0.52 * law(epsilon, x, y);
  const process = noisy(setupAt(edgeExample(1, epsilon), gradientDescent({ lr: ETA }), [0, start]), {
    variance: Float64Array.of(x ** 2, y ** 2),
    ...source,
  });
  takeSteps(process, 120);
  expect(process.status.kind).toBe("running");
  const [top = Number.NaN] = process.observation?.pairs?.values ?? [];
  return (2 - top) / ETA;
}

test("noise along the sharp direction holds the sharpness below the edge, as the law says", () => {
  for (const [epsilon, x] of [
    [0.01, 0.05],
    [0.01, 0.1],
  ]) {
    const full = gap(epsilon, x, 0);
    expect(full * (2 - ETA * full)).toBeCloseTo(law(epsilon, x, 0), 3);
    expect(2 * gap(epsilon, x, 0, { form: "lyapunov" })).toBeCloseTo(law(epsilon, x, 0), 3);
  }
});

test("isotropic noise makes three times the gap of that along the sharp direction, by the sharpness that it shakes", () => {
  const whole = gap(0.01, 0.03, 0.03, { form: "lyapunov" });
  const without = gap(0.01, 0.03, 0.03, { form: "lyapunov", terms: ["gradient"] });
  expect(whole / without).toBeGreaterThan(2.97);
  expect(whole / without).toBeLessThan(3.03);
});

test("as noise vanishes the flow is the central flow", () => {
  const problems: readonly (() => ProcessSetup)[] = [
    () => setupAt(edgeExample(1, 0.02), gradientDescent({ lr: ETA }), [0.05, 6.6]),
    () =>
      setupAt(
        twoEigenvalues(0.01),
        rmsProp({ lr: 0.05, beta2: 0.9, eps: 1e-3 }),
        [0.02, 0.05, 1.2, 1.1, 0.1],
      ),
  ];
  for (const problem of problems) {
    // The same pairs are held.
    const plain = new CentralProcess(problem(), { ...CENTRAL, criticalThreshold: 1 });
    const start = plain.snapshot().w;
    takeSteps(plain, 30);
    const moved = distance(weightsOf(plain), start);
    const away = [1e-4, 1e-6, 0].map((variance) => {
      const flow = noisy(problem(), { variance });
      takeSteps(flow, 30);
      return distance(weightsOf(flow), weightsOf(plain)) / moved;
    });
    expect(away[1]).toBeLessThan(away[0]);
    expect(away[2]).toBeLessThan(1e-6);
  }
});

test("at the minimum of a flat bowl ν rests at the variance of the gradient, as g⊙g does on average", () => {
  const bowl = () =>
    new Objective({
      parameters: { w: [3] },
      loss: ({ w }) => multiply(sum(square(w)), 0.5e-3),
    });
  const variance = Float64Array.of(1, 4, 9);
  const restOf = (rule: UpdateRule): Float64Array => {
    const process = noisy(setupAt(bowl(), rule, [0, 0, 0]), { variance });
    takeSteps(process, 60);
    return process.snapshot().state.slice(1);
  };
  const each = restOf(rmsProp({ lr: 1e-3, beta2: 0.8, eps: 1e-8 }));
  each.forEach((nu, l) => {
    expect(nu / variance[l]).toBeCloseTo(1, 4);
  });
  expect(restOf(scalarRmsProp({ lr: 1e-3, beta2: 0.8 }))[0] / 14).toBeCloseTo(1, 4);
});

const N = 24;
const normals = (size: number, stream: string): Float64Array =>
  new Random(5, stream).fillNormal(new Float64Array(size));
const network: ExampleLoss = {
  parameters: { a: [2, 4], b: [4, 1] },
  examples: { x: { data: normals(2 * N, "x"), shape: [2] }, y: { data: normals(N, "y"), shape: [] } },
  outputs: ({ a, b }, { x }) => matmul(tanh(matmul(x, a)), b),
  criterion: (f, { y }) => multiply(square(subtract(reshape(f, y.shape), y)), 0.1),
};

test("measured noise goes on from a snapshot to the same bits, and says what holds", () => {
  const setup = (): ProcessSetup => {
    const batches = new MiniBatches(new Objective(network, { batch: 4 }), {
      examples: N,
      replacement: true,
      seed: 1,
    });
    const start = setupAt(new Objective(network), gradientDescent({ lr: 8 }), Array.from(normals(12, "w")));
    return { ...start, batches };
  };
  const make = () => noisy(setup(), { variance: "measured", terms: ["gradient", "sharpness", "hessian"] });
  const process = make();
  const snapshots: Record<string, Float64Array>[] = [];
  let held = 0;
  for (let step = 0; step < 12; step++) {
    snapshots.push(structuredClone(process.snapshot()));
    takeSteps(process, 1);
    const { critical = 0, substep } = process.observation ?? {};
    held = Math.max(held, critical);
    if (!substep) continue;
    expect(substep.violation).toBeLessThan(1e-9);
    expect(substep.noise?.along.length).toBe(critical ** 2);
  }
  expect(process.status.kind).toBe("running");
  expect(held).toBeGreaterThan(0);
  const resumed = make();
  resumed.restore(snapshots[5]);
  takeSteps(resumed, 12 - 5);
  expect(resumed.snapshot()).toEqual(process.snapshot());
});

test("a rule with momentum is refused", () => {
  const { rule } = setupAt(edgeExample(1, 0.02), heavyBall({ lr: 0.1, beta1: 0.9 }), [0.2, 2]);
  expect(() => processEntry("noisy-central").check(rule)).toThrow(/without momentum/);
});
