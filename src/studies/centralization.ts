import type { Objective } from "../autodiff/index.ts";
import { Random } from "../base/index.ts";
import {
  adam,
  CentralProcess,
  centralization as centralizing,
  compileRule,
  effectiveHessian,
  gradientDescent,
  MidpointProcess,
  PROCESS_DEFAULTS,
  type Process,
  project,
  type UpdateRule,
  withProjection,
} from "../flows/index.ts";
import { lanczos } from "../linalg/index.ts";
import type { StudyFigure } from "../report/index.ts";
import { builtOf, train } from "./problems/trained.ts";
import { type StudyTask, stopIfAsked, study } from "./study.ts";

/** The problem: digits on a small network, whose training the edge of stability meets within some hundred steps. */
const NETWORK = "data:digits --data.n 150 arch:mlp --arch.width 16 --threads 1 opt:gd --opt.lr 0.2";
const RATE = 0.2;

type Centralized = "none" | "gradient" | "moment";

const ruleOf = (rule: UpdateRule, objective: Objective, what: Centralized): UpdateRule =>
  what === "none" ? rule : withProjection(rule, centralizing(objective.parameters, what));

/** The largest eigenvalues of H, and of ΠHΠ, at the objective's weights, descending. */
function sharpnesses(
  objective: Objective,
  count: number,
): { readonly H: Float64Array; readonly PHP: Float64Array } {
  const p = objective.dimension;
  const ones = new Float64Array(p).fill(1);
  const projection = centralizing(objective.parameters, "gradient");
  const top = (onto?: (vectors: Float64Array, count: number) => void): Float64Array =>
    lanczos(p, effectiveHessian(objective, ones, onto), {
      largest: count,
      smallest: 0,
      tolerance: 1e-9,
      maxIterations: 2000,
      random: new Random(0, "study centralization"),
    }).value.values;
  return { H: top(), PHP: top((vectors, times) => project(projection, vectors, times, p)) };
}

/** The sums over the rows of every weight matrix. */
function rowSums(objective: Objective, weights: Float64Array): number[] {
  return centralizing(objective.parameters, "gradient").blocks.flatMap(({ from, size, count }) =>
    Array.from({ length: count }, (_, row) => {
      let sum = 0;
      for (let l = from + row * size; l < from + (row + 1) * size; l++) sum += weights[l];
      return sum;
    }),
  );
}

/** A centralized gradient descent with its central flow, side by side. */
interface Pair {
  readonly steps: readonly number[];
  readonly flow: readonly number[];
  readonly midpoints: readonly number[];
  readonly distance: number;
  readonly stableDistance: number;
}

function flowBeside(task: StudyTask, objective: Objective, start: Float64Array, steps: number): Pair {
  const rule = compileRule(ruleOf(gradientDescent({ lr: RATE }), objective, "gradient"), start.length);
  const eigen = {
    frequency: 1,
    trackThreshold: 1.5,
    initialCount: 1,
    solver: "lobpcg",
    tolerance: 1e-10,
  } as const;
  const setup = {
    objective,
    rule,
    weights: start.slice(),
    state: rule.rule.initialState(start.length),
    eigen,
    rawEigenvalues: false,
    seed: 0,
  };
  const flow = new CentralProcess(setup, PROCESS_DEFAULTS.central);
  const optimizer = new MidpointProcess({ ...setup, weights: start.slice(), state: setup.state.slice() });
  const seen: Record<"flow" | "midpoints", number[]> = { flow: [], midpoints: [] };
  const top = (process: Process): number => process.observation?.pairs?.values[0] ?? Number.NaN;
  for (let step = 0; step < steps; step++) {
    stopIfAsked(task);
    task.progress(0.3 + (0.5 * step) / steps, `the flow of centralized gradient descent, step ${step}`);
    for (const process of [flow, optimizer]) process.prepare();
    seen.flow.push(top(flow));
    seen.midpoints.push(top(optimizer));
    if (step + 1 < steps) for (const process of [flow, optimizer]) process.advance();
  }
  const at = (process: Process): Float64Array => process.observation?.weights ?? start;
  const apart = (a: Float64Array, b: Float64Array): number =>
    Math.sqrt(a.reduce((sum, entry, l) => sum + (entry - b[l]) ** 2, 0));
  return {
    steps: seen.flow.map((_, step) => step),
    ...seen,
    distance: apart(at(flow), at(optimizer)),
    stableDistance: apart(at(flow), start),
  };
}

const END = <T>(values: readonly T[]): T => values[values.length - 1];

