import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type ReportInput, renderReport, summaryTable } from "../../src/report/index.ts";
import type { Quantity, StepRow } from "../../src/simulation/index.ts";
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
  axes: { steps: string; rows: number }[];
  charts: {
    id: string;
    level?: { value: number; label: string };
    groups?: { label: string; role: string; lines: { name: string; values: string }[] }[];
  }[];
}

function dataOf(html: string): Embedded {
  return JSON.parse(/id="run-data">(.*?)<\/script>/s.exec(html)?.[1] ?? "");
}

const groupsOf = (html: string) => dataOf(html).charts.flatMap(({ groups = [] }) => groups);

/** Little-endian float64, or float32 after ~. */
function decode(base64: string): Float64Array {
  const { buffer } = Uint8Array.from(Buffer.from(base64.replace("~", ""), "base64"));
  return base64.startsWith("~") ? Float64Array.from(new Float32Array(buffer)) : new Float64Array(buffer);
}

function lineOf(html: string, name: string): Float64Array {
  const lines = groupsOf(html).flatMap((group) => group.lines);
  return decode(lines.find((line) => line.name === name)?.values ?? "");
}

test("nothing is fetched and no text is evaluated", () => {
  const html = renderReport(inputOf(syntheticRun(60)));
  const matches = (pattern: RegExp) => html.match(pattern)?.[0];
  expect(matches(/<(?:script|img|iframe|object|embed)[^>]*\ssrc=/i)).toBeUndefined();
  expect(matches(/<link(?! rel="icon" href="data:,")/i)).toBeUndefined();
  expect(matches(/\b(?:eval|Function|fetch|XMLHttpRequest|import)\s*\(/)).toBeUndefined();
  expect(matches(/@import|url\((?!#)/)).toBeUndefined();
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
  expect(decode(dataOf(html).axes[0].steps)).toEqual(Float64Array.from(all, (row) => row.step));
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

test("the policy allows the page's own script and style by their hashes, and no style in an attribute", () => {
  const html = renderReport(inputOf(syntheticRun(60)));
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";
  expect(policy).not.toContain("unsafe");
  for (const [kind, pattern] of [
    ["script-src", /<script>(.*?)<\/script>/s],
    ["style-src", /<style>(.*?)<\/style>/s],
  ] as const) {
    const hash = createHash("sha256")
      .update(pattern.exec(html)?.[1] ?? "")
      .digest("base64");
    expect(policy).toContain(`${kind} 'sha256-${hash}'`);
  }
  expect(html).not.toMatch(/<[a-z][^>]*\sstyle=/);
});

test("a long run is thinned to the least and largest of each column of pixels: 10,000 rows, 64 eigenvalues, below 5 MB", () => {
  const processes = ["discrete", "central", "stable"];
  const rows = syntheticRun(10_000, processes).map((row) => {
    const eigenvalues = (process: number): Quantity => ({
      shape: [64],
      data: Float64Array.from(
        { length: 64 },
        (_, i) => Math.sin(row.index * (i + 1) * (process + 1)) + 2 - i / 64,
      ),
    });
    const all = processes.map((process, p) => [`${process}/effective_hessian_eigs`, eigenvalues(p)]);
    return { ...row, quantities: { ...row.quantities, ...Object.fromEntries(all) } };
  });
  const html = renderReport(inputOf(rows));
  expect(html.length).toBeLessThan(5e6);
  const steps = decode(dataOf(html).axes[0].steps);
  expect(dataOf(html).axes[0].rows).toBe(10);
  for (const path of ["central/effective_hessian_eigs[63]", "discrete/effective_hessian_eigs[7]"]) {
    const drawn = lineOf(html, path);
    const [, name, i] = /(.*)\[(\d+)\]/.exec(path)!;
    const full = rows.map(({ quantities }) =>
      Math.fround((quantities[name] as { data: Float64Array }).data[Number(i)]),
    );
    for (let at = 0; at < drawn.length; at += 2) {
      const first = steps[at] - 5;
      const column = full.slice(first, first + 10);
      expect([drawn[at], drawn[at + 1]].sort((a, b) => a - b)).toEqual([
        Math.min(...column),
        Math.max(...column),
      ]);
    }
  }
  expect(html).toContain("Of the 10000 steps each curve shows the least and the largest value");
});

test("every chart is there for a full run, and only those with data for a partial one", () => {
  const ids = (rows: StepRow[]) => dataOf(renderReport(inputOf(rows))).charts.map(({ id }) => id);
  expect(ids(syntheticRun(60))).toEqual([
    "plane",
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
  const roles = groupsOf(renderReport(inputOf(syntheticRun(60, ["central", "stable"])))).map(
    ({ role }) => role,
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
  const measured = groupsOf(html).find(({ label }) => label === "Measured, all directions");
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
  expect(groupsOf(html).some(({ label }) => label.includes(hostile.slice(0, 5)))).toBe(true);
});

test("the head says what the run is and the captions name its edge and flow", () => {
  const html = renderReport(inputOf(syntheticRun(60)));
  for (const fact of ["RMSProp, β₂ = 0.99", "Digits, 200 examples, mse", "MLP, width 32, gelu", "5 steps"])
    expect(html.includes(fact)).toBe(true);
  expect(html.includes("eig_config.raw_eigenvalues")).toBe(true);
  expect(html.includes("<h1>RMSProp and its central flow: MLP on digits</h1>")).toBe(true);
  const plain = renderReport(
    inputOf(syntheticRun(60), {
      config: { opt: { class: "GradientDescent" } },
      criticalValue: 38.00000000000001,
    }),
  );
  expect(plain.includes("Stable flow")).toBe(true);
  expect(plain.includes("<h1>Gradient descent and its central flow</h1>")).toBe(true);
  const { level } = dataOf(plain).charts.find(({ id }) => id === "sharpness")!;
  expect(level).toEqual({ value: 38.00000000000001, label: "edge of stability: 38" });
  expect(plain.includes("at 38;")).toBe(true);
  expect(() => renderReport(inputOf([], { criticalValue: NaN }))).toThrow(RangeError);
});
