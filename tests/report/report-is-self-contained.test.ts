import { expect, test } from "vitest";
import { type ReportInput, renderReport, summaryTable } from "../../src/report/index.ts";
import type { StepRow } from "../../src/simulation/index.ts";
import { CONFIG, syntheticRun } from "./synthetic-run.ts";

function inputOf(rows: readonly StepRow[], changes: Partial<ReportInput> = {}): ReportInput {
  return {
    title: "synthetic",
    summary: summaryTable(rows),
    config: CONFIG,
    rows,
    criticalValue: 2,
    status: "Finished.",
    environment: "a test",
    ...changes,
  };
}

interface Embedded {
  steps: string;
  charts: {
    id: string;
    level?: { value: number };
    groups: { label: string; role: string; lines: { name: string; values: string }[] }[];
  }[];
}

function dataOf(html: string): Embedded {
  return JSON.parse(/id="run-data">(.*?)<\/script>/s.exec(html)?.[1] ?? "");
}

const decode = (base64: string) => new Float64Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);

function lineOf(html: string, name: string): Float64Array {
  const lines = dataOf(html).charts.flatMap((chart) => chart.groups.flatMap((group) => group.lines));
  return decode(lines.find((line) => line.name === name)?.values ?? "");
}

test("nothing is fetched and no text is evaluated", () => {
  const html = renderReport(inputOf(syntheticRun(60)));
  const matches = (pattern: RegExp) => html.match(pattern)?.[0];
  expect(matches(/<(?:script|img|iframe|object|embed)[^>]*\ssrc=/i)).toBeUndefined();
  expect(matches(/<link(?! rel="icon" href="data:,")/i)).toBeUndefined();
  expect(matches(/\b(?:eval|Function|fetch|XMLHttpRequest|import)\s*\(/)).toBeUndefined();
  expect(matches(/@import|url\(/)).toBeUndefined();
  expect(matches(/default-src 'none'/)).toBeDefined();
  expect(matches(/Copyright \(c\) 2022 Leon Sorokin/)).toBeDefined();
});

test("the page holds every logged number exactly, gaps included", () => {
  const rows = syntheticRun(120);
  const odd: StepRow = {
    index: 120,
    step: 125,
    quantities: { "central/train_loss": Infinity, "discrete/train_loss": -0, "stable/train_loss": NaN },
  };
  const all = [...rows, odd];
  const html = renderReport(inputOf(all));
  expect(decode(dataOf(html).steps)).toEqual(Float64Array.from(all, (row) => row.step));
  for (const process of ["discrete", "midpoint", "central", "stable"]) {
    const path = `${process}/train_loss`;
    expect(lineOf(html, path)).toEqual(
      Float64Array.from(all, (row) => (row.quantities[path] as number) ?? NaN),
    );
    const second = all.map(({ quantities }) => {
      const eigs = quantities[`${process}/effective_hessian_eigs`];
      return typeof eigs === "object" && eigs.data.length > 1 ? eigs.data[1] : NaN;
    });
    expect(lineOf(html, `${process}/effective_hessian_eigs[1]`)).toEqual(Float64Array.from(second));
  }
});

test("every chart is there for a full run, and only those with data for a partial one", () => {
  const ids = (rows: StepRow[]) => dataOf(renderReport(inputOf(rows))).charts.map(({ id }) => id);
  expect(ids(syntheticRun(60))).toEqual([
    "loss",
    "sharpness",
    "distances",
    "variances",
    "gradient",
    "accuracy",
    "opt-nu_l1",
    "times",
    "products",
  ]);
  expect(ids(syntheticRun(60, ["discrete"]))).toEqual([
    "loss",
    "sharpness",
    "gradient",
    "accuracy",
    "opt-nu_l1",
    "times",
    "products",
  ]);
  const roles = dataOf(renderReport(inputOf(syntheticRun(60, ["central", "stable"])))).charts.flatMap(
    (chart) => chart.groups.map(({ role }) => role),
  );
  expect(new Set(roles)).toEqual(new Set(["central", "stable", "prediction"]));
  const bare: StepRow = { index: 0, step: 0, quantities: { "discrete/train_loss": 1 } };
  expect(ids([bare])).toEqual(["loss"]);
  expect(ids([])).toEqual([]);
  expect(renderReport(inputOf([])).includes("No steps have been logged yet")).toBe(true);
});

test("the measured variance of a steady oscillation averages to its mean square", () => {
  const swing = (t: number) => 0.3 * (t % 2 === 0 ? 1 : -1);
  const rows = Array.from({ length: 80 }, (_, t): StepRow => {
    const delta = { shape: [1], data: Float64Array.of(swing(t)) };
    const predicted = { shape: [1], data: Float64Array.of(0.09) };
    return {
      index: t,
      step: t,
      quantities: { midpoint_deltas: delta, "central/predicted_variances": predicted },
    };
  });
  const html = renderReport(inputOf(rows));
  const measured = dataOf(html)
    .charts.flatMap(({ groups }) => groups)
    .find(({ label }) => label === "Measured, all directions");
  const averages = decode(measured?.lines[0].values ?? "").filter((x) => !Number.isNaN(x));
  expect(averages.length).toBeGreaterThan(60);
  for (const x of averages) expect(Math.abs(x - 0.09)).toBeLessThan(1e-15);
});

test("text from outside cannot become markup", () => {
  const hostile = `</script><script>alert("x")</script>&'`;
  const row: StepRow = {
    index: 0,
    step: 0,
    quantities: { [`central/times/${hostile}`]: 1, "central/train_loss": 1 },
  };
  const html = renderReport(
    inputOf([row], { title: hostile, status: hostile, environment: hostile, config: { a: { b: hostile } } }),
  );
  expect(html.includes("<script>alert")).toBe(false);
  expect(html.includes("&lt;/script&gt;&lt;script&gt;alert(&quot;x&quot;)")).toBe(true);
  expect(
    dataOf(html).charts.some(({ groups }) => groups.some(({ label }) => label.includes(hostile.slice(0, 5)))),
  ).toBe(true);
});

test("the head says what the run is and the captions name its edge and flow", () => {
  const html = renderReport(inputOf(syntheticRun(60)));
  for (const fact of ["RMSProp, β₂ = 0.99", "Digits, 200 examples, mse", "MLP, width 32, gelu", "5 steps"])
    expect(html.includes(fact)).toBe(true);
  expect(html.includes("eig_config.raw_eigenvalues")).toBe(true);
  expect(html.includes("Stable flow")).toBe(true);
  const plain = renderReport(
    inputOf(syntheticRun(60), { config: { opt: { class: "GradientDescent" } }, criticalValue: 38 }),
  );
  expect(plain.includes("Stable flow")).toBe(true);
  expect(/gradient flow/i.test(plain)).toBe(false);
  expect(dataOf(plain).charts.find(({ id }) => id === "sharpness")?.level?.value).toBe(38);
  expect(() => renderReport(inputOf([], { criticalValue: NaN }))).toThrow(RangeError);
});
