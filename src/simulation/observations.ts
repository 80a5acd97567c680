import type { Objective } from "../autodiff/index.ts";
import {
  type CentralObservation,
  CentralProcess,
  type CompiledRule,
  deltasAlong,
  MidpointProcess,
  type Observation,
  type Oscillation,
  oscillationOf,
  type Process,
  predict,
  type StationaryObservation,
  StationaryProcess,
  selectedIndices,
} from "../flows/index.ts";
import type { Quantity } from "./rows.ts";

/** A set of examples whose loss, accuracy and first outputs are logged. */
export interface WatchedExamples {
  readonly accuracy: (outputs: Float64Array) => number;
  /** The shape of the outputs of one example. */
  readonly outputShape: readonly number[];
}

/** What is logged besides the flows' own numbers. */
export interface Watched {
  readonly train: WatchedExamples | undefined;
  /** Test examples with an objective of their own. */
  readonly test: (WatchedExamples & { readonly objective: Objective }) | undefined;
}

/** Outputs of so many examples are logged. */
const OUTPUT_SAMPLES = 10;

type Quantities = Record<string, Quantity>;

function vector(data: Float64Array): Quantity {
  return { shape: [data.length], data };
}

function count(value: number): Quantity {
  return { shape: [], data: Float64Array.of(value), integer: true };
}

/** One row of quantities for prepared processes, by the reference's HDF5 paths. */
export function observeProcesses(
  processes: readonly Process[],
  rule: CompiledRule,
  watched: Watched,
): Quantities {
  const quantities: Quantities = {};
  const add = (prefix: string, part: Quantities): void => {
    for (const [key, value] of Object.entries(part)) quantities[`${prefix}${key}`] = value;
  };
  for (const process of processes) {
    const seen = process.observation;
    if (!seen || process.status.kind === "failed") continue;
    add(`${process.kind}/`, observeProcess(process, seen, rule, watched));
  }
  add("distances/", distances(processes));
  Object.assign(quantities, deltas(processes));
  return quantities;
}

function observeProcess(
  process: Process,
  seen: Observation,
  rule: CompiledRule,
  watched: Watched,
): Quantities {
  const p = seen.weights.length;
  const indices = selectedIndices(p);
  const out: Quantities = {
    train_loss: seen.loss,
    grad_norm_sq: seen.gradient.reduce((total, entry) => total + entry * entry, 0),
    grad_sq_selected_idx: vector(Float64Array.from(indices, (i) => seen.gradient[i] ** 2)),
    "opt.lr": rule.learningRate(seen.state),
  };
  if (process.status.kind === "running")
    for (const [part, seconds] of Object.entries(seen.times)) out[`times/${part}`] = seconds;
  for (const [key, value] of Object.entries(rule.rule.summary(seen.state, p, seen.preconditioner)))
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
    if (seen.pairs.solve)
      Object.assign(
        out,
        solveLog(process instanceof CentralProcess ? "flow_aux/eig_logs/" : "eig_logs/", seen),
      );
  }
  if (seen.hessianValues) out.hessian_eigs = vector(seen.hessianValues);
  if (seen.substeps !== undefined) out.substeps = count(seen.substeps);
  if (process instanceof CentralProcess)
    Object.assign(out, centralQuantities(seen as CentralObservation, rule, indices));
  if (process instanceof StationaryProcess)
    Object.assign(out, stationaryQuantities(seen as StationaryObservation, rule, indices));
  return out;
}

function examplesSeen(split: string, watched: WatchedExamples, outputs: Float64Array): Quantities {
  const width = watched.outputShape.reduce((size, length) => size * length, 1);
  const rows = Math.min(OUTPUT_SAMPLES, outputs.length / width);
  return {
    [`${split}_acc`]: watched.accuracy(outputs),
    [`${split}_outputs`]: { shape: [rows, ...watched.outputShape], data: outputs.slice(0, rows * width) },
  };
}

