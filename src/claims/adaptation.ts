import { join } from "node:path";
import {
  type DiagonalStationaryPoint,
  diagonalStationaryPoint,
  scalarStationaryPreconditioner,
} from "../flows/index.ts";
import { lanczos, type MajorantStart } from "../linalg/index.ts";
import { readCheckpoint } from "../record/index.ts";
import { type Chart, type ClaimExperiment, type ClaimNumber, chart, group } from "../report/index.ts";
import { nodeHost } from "../run/index.ts";
import { type BuiltRun, buildRun } from "../simulation/index.ts";
import type { Experiment } from "./experiments.ts";
import { above, below, findingsOf, mean } from "./measure.ts";

/** So many coordinates of ν are drawn: those that are largest at the end. */
const COORDINATES = 3;
/** Cosine of ν and ν̄ late in a run at the edge, and the relative difference that a single number may keep. */
const COSINE = 0.95;
const SCALAR_DIFFERENCE = 0.1;
/** Relative certificate of the stationary problem. */
const CERTIFIED = 1e-8;

/** ν and ν̄ at one checkpoint of the central flow, and gᵀP⁻¹g for the preconditioners that are compared. */
interface Measured {
  readonly row: number;
  readonly nu: Float64Array;
  readonly rest: Float64Array;
  readonly violation: number;
  readonly efficacy: {
    readonly now: number;
    readonly stationary: number;
    /** P̂; absent for the scalar rule. */
    readonly best?: number;
    readonly scalar: number;
  };
}

/**
 * Adaptation: at the edge ν goes to ν̄(w), the value at rest for the weights, which is the solution of a semidefinite
 * problem; and how good the preconditioner P̄ is that this makes: the rate gᵀP⁻¹g at which −P⁻¹g lowers the loss.
 */
export function measureAdaptation(experiment: Experiment, progress: (line: string) => void): ClaimExperiment {
  const { name, config, directory, rows } = experiment;
  const built = buildRun(config, nodeHost());
  const scalar = config.opt.name === "scalar-rmsprop";
  const measured: Measured[] = [];
  let start: MajorantStart | undefined;
  let startBest: MajorantStart | undefined;
  try {
    for (let row = 0; row < rows.length; row += config.checkpoint.frequency) {
      progress(`${name}: ν at rest at step ${row} of ${rows.length}`);
      const point = pointAt(built, join(directory, "checkpoints", `checkpoint_${row}.npz`));
      if (scalar) measured.push(scalarMeasured(built, row, point));
      else {
        const both = diagonalMeasured(built, row, point, start, startBest);
        start = both.at.majorant.value;
        startBest = both.best.majorant.value;
        measured.push(both.measured);
      }
    }
  } finally {
    built.dispose();
  }
  const late = measured.slice(Math.floor((3 * measured.length) / 4));
  const numbers = scalar ? scalarNumbers(late) : diagonalNumbers(late);
  const violation = Math.max(...measured.map((each) => each.violation));
  if (!scalar)
    numbers.push(below("largest violation of the stationary problems’ certificates", violation, CERTIFIED));
  return findingsOf(experiment, numbers, {
    axes: [{ steps: Float64Array.from(measured, ({ row }) => rows[row].step) }],
    charts: [...nuCharts(measured, scalar), ...efficacyChart(measured)],
  });
}

interface Point {
  readonly gradient: Float64Array;
  readonly preconditioner: Float64Array;
  readonly learningRate: number;
  /** √ν̂ for each entry of P: ηP − ε. */
  readonly root: Float64Array;
}

/** Puts the objective where the central flow is in a checkpoint. */
function pointAt({ objective, rule }: BuiltRun, path: string): Point {
  const { arrays } = readCheckpoint(path);
  const weights = arrays.get("central.w") as Float64Array;
  const state = arrays.get("central.state") as Float64Array;
  objective.setWeights(weights);
  const preconditioner = new Float64Array(rule.dimension);
  rule.preconditioner(state, preconditioner);
  const learningRate = rule.learningRate(state);
  // Where ν is 0, P is ε/η; t comes first in the state.
  const bare = new Float64Array(rule.dimension);
  rule.preconditioner(
    state.map((entry, at) => (at === 0 ? entry : 0)),
    bare,
  );
  const root = preconditioner.map((entry, l) => learningRate * (entry - bare[l]));
  return { gradient: objective.gradient().slice(), preconditioner, learningRate, root };
}

function efficacyOf(gradient: Float64Array, preconditioner: Float64Array): number {
  return gradient.reduce((total, entry, l) => total + (entry === 0 ? 0 : entry ** 2 / preconditioner[l]), 0);
}

/** The sharpness where the objective stands. */
function sharpnessAt({ objective }: BuiltRun): number {
  const apply = (vectors: Float64Array, products: Float64Array, count: number): void =>
    objective.hvp(vectors, products, count);
  return lanczos(objective.dimension, apply, { largest: 1 }).value.values[0];
}

function diagonalMeasured(
  built: BuiltRun,
  row: number,
  { gradient, preconditioner, learningRate, root }: Point,
  start: MajorantStart | undefined,
  startBest: MajorantStart | undefined,
): { measured: Measured; at: DiagonalStationaryPoint; best: DiagonalStationaryPoint } {
  const { objective, criticalValue: c } = built;
  const solve = (drive: Float64Array, initial: MajorantStart | undefined): DiagonalStationaryPoint =>
    diagonalStationaryPoint(objective, drive, learningRate, c, initial && { initial });
  const at = solve(gradient, start);
  const best = solve(new Float64Array(gradient.length), startBest);
  const squared = gradient.reduce((total, entry) => total + entry ** 2, 0);
  const measured = {
    row,
    nu: root.map((entry) => entry ** 2),
    rest: at.preconditioner.map((entry) => (learningRate * entry) ** 2),
    violation: Math.max(
      ...Object.values(at.majorant.stats.violations),
      ...Object.values(best.majorant.stats.violations),
    ),
    efficacy: {
      now: efficacyOf(gradient, preconditioner),
      stationary: efficacyOf(gradient, at.preconditioner),
      best: efficacyOf(gradient, best.preconditioner),
      scalar: (c * squared) / sharpnessAt(built),
    },
  };
  return { measured, at, best };
}

