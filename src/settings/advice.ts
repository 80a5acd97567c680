import type { Ending } from "../flows/index.ts";
import { advice } from "../linalg/index.ts";

/** Why a process ended, as a sentence with what to do about it: the codes of the core in the words of the flags. */
export function endingSentence(process: string, ending: Ending): string {
  return `${process}: ${reasonOf(ending)}`;
}

/** That a warm start ended early because it diverged, after how many of its steps and with which loss. */
export function warmStartSentence(steps: number, loss: number, startLoss: number): string {
  return `warm start: after ${steps} of its steps the loss is ${loss.toPrecision(4)}, from ${startLoss.toPrecision(4)} at the start, the run diverged; take a smaller learning rate`;
}

const WHERE = {
  gradient: "loss or gradient",
  state: "loss, gradient or state",
  curvature: "Hessian",
} as const;

function reasonOf(ending: Ending): string {
  switch (ending.code) {
    case "diverged":
      return `the ${WHERE[ending.where]} is no longer finite or has exploded, the run diverged; take a smaller learning rate or start further along (--warm-start)`;
    case "preconditioner":
      return "an entry of the preconditioner is not a positive number; a weight whose gradient is always 0 needs --opt.eps above 0, a flow with a small beta2 more substeps (--central.nsubsteps, --stable.min-nsubsteps), a schedule an end above 0";
    case "sharpness":
      return `effective sharpness ${ending.sharpness.toPrecision(4)} passed ${ending.bound}, where following the flow takes too many substeps (--stable.max-Seff)`;
    case "too-many-critical":
      return `${ending.critical} or more eigenvalues are at or beyond the edge of stability, more than a central flow can hold; take a smaller learning rate`;
    case "complementarity":
      return `the complementarity problem with ${ending.critical} critical eigenvalues ended "${ending.solver}": ${advice[ending.solver]}`;
    case "stationary-preconditioner":
      return `the problem for the stationary preconditioner ended "${ending.solver}": ${advice[ending.solver]}`;
  }
}