function solveLog(prefix: string, { pairs }: Observation): Quantities {
  const solve = pairs?.solve;
  if (!solve) return {};
  return {
    [`${prefix}n_iter`]: count(solve.iterations),
    [`${prefix}matvec_count`]: count(solve.applications),
    [`${prefix}residuals`]: vector(solve.residuals),
  };
}

function centralQuantities(
  seen: CentralObservation,
  rule: CompiledRule,
  indices: readonly number[],
): Quantities {
  const out = predictedQuantities(seen, oscillationOf(seen), rule, indices);
  if (seen.substep) {
    const k = seen.critical;
    const pairs = (k * (k + 1)) / 2;
    const { X, rates, violation } = seen.substep;
    out["flow_aux/X"] = { shape: [k, k], data: X };
    out["flow_aux/dH_dt_stable"] = vector(rates.dHdtStable);
    out["flow_aux/dH_dt_X"] = { shape: [pairs, pairs], data: rates.dHdtX };
    out["flow_aux/dP_dt_stable"] = vector(rates.dPdtStable);
    out["flow_aux/dP_dt_X"] = { shape: [pairs, pairs], data: rates.dPdtX };
    out["flow_aux/violation"] = violation;
  }
  return out;
}

function stationaryQuantities(
  seen: StationaryObservation,
  rule: CompiledRule,
  indices: readonly number[],
): Quantities {
  return {
    ...predictedQuantities(seen, seen.oscillation, rule, indices),
    "flow_aux/violation": seen.violation,
    "flow_aux/matvec_count": count(seen.applications),
  };
}

/** What a flow with the given oscillation predicts of time averages. */
function predictedQuantities(
  seen: Observation,
  oscillation: Oscillation,
  rule: CompiledRule,
  indices: readonly number[],
): Quantities {
  const predicted = predict(seen, oscillation, rule.criticalValue(seen.state), indices);
  return {
    predicted_variances: vector(oscillation.variances),
    sigma_trace: predicted.sigmaTrace,
    predicted_grad_norm_sq: predicted.gradientNormSquared,
    predicted_grad_sq_selected_idx: vector(predicted.gradientSquared),
    predicted_loss: predicted.loss,
  };
}

/** ‖w_a − w_b‖ for every pair, named in alphabetical order. */
function distances(processes: readonly Process[]): Quantities {
  const present = processes
    .filter((process) => process.observation && process.status.kind !== "failed")
    .sort((a, b) => (a.kind < b.kind ? -1 : 1));
  const out: Quantities = {};
  present.forEach((a, i) => {
    for (const b of present.slice(i + 1)) {
      const x = (a.observation as Observation).weights;
      const y = (b.observation as Observation).weights;
      let total = 0;
      for (let l = 0; l < x.length; l++) total += (x[l] - y[l]) ** 2;
      out[`${a.kind}-${b.kind}`] = Math.sqrt(total);
    }
  });
  return out;
}

/** The measured oscillation along the directions whose variances the central flow predicts. */
function deltas(processes: readonly Process[]): Quantities {
  const alive = processes.filter((process) => process.status.kind !== "failed");
  const flow = alive.find(
    (process): process is CentralProcess => process instanceof CentralProcess && process.kind === "central",
  )?.observation;
  if (!flow) return {};
  const oscillation: Oscillation = oscillationOf(flow);
  const along = (displacement: Float64Array): Quantity =>
    vector(deltasAlong(oscillation, flow.preconditioner, displacement));
  const out: Quantities = {};
  const midpoint = alive.find((process) => process instanceof MidpointProcess);
  if (midpoint?.observation) out.midpoint_deltas = along(midpoint.oscillation());
  const discrete = alive.find((process) => process.kind === "discrete")?.observation;
  if (discrete) out.deltas = along(discrete.weights.map((weight, l) => weight - flow.weights[l]));
  return out;
}
