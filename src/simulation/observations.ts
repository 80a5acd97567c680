import type { Objective } from "../autodiff/index.ts";
import {
  type CompiledRule,
  count,
  deltasAlong,
  type Observation,
  type Oscillation,
  type Process,
  type ProcessEntry,
  predict,
  type Quantities,
  type Quantity,
  selectedEntries,
  stateParts,
  vector,
} from "../flows/index.ts";
import type { Measure } from "./own-quantity.ts";

/** A set of examples whose loss, accuracy and first outputs are logged. */
export interface WatchedExamples {
  /** Absent where labels are no classes. */
  readonly accuracy?: (outputs: Float64Array) => number;
  /** The shape of the outputs of one example; where they are not as many, they are logged as a list. */
  readonly outputShape: readonly number[];
  /** The number of examples, where outputs may be others than `outputShape` says. */
  readonly examples?: number;
}

/** What is logged besides the flows' own numbers. */
export interface Watched {
  readonly train: WatchedExamples | undefined;
  /** Test examples with an objective of their own. */
  readonly test: (WatchedExamples & { readonly objective: Objective }) | undefined;
  /** A quantity of the user's, of each process. */
  readonly measure?: Measure;
  /**
   * The selected entries, in the network's own coordinates, of a vector like the gradient. Default: those of the vector as it is.
   */
  readonly selected?: (vector: Float64Array) => Float64Array;
}

/** Outputs of so many examples are logged. */
const OUTPUT_SAMPLES = 10;

/** A process with what there is to know of its kind. */
export interface Member {
  readonly entry: ProcessEntry;
  readonly process: Process;
}

/** One row of quantities for prepared processes, by the reference's HDF5 paths. */
export function observeProcesses(
  members: readonly Member[],
  rule: CompiledRule,
  watched: Watched,
): Quantities {
  const quantities: Quantities = {};
  const add = (prefix: string, part: Quantities): void => {
    for (const [key, value] of Object.entries(part)) quantities[`${prefix}${key}`] = value;
  };
  const seen = new Map<string, Observation>();
  for (const { entry, process } of members) {
    const { observation } = process;
    if (!observation || process.status.kind === "failed") continue;
    seen.set(entry.kind, observation);
    const running = process.status.kind === "running";
    add(`${entry.kind}/`, observeProcess(entry, running, observation, rule, watched));
  }
  add("distances/", distances(seen));
  Object.assign(quantities, deltas(seen));
  return quantities;
}

function observeProcess(
  entry: ProcessEntry,
  running: boolean,
  seen: Observation,
  rule: CompiledRule,
  watched: Watched,
): Quantities {
  const p = seen.weights.length;
  const selected = watched.selected ?? selectedEntries;
  const out: Quantities = {
    train_loss: seen.loss,
    grad_norm_sq: seen.gradient.reduce((total, entry) => total + entry * entry, 0),
    grad_sq_selected_idx: vector(selected(seen.gradient).map((entry) => entry ** 2)),
    "opt.lr": rule.learningRate(seen.state),
  };
  if (running) for (const [part, seconds] of Object.entries(seen.times)) out[`times/${part}`] = seconds;
  const parts = stateParts(rule.rule, seen.state, p);
  for (const [key, value] of Object.entries(rule.rule.summary(parts, seen.preconditioner)))
    out[`opt.${key}`] = typeof value === "number" ? value : vector(value);
  if (watched.train) Object.assign(out, examplesSeen("train", watched.train, seen.outputs));
  if (watched.test) {
    const { objective } = watched.test;
    objective.setWeights(seen.weights);
    out.test_loss = objective.loss();
    Object.assign(out, examplesSeen("test", watched.test, objective.outputs()));
  }
  if (seen.pairs) {
    out.effective_hessian_eigs = vector(seen.pairs.values);
    Object.assign(out, solveQuantities(entry.solveLog, seen));
  }
  if (seen.hessianValues) out.hessian_eigs = vector(seen.hessianValues);
  if (seen.substeps !== undefined) out.substeps = count(seen.substeps);
  if (seen.oscillation) Object.assign(out, predictedQuantities(seen, seen.oscillation, rule, selected));
  Object.assign(out, entry.quantities(seen));
  if (watched.measure) {
    const [path, value] = watched.measure(entry.kind, seen);
    out[path] = value;
  }
  return out;
}

function examplesSeen(split: string, watched: WatchedExamples, outputs: Float64Array): Quantities {
  const expected = watched.outputShape.reduce((size, length) => size * length, 1);
  const width = watched.examples === undefined ? expected : outputs.length / watched.examples;
  const shape = width === expected ? watched.outputShape : [width];
  const rows = Math.min(OUTPUT_SAMPLES, outputs.length / width);
  return {
    ...(watched.accuracy && { [`${split}_acc`]: watched.accuracy(outputs) }),
    [`${split}_outputs`]: { shape: [rows, ...shape], data: outputs.slice(0, rows * width) },
  };
}

function solveQuantities(prefix: string, { pairs }: Observation): Quantities {
  const solve = pairs?.solve;
  if (!solve) return {};
  return {
    [`${prefix}n_iter`]: count(solve.iterations),
    [`${prefix}matvec_count`]: count(solve.applications),
    [`${prefix}residuals`]: vector(solve.residuals),
  };
}

/** What a flow with the given oscillation predicts of time averages. */
function predictedQuantities(
  seen: Observation,
  oscillation: Oscillation,
  rule: CompiledRule,
  selected: (vector: Float64Array) => Float64Array,
): Quantities {
  const predicted = predict(seen, oscillation, rule.criticalValue(seen.state), selected);
  return {
    predicted_variances: vector(oscillation.variances),
    sigma_trace: predicted.sigmaTrace,
    predicted_grad_norm_sq: predicted.gradientNormSquared,
    predicted_grad_sq_selected_idx: vector(predicted.gradientSquared),
    predicted_loss: predicted.loss,
  };
}

/** ‖w_a − w_b‖ for every pair, named in alphabetical order. */
function distances(seen: ReadonlyMap<string, Observation>): Quantities {
  const present = [...seen].sort(([a], [b]) => (a < b ? -1 : 1));
  const out: Quantities = {};
  present.forEach(([a, { weights: x }], i) => {
    for (const [b, { weights: y }] of present.slice(i + 1)) {
      let total = 0;
      for (let l = 0; l < x.length; l++) total += (x[l] - y[l]) ** 2;
      out[`${a}-${b}`] = Math.sqrt(total);
    }
  });
  return out;
}

/** The measured oscillation along the directions whose variances the central flow predicts. */
function deltas(seen: ReadonlyMap<string, Observation>): Quantities {
  const flow = seen.get("central");
  const oscillation = flow?.oscillation;
  if (!flow || !oscillation) return {};
  const along = (displacement: Float64Array): Quantity =>
    vector(deltasAlong(oscillation, flow.preconditioner, displacement));
  const out: Quantities = {};
  const midpoint = seen.get("midpoint")?.displacement;
  if (midpoint) out.midpoint_deltas = along(midpoint);
  const discrete = seen.get("discrete");
  if (discrete) out.deltas = along(discrete.weights.map((weight, l) => weight - flow.weights[l]));
  return out;
}