function scalarMeasured(
  built: BuiltRun,
  row: number,
  { gradient, preconditioner, learningRate, root }: Point,
): Measured {
  const sharpness = sharpnessAt(built);
  const squared = gradient.reduce((total, entry) => total + entry ** 2, 0);
  const P = scalarStationaryPreconditioner(gradient, sharpness, learningRate, built.criticalValue);
  return {
    row,
    nu: Float64Array.of(root[0] ** 2),
    rest: Float64Array.of((learningRate * P) ** 2),
    violation: 0,
    efficacy: {
      now: squared / preconditioner[0],
      stationary: squared / P,
      scalar: (built.criticalValue * squared) / sharpness,
    },
  };
}

function cosine(x: Float64Array, y: Float64Array): number {
  let [xy, xx, yy] = [0, 0, 0];
  for (let l = 0; l < x.length; l++) {
    xy += x[l] * y[l];
    xx += x[l] ** 2;
    yy += y[l] ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** ‖x − y‖/‖y‖. */
function difference(x: Float64Array, y: Float64Array): number {
  let [above, size] = [0, 0];
  for (let l = 0; l < x.length; l++) {
    above += (x[l] - y[l]) ** 2;
    size += y[l] ** 2;
  }
  return Math.sqrt(above / size);
}

function diagonalNumbers(late: readonly Measured[]): ClaimNumber[] {
  const ratio = (part: "now" | "stationary" | "best"): number =>
    Math.exp(mean(late.map(({ efficacy }) => Math.log((efficacy[part] ?? Number.NaN) / efficacy.scalar))));
  return [
    above(
      "cosine of ν and ν̄, least of the last quarter",
      Math.min(...late.map(({ nu, rest }) => cosine(nu, rest))),
      COSINE,
    ),
    {
      label: "‖ν − ν̄‖/‖ν̄‖, mean of the last quarter",
      value: mean(late.map(({ nu, rest }) => difference(nu, rest))),
    },
    above(
      "efficacy of P̄ over that of the best gradient descent, geometric mean of the last quarter",
      ratio("stationary"),
      1,
    ),
    { label: "efficacy of the flow’s own P over that of the best gradient descent", value: ratio("now") },
    { label: "efficacy of P̂ over that of the best gradient descent", value: ratio("best") },
  ];
}

function scalarNumbers(late: readonly Measured[]): ClaimNumber[] {
  return [
    below(
      "|ν/ν̄ − 1|, mean of the last quarter",
      mean(late.map(({ nu, rest }) => difference(nu, rest))),
      SCALAR_DIFFERENCE,
    ),
    {
      label: "efficacy of P̄ over that of the best gradient descent, last quarter",
      value: mean(late.map(({ efficacy }) => efficacy.stationary / efficacy.scalar)),
    },
  ];
}

function nuCharts(measured: readonly Measured[], scalar: boolean): Chart[] {
  const last = measured[measured.length - 1].nu;
  const drawn = Array.from(last.keys())
    .sort((a, b) => last[b] - last[a])
    .slice(0, COORDINATES);
  const lines = (part: "nu" | "rest", label: string) =>
    drawn.map((l) => ({
      name: `${label}[${l}]`,
      values: Float64Array.from(measured, (each) => each[part][l]),
    }));
  const coordinates = chart({
    id: "nu",
    title: scalar ? "ν and ν at rest" : `The ${drawn.length} largest coordinates of ν, and at rest`,
    caption: "",
    axis: "ν",
    log: true,
    groups: [
      ...group("ν of the central flow", "central", lines("nu", "nu")),
      ...group("ν̄, at rest", "stationary", lines("rest", "nu at rest")),
    ],
  });
  if (scalar) return coordinates;
  const cosines = Float64Array.from(measured, ({ nu, rest }) => cosine(nu, rest));
  return [
    ...chart({
      id: "cosine",
      title: "Cosine of ν and ν at rest",
      caption: "",
      axis: "cosine",
      level: { value: COSINE, label: String(COSINE) },
      groups: group("cos(ν, ν̄)", "central", [{ name: "cosine", values: cosines }]),
    }),
    ...coordinates,
  ];
}

function efficacyChart(measured: readonly Measured[]): Chart[] {
  const line = (part: keyof Measured["efficacy"], name: string) => [
    { name, values: Float64Array.from(measured, ({ efficacy }) => efficacy[part] ?? Number.NaN) },
  ];
  return chart({
    id: "efficacy",
    title: "Efficacy gᵀP⁻¹g",
    caption: "",
    axis: "fall of the loss per step, to first order",
    log: true,
    groups: [
      ...group("P of the flow", "central", line("now", "efficacy of P")),
      ...group("P̄, at rest", "stationary", line("stationary", "efficacy of P at rest")),
      ...(measured[0].efficacy.best === undefined
        ? []
        : group("P̂, best diagonal", "prediction", line("best", "efficacy of the best diagonal P"))),
      ...group("best gradient descent", "stable", line("scalar", "efficacy of S/2")),
    ],
  });
}