/** Study `centralization`: what taking means from gradients or moments does, and what it does at the edge. */
export const centralization = study({
  name: "centralization",
  title: "Centralized gradients and moments",
  papers: [
    {
      title: "Moment Centralization based Gradient Descent Optimizers for Convolutional Neural Networks",
      arxiv: "2207.09066",
      standing: ["code", "derived"],
    },
    {
      title: "Gradient Centralization: A New Optimization Technique for Deep Neural Networks",
      arxiv: "2004.01461",
      standing: ["second-hand", "derived"],
    },
  ],
  question:
    "What does it do to take its mean from each output’s gradient (--opt.centralize gradient), or from each matrix of what Adam steps along (moment)? With one P for all weights it is the same rule on L(w₀ + Πz): what edge does it have, does its central flow follow it, and is anything gained?",
  method:
    "A linear projection with blocks, declared in the rule. The edge then is that of ΠHΠ, which interlaces with H; row sums of the weights never change; the central flow runs beside the midpoints of centralized gradient descent. Losses of gradient descent and Adam with and without, from three starts each, with one and the same learning rate.",
  criteria: {
    sums: {
      sentence:
        "centralized gradient descent: largest change of a row’s sum in the whole run, over the distance moved",
      bound: { below: 1e-12 },
    },
    interlaced: {
      sentence: "λ_max(ΠHΠ)/λ_max(H), largest of some points of a run",
      bound: { below: 1 + 1e-9 },
    },
    edge: {
      sentence: "centralized gradient descent: mean of ηλ_max(ΠHΠ) at midpoints, last quarter",
      bound: { between: [1.8, 2.1] },
    },
    held: {
      sentence: "its central flow: mean of ηλ_max(ΠHΠ), last quarter",
      bound: { between: [1.95, 2.05] },
    },
    followed: {
      sentence: "distance of the central flow from the midpoints at the end, over the distance moved",
      bound: { below: 0.1 },
    },
  },
  unavailable:
    "the body of the moment paper and all of its training on CIFAR: its rule is taken from its authors’ code. Their own figures show no clear gain; whether there is one here is told, not judged, for three starts of one small network decide nothing.",
  run(task) {
    const full = task.size === "full";
    const steps = full ? 400 : 12;
    const starts = full ? [0, 1, 2] : [0];
    const losses = new Map<string, number[]>();
    const curves = new Map<string, readonly number[]>();
    const found = { sums: 0, interlaced: 0, second: 0 };
    let pair: Pair | undefined;
    starts.forEach((seed, s) => {
      const built = builtOf(`${NETWORK} --seed ${seed}`, task.shouldStop);
      try {
        const { objective, start } = built;
        const rules = {
          "gradient descent": { rule: gradientDescent({ lr: RATE }), kinds: ["none", "gradient"] },
          Adam: { rule: adam({ lr: 0.005 }), kinds: ["none", "gradient", "moment"] },
        } as const;
        for (const [name, { rule, kinds }] of Object.entries(rules))
          for (const what of kinds as readonly Centralized[]) {
            stopIfAsked(task);
            task.progress((0.3 * s) / starts.length, `${name}, ${what} centralized, start ${seed}`);
            const label = what === "none" ? name : `${name}, ${what} centralized`;
            const first = rowSums(objective, start);
            const each = (step: number, weights: Float64Array): void => {
              if (name !== "gradient descent" || what !== "gradient" || s > 0) return;
              const moved = Math.sqrt(weights.reduce((sum, w, l) => sum + (w - start[l]) ** 2, 0));
              rowSums(objective, weights).forEach((sum, row) => {
                found.sums = Math.max(found.sums, Math.abs(sum - first[row]) / moved);
              });
              if (step % Math.ceil(steps / 6) !== 0) return;
              const { H, PHP } = sharpnesses(objective, 2);
              found.interlaced = Math.max(found.interlaced, PHP[0] / H[0]);
              found.second = Math.max(found.second, H[1] / PHP[0]);
            };
            const run = train(objective, ruleOf(rule, objective, what), start, steps, task.shouldStop, each);
            losses.set(label, [...(losses.get(label) ?? []), END(run.losses)]);
            if (s === 0) curves.set(label, run.losses);
          }
        if (s === 0) pair = flowBeside(task, objective, start, steps);
      } finally {
        built.dispose();
      }
    });
    if (!pair) throw new Error("study centralization: no start");
    const { flow, midpoints, distance, stableDistance } = pair;
    const late = (values: readonly number[]): number => {
      const last = values.slice(Math.floor((3 * values.length) / 4));
      return last.reduce((a, b) => a + b) / last.length;
    };
    const figures: StudyFigure[] = [
      {
        id: "edge",
        title: "Centralized gradient descent at its edge",
        caption:
          "η times the largest eigenvalue of ΠHΠ, of the central flow and of the optimizer’s midpoints.",
        along: "steps",
        axis: "ηλ_max(ΠHΠ)",
        level: { value: 2, label: "edge of stability" },
        curves: [
          { label: "midpoints", x: pair.steps, y: midpoints },
          { label: "central flow", x: pair.steps, y: flow },
        ],
      },
      {
        id: "losses",
        title: "Losses from one start",
        caption: "Gradient descent and Adam with and without centralization, each with one learning rate.",
        along: "steps",
        axis: "training loss",
        log: true,
        curves: [...curves].map(([label, y]) => ({ label, x: y.map((_, step) => step), y })),
      },
    ];
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
    return {
      measured: {
        sums: found.sums,
        interlaced: found.interlaced,
        edge: late(midpoints),
        held: late(flow),
        followed: distance / stableDistance,
      },
      told: [
        {
          label:
            "λ₂(H)/λ_max(ΠHΠ), largest of the same points (at most 1 with one block; here each output has one)",
          value: found.second,
        },
        ...[...losses].map(([label, ends]) => ({
          label: `${label}: loss at the end, mean of ${ends.length} starts`,
          value: mean(ends),
        })),
      ],
      figures,
      remarks: [
        "With a diagonal P, as Adam’s, P⁻¹ΠH need not have a real spectrum: its flows are refused, and row sums change.",
      ],
    };
  },
});
