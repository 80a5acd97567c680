import { expect, test } from "vitest";
import { Objective, sin } from "../../../src/autodiff/index.ts";
import { EPS } from "../../../src/base/index.ts";

const LINKS = 20_000;

/** sin(sin(…sin w)), `LINKS` times, with its first three derivatives in w: the chain rule, a link at a time. */
function plainChain(w: number): readonly number[] {
  let [x, x1, x2, x3] = [w, 1, 0, 0];
  for (let link = 0; link < LINKS; link++) {
    const [s, c] = [Math.sin(x), Math.cos(x)];
    x3 = c * x3 - 3 * s * x1 * x2 - c * x1 ** 3;
    x2 = c * x2 - s * x1 ** 2;
    x1 = c * x1;
    x = s;
  }
  return [x, x1, x2, x3];
}

// Half a million nodes: some ten seconds on a machine that does nothing else.
test("a chain of 20,000 links has its derivatives to the third", () => {
  const objective = new Objective({
    parameters: { w: [] },
    loss: ({ w }) => {
      let x = w;
      for (let link = 0; link < LINKS; link++) x = sin(x);
      return x;
    },
  });
  const [product, third] = [new Float64Array(1), new Float64Array(1)];
  objective.setWeights(Float64Array.of(0.7));
  objective.joint(Float64Array.of(1), 1, product, third);
  const found = [objective.loss(), objective.gradient()[0], product[0], third[0]];
  // Every link rounds once or twice in each of them.
  plainChain(0.7).forEach((expected, order) => {
    expect(Math.abs(found[order] / expected - 1), `order ${order}`).toBeLessThan(2 * LINKS * EPS);
  });
}, 600_000);
