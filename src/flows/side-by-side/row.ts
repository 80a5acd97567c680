import { innerProduct } from "../dynamics/effective-hessian.ts";
import { predict } from "../processes/predictions.ts";
import type { Process, ProcessStatus } from "../processes/process.ts";
import type { CompiledRule } from "../rules/compile.ts";
import type { ProcessKind } from "../table.ts";

/** What there is to see of one process before a step. Its arrays are its own: they stay as they are. */
export interface ProcessRow {
  /** All weights in a row; `CentralFlow.named` gives them by parameter. */
  readonly weights: Float64Array;
  readonly loss: number;
  /** ‖∇L‖. */
  readonly gradientNorm: number;
  /** The largest eigenvalue of P⁻¹H, at the edge `CentralFlow.criticalValue`; for gradient descent η times that of H. */
  readonly effectiveSharpness: number;
  /** The largest eigenvalues of P⁻¹H that are tracked, descending. */
  readonly eigenvalues: Float64Array;
  /** The same of H itself, where P is one number; else empty. */
  readonly hessianEigenvalues: Float64Array;
  /** The time average of the optimizer's loss that a central flow predicts; of the others the loss. */
  readonly predictedLoss: number;
  /** The predicted variance along each critical eigenvector, descending; empty below the edge and for other processes. */
  readonly variances: Float64Array;
  /** `stopped`: the process stays where it is from here on. */
  readonly status: ProcessStatus;
}

/** One step of all processes: what there is to see before they move. */
export type FlowRow<K extends ProcessKind = ProcessKind> = {
  /** Optimizer steps taken before, those of the warm start included. */
  readonly step: number;
} & { readonly [Kind in K]: ProcessRow };

const NONE = new Float64Array(0);

/** What a prepared process shows. Undefined where it has failed. */
export function processRow({ observation, status }: Process, rule: CompiledRule): ProcessRow | undefined {
  if (!observation || status.kind === "failed") return undefined;
  const { weights, state, gradient, loss, pairs, hessianValues, oscillation } = observation;
  const eigenvalues = pairs?.values ?? NONE;
  return {
    weights,
    loss,
    gradientNorm: Math.sqrt(innerProduct(gradient, 0, gradient, 0, gradient.length)),
    effectiveSharpness: eigenvalues[0],
    eigenvalues,
    hessianEigenvalues: hessianValues ?? NONE,
    predictedLoss: oscillation ? predict(observation, oscillation, rule.criticalValue(state)).loss : loss,
    variances: oscillation?.variances ?? NONE,
    status,
  };
}
