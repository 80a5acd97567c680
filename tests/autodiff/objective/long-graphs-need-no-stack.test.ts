import { expect, test } from "vitest";
import { add, multiply, Objective, sin } from "../../../src/autodiff/index.ts";
import { EPS } from "../../../src/base/index.ts";
import { wasm } from "../backends/bits.ts";

const LINKS = 20_000;
const STEP = 1 / LINKS;

/** x ← x + h·sin x, `LINKS` times from w, with its first three derivatives in w: the chain rule, a link at a time. */
function plainChain(w: number): readonly number[] {
  let [x, x1, x2, x3] = [w, 1, 0, 0];
  for (let link = 0; link < LINKS; link++) {
    const [s, c] = [Math.sin(x), Math.cos(x)];
    x3 += STEP * (c * x3 - 3 * s * x1 * x2 - c * x1 ** 3);
    x2 += STEP * (c * x2 - s * x1 ** 2);
    x1 += STEP * c * x1;
    x += STEP * s;
  }
  return [x, x1, x2, x3];
}

test("a chain of 20,000 links has its derivatives to the third", () => {
  const objective = new Objective(
    {
      parameters: { w: [] },
      loss: ({ w }) => {
        let x = w;
        for (let link = 0; link < LINKS; link++) x = add(x, multiply(sin(x), STEP));
        return x;
      },
    },
    { backend: wasm },
  );
  const [product, third] = [new Float64Array(1), new Float64Array(1)];
  objective.setWeights(Float64Array.of(0.7));
  objective.joint(Float64Array.of(1), 1, product, third);
  const found = [objective.loss(), objective.gradient()[0], product[0], third[0]];
  // Every link rounds once or twice.
  plainChain(0.7).forEach((expected, order) => {
    expect(Math.abs(found[order] / expected - 1), `order ${order}`).toBeLessThan(LINKS * EPS);
  });
});
