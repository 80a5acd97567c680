import { expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { CentralProcess, gradientDescent } from "../../../src/flows/index.ts";
import { edgeExample, setupAt, takeSteps } from "../problems.ts";

const ETA = 0.3;
const ZETA = 1;
const PARTS = 20;

/** 2/η less the mean sharpness of gradient descent with noise on the minimal example, and its standard error. */
function simulated(epsilon: number, alongX: number, alongY: number, steps: number): [number, number] {
  const random = new Random(7, `gap ${epsilon} ${alongY}`);
  let [x, y] = [0, 2 / ETA];
  const gaps: number[] = [];
  for (let part = -1; part < PARTS; part++) {
    let total = 0;
    for (let t = 0; t < steps / PARTS; t++) {
      total += y + 3 * ZETA * x;
      const gx = (y + 1.5 * ZETA * x) * x - epsilon + alongX * random.normal();
      y -= ETA * (0.5 * x * x - epsilon + (alongY > 0 ? alongY * random.normal() : 0));
      x -= ETA * gx;
    }
    if (part >= 0) gaps.push(2 / ETA - (total * PARTS) / steps);
  }
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / PARTS;
  const square = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0);
  return [mean, Math.sqrt(square / (PARTS * (PARTS - 1)))];
}

/** The same of the flow at rest; it starts where the law without fluctuation says. */
function ofFlow(epsilon: number, alongX: number, alongY: number): number {
  const law = (ETA ** 2 * (alongX ** 2 + 2 * alongY ** 2)) / (2 * epsilon);
  const start = 2 / ETA - (1 - Math.sqrt(1 - law)) / ETA;
  const process = new CentralProcess(
    setupAt(edgeExample(ZETA, epsilon), gradientDescent({ lr: ETA }), [0, start]),
    { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
    "noisy-central",
    {
      variance: Float64Array.of(alongX ** 2, alongY ** 2),
      terms: ["gradient", "sharpness", "fluctuation"],
      form: "full",
    },
  );
  // It comes to rest over Y/(η²ε) steps, 200 to 2000 here.
  takeSteps(process, Math.max(600, Math.ceil((3 * (2 / ETA - start)) / (ETA * epsilon))));
  expect(process.status.kind).toBe("running");
  const [x, y] = process.observation?.weights ?? [];
  return 2 / ETA - y - 3 * ZETA * x;
}

for (const [epsilon, alongX, alongY] of [
  [0.002, 0.05, 0],
  [0.01, 0.1, 0],
  [2e-4, 0.0158, 0.005],
  [0.002, 0.05, 0.05],
])
  test(`the mean sharpness of noisy gradient descent is the flow's within 5 % of the gap: ε = ${epsilon}, σ = ${alongX}, ${alongY}`, () => {
    const [gap, error] = simulated(epsilon, alongX, alongY, 2e7);
    // Then two errors and the difference are no more than 5 % together.
    expect(error / gap).toBeLessThan(0.01);
    const flow = ofFlow(epsilon, alongX, alongY);
    expect(Math.abs(flow - gap) + 2 * error, `${flow}, simulated ${gap} ± ${error}`).toBeLessThan(0.05 * gap);
  }, 600_000);
