import { expect, test } from "vitest";
import { edgeSummary, headline, summaryTable } from "../../src/report/index.ts";
import type { Quantity, StepRow } from "../../src/simulation/index.ts";

const vector = (...data: number[]): Quantity => ({ shape: [data.length], data: Float64Array.from(data) });

/** A row with these eigenvalues of the central flow and distances of central and stable flow from the optimizer. */
const row = (index: number, eigenvalues: number[], central: number, stable: number): StepRow => ({
  index,
  step: 10 + index,
  quantities: {
    "central/effective_hessian_eigs": vector(...eigenvalues),
    "distances/central-discrete": central,
    "distances/discrete-stable": stable,
  },
});

const rows = [
  row(0, [1.5, 1], 9, 1),
  row(1, [1.979, 1], 9, 1),
  row(2, [1.99, 1], 3, 1),
  row(3, [2, 1.985], 2, 1),
  row(4, [2, 2], 1, 1),
  row(5, [2, 1], 1, 4),
  row(6, [2, 1], 2, 1),
  row(7, [2, 1], 1, 2),
];

test("all rows within a hundredth of the edge count, nearer is a share of them, the ratio their median", () => {
  expect(edgeSummary(rows, 2)).toEqual({
    rows: [2, 3, 4, 5, 6, 7],
    most: 2,
    several: 2,
    nearer: 3 / 6,
    // 3, 2, 1, 1/4, 2, 1/2
    ratio: 1.5,
    from: "discrete",
    delay: [2, 3],
  });
});

test("the critical value scales the edge", () => {
  const scaled = rows.map(({ quantities, ...rest }) => {
    const { data } = quantities["central/effective_hessian_eigs"] as { data: Float64Array };
    return {
      ...rest,
      quantities: { ...quantities, "central/effective_hessian_eigs": vector(...data.map((x) => 19 * x)) },
    };
  });
  expect(edgeSummary(scaled, 38)?.rows).toEqual(edgeSummary(rows, 2)?.rows);
});

test("where midpoints were run, the ratio is of the distances from them", () => {
  const withMidpoints = rows.map(({ quantities, ...rest }) => ({
    ...rest,
    quantities: { ...quantities, "distances/central-midpoint": 1, "distances/midpoint-stable": 8 },
  }));
  expect(edgeSummary(withMidpoints, 2)).toMatchObject({ ratio: 1 / 8, from: "midpoint" });
});

test("the headline is over the whole stretch at the edge, and tells of a delay", () => {
  expect(headline(summaryTable(rows, 2))).toEqual([
    "In 6 of its 8 steps the run is at the edge of stability, with up to 2 eigenvalues there at once, two or more in 2 steps.",
    "In 50 % of these steps the central flow is nearer to the optimizer than the stable flow is; in the median its distance from the optimizer is 1.5 times that of the stable flow.",
    "From step 12 to 13 the optimizer follows the stable flow: an entry–exit delay, explained below.",
  ]);
  expect(headline(summaryTable(rows.slice(0, 2), 2))).toEqual([
    "The run does not come to the edge of stability in its 2 steps.",
  ]);
  expect(
    headline(summaryTable([{ index: 0, step: 0, quantities: { "discrete/train_loss": 1 } }], 2)),
  ).toEqual([]);
});
