import { Random } from "../src/base/index.ts";
import { type FlowCase, flowCost } from "./flow-steps.ts";
import { ENGINES, operationsOf } from "./operations.ts";
import { DIRECTIONS, draw, perceptron, unitVectors } from "./problems.ts";
import { digits, measured, progress, Table, time } from "./table.ts";
import { compareTimes } from "./timing.ts";

const EXAMPLES = [500, 1000, 2000, 4000, 8000];
const WIDTHS = [16, 32, 64, 128, 256];
const COUNTS = [1, 2, 3, 5, 7, 10];

const SHARED_EXAMPLES = [500, 1000, 4000];

const FLOW: FlowCase = { examples: 200, copies: 1, width: 32, learningRate: 0.2, warmStart: 60 };
const FLOW_EXAMPLES = 500;
const FLOW_WIDTHS = [16, 32, 64, 128];

/** How derivatives and steps of the central flow grow with examples, weights and directions, with fitted exponents. */
export function growth(): void {
  console.log("\n### Growth\n");
  console.log("wasm backend. The last line of a table is the exponent of the power law that fits best.\n");
  console.log(`64-64-64-10, tanh, joint pass with ${DIRECTIONS} directions:\n`);
  derivativesOver("examples", EXAMPLES, (n) => ["64-64-64-10", n, DIRECTIONS]);
  console.log(`\n64-w-w-10, tanh, 500 examples, joint pass with ${DIRECTIONS} directions:\n`);
  derivativesOver("weights", WIDTHS, (w) => [`64-${w}-${w}-10`, 500, DIRECTIONS]);
  console.log("\n64-64-64-10, tanh, 500 examples, k directions:\n");
  derivativesOver("directions", COUNTS, (k) => ["64-64-64-10", 500, k]);

  console.log("\n64-64-64-10, tanh, threads; in brackets how much faster than one:\n");
  threadsOver(SHARED_EXAMPLES);

  console.log(
    "\nA step of the central flow: gradient descent, 64-w-w-10, gelu, digits. 500 digits, each several times:\n",
  );
  flowsOver("examples", [1, 2, 4, 8, 16], (copies) => ({ ...FLOW, examples: FLOW_EXAMPLES, copies }));
  console.log("\nOver widths, 200 digits:\n");
  flowsOver("weights", FLOW_WIDTHS, (width) => ({ ...FLOW, width }));
}

type What = "examples" | "weights" | "directions";

function derivativesOver(
  what: What,
  values: readonly number[],
  problemAt: (value: number) => [widths: string, n: number, count: number],
): void {
  const table = new Table([what, "gradient", "HVP, shared", "joint"], `derivatives over ${what}`);
  const points = values.map((value) => {
    const [widths, n, count] = problemAt(value);
    progress(`growth: ${widths}, ${n} examples, ${count} directions`);
    const given = draw(perceptron(widths, "tanh", n));
    const p = given.weights.length;
    const vectors = unitVectors(count, p, new Random(1, "growth"));
    const { gradient, sharedHvp, joint } = operationsOf(given, ENGINES[0], vectors);
    const times = compareTimes([gradient, sharedHvp, joint]);
    const x = what === "weights" ? p : value;
    table.row(String(x), ...times.map(time));
    return { x, times: times.map(({ median }) => median) };
  });
  const xs = points.map(({ x }) => x);
  table.row(
    "exponent",
    ...[0, 1, 2].map((t) =>
      digits(
        exponent(
          xs,
          points.map(({ times }) => times[t]),
        ),
      ),
    ),
  );
  table.print();
}

/** The wasm engines beside each other. */
function threadsOver(values: readonly number[]): void {
  const table = new Table(["examples", "threads", "gradient", "HVP, shared", "joint"], "threads");
  const engines = ENGINES.filter(({ backend }) => backend === "wasm");
  for (const n of values) {
    progress(`growth: threads, ${n} examples`);
    const given = draw(perceptron("64-64-64-10", "tanh", n));
    const runs = engines.map((engine) => operationsOf(given, engine, given.vectors));
    const times = compareTimes(
      runs.flatMap(({ gradient, sharedHvp, joint }) => [gradient, sharedHvp, joint]),
    );
    runs.forEach(({ objective }, e) => {
      const cells = times.slice(3 * e, 3 * e + 3).map((own, t) => {
        const cell = time(own);
        const text = `${cell}${e > 0 ? ` (${digits(times[t].median / own.median)})` : ""}`;
        return { ...cell, text, toString: () => text };
      });
      table.row(String(n), String(objective.threads), ...cells);
      objective.dispose();
    });
  }
  table.print();
}

function flowsOver(
  what: "examples" | "weights",
  values: readonly number[],
  caseAt: (value: number) => FlowCase,
): void {
  const table = new Table([what, "critical", "HVPs", "step", "step per HVP"], `flow over ${what}`);
  const points = values.map((value) => {
    const flow = caseAt(value);
    progress(`growth: central flow, ${what} ${value}`);
    const { weights, critical, products, times } = flowCost(flow);
    const x = { examples: flow.examples * flow.copies, weights }[what];
    const each = times.median / products;
    table.row(digits(x), digits(critical), measured(products, "less"), time(times), digits(each));
    return { x, step: times.median, each };
  });
  const xs = points.map(({ x }) => x);
  const [step, each] = (["step", "each"] as const).map((key) =>
    digits(
      exponent(
        xs,
        points.map((point) => point[key]),
      ),
    ),
  );
  table.row("exponent", "", "", step, each);
  table.print();
}

/** The slope of the straight line of least squares through (log x, log y). */
function exponent(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [u, v] = [xs.map(Math.log), ys.map(Math.log)];
  const [mu, mv] = [mean(u), mean(v)];
  const products = u.map((x, i) => (x - mu) * (v[i] - mv));
  return mean(products) / mean(u.map((x) => (x - mu) ** 2));
}
