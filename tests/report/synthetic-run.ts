import type { Quantity, StepRow } from "../../src/simulation/index.ts";

const vector = (...data: number[]): Quantity => ({ shape: [data.length], data: Float64Array.from(data) });
const count = (n: number): Quantity => ({ shape: [], data: Float64Array.of(n), integer: true });

/** Step at which the synthetic run meets the edge of stability. */
export const EDGE_STEP = 40;

/**
 * A run as central flows look: sharpness rises to 2 at `EDGE_STEP`; from there the optimizer's oscillation swells
 * and dies down around its mean σ², the central flow stays at 2 and the stable flow climbs on. Everything is a
 * closed formula of the step, so a test can recompute any number.
 */
export function syntheticRun(
  steps: number,
  processes = ["discrete", "midpoint", "central", "stable"],
): StepRow[] {
  return Array.from({ length: steps }, (_, index) => ({
    index,
    step: index + 5,
    quantities: rowAt(index, processes),
  }));
}

function rowAt(t: number, processes: readonly string[]): Record<string, Quantity> {
  const past = Math.max(0, t - EDGE_STEP);
  const critical = past > 0;
  const variance = critical ? 0.02 * (1 - Math.exp(-past / 15)) : 0;
  const swing = Math.sqrt(2 * variance) * Math.sin(t / 7) * (t % 2 === 0 ? 1 : -1);
  const base = 0.02 + 0.6 * Math.exp(-t / 30);
  const losses: Record<string, number> = {
    discrete: base + swing ** 2,
    midpoint: base * 1.01,
    central: base,
    stable: base * Math.exp(-past / 200),
  };
  const sharpness: Record<string, number> = {
    discrete: critical ? 2 + 0.2 * Math.cos(t / 7) : 0.4 + (1.6 * t) / EDGE_STEP,
    midpoint: critical ? 2 + 0.05 * Math.cos(t / 7) : 0.4 + (1.6 * t) / EDGE_STEP,
    central: critical ? 2 : 0.4 + (1.6 * t) / EDGE_STEP,
    stable: 0.4 + (1.6 * t) / EDGE_STEP,
  };
  const log: Record<string, Quantity> = {};
  for (const process of processes) {
    log[`${process}/train_loss`] = losses[process];
    log[`${process}/train_acc`] = Math.min(1, (0.1 + t / 60) * (1 - losses[process] / 4));
    log[`${process}/grad_norm_sq`] =
      0.5 * losses[process] ** 2 + (process === "discrete" ? 8 * swing ** 2 : 0);
    log[`${process}/effective_hessian_eigs`] = vector(
      sharpness[process],
      ...(t > 20 ? [0.7 * sharpness[process]] : []),
    );
    log[`${process}/opt.nu_l1`] = 0.1 + 0.01 * t;
    log[`${process}/times/eig`] = 0.05 + 0.01 * Math.sin(t);
    log[`${process}/times/grad_and_value`] = 0.004;
    log[`${process}/eig_logs/matvec_count`] = count(20 + (t % 5));
  }
  for (const [i, b] of [...processes].sort().entries())
    for (const a of [...processes].sort().slice(0, i))
      log[`distances/${a}-${b}`] = [a, b].includes("stable")
        ? 0.01 * past + Math.abs(swing)
        : Math.abs(swing);
  // The plane turns every fifty rows; along the fast direction only the optimizer moves.
  if (processes.includes("central")) {
    log["plane/row"] = count(t - (t % 50));
    for (const process of processes)
      log[`plane/${process}`] = vector(0.01 * (t % 50), process === "discrete" ? swing : 0);
  }
  if (processes.includes("central")) {
    log["central/predicted_loss"] = base + variance;
    log["central/predicted_grad_norm_sq"] = 0.5 * base ** 2 + 8 * variance;
    log["central/predicted_variances"] = critical ? vector(variance) : vector();
    if (processes.includes("discrete")) log.deltas = critical ? vector(swing) : vector();
    if (processes.includes("midpoint")) log.midpoint_deltas = critical ? vector(swing) : vector();
  }
  return log;
}

/** A configuration as config.json nests it. */
export const CONFIG = {
  opt: { lr: 0.02, beta2: 0.99, class: "RMSProp" },
  data: { n: 200, criterion: "mse", class: "Digits" },
  arch: { activation: "gelu", width: 32, class: "MLP" },
  eig_config: { frequency: 1, raw_eigenvalues: true },
  runs: ["central", "discrete"],
  steps: 200,
  warm_start: 5,
  load: { path: null },
} as const;
