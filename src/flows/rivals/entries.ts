import { type ProcessEntry, plainEntry } from "../processes/entry.ts";
import type { Observation } from "../processes/process.ts";
import type { Quantities } from "../processes/quantity.ts";
import { checkDirection, EdgeFlowProcess } from "./edge-flow.ts";
import { RodProcess } from "./rod.ts";
import { TwoStepProcess } from "./two-step.ts";

/** In place of L + (c/2)·tr X, which supposes that all oscillation is at the edge: what the model itself says of the loss. */
const ownPrediction = ({ predictedLoss }: Observation & { readonly predictedLoss: number }): Quantities => ({
  predicted_loss: predictedLoss,
});

export const twoStep = {
  ...plainEntry,
  kind: "two-step",
  label: "Two-step flow",
  eigenSettings: "central",
  needsEigenvalues: "always",
  create: (setup, settings) => new TwoStepProcess(setup, settings.central, settings.twoStep),
  quantities: ownPrediction,
} as const satisfies ProcessEntry;

export const closure = {
  ...twoStep,
  kind: "closure",
  label: "Second-moment closure",
  create: (setup, settings) => new TwoStepProcess(setup, settings.central, settings.twoStep, "closure"),
} as const satisfies ProcessEntry;

export const rod = {
  ...plainEntry,
  kind: "rod",
  label: "Rod flow (reconstructed)",
  eigenSettings: "central",
  create: (setup, settings) => new RodProcess(setup, settings.central, settings.rod),
  quantities: ownPrediction,
} as const satisfies ProcessEntry;

export const rodEach = {
  ...rod,
  kind: "rod-each",
  label: "Rod flow, each direction (reconstructed)",
  create: (setup, settings) => new RodProcess(setup, settings.central, settings.rod, "rod-each"),
} as const satisfies ProcessEntry;

export const edge = {
  ...plainEntry,
  kind: "edge-flow",
  label: "Edge flow (reconstructed)",
  eigenSettings: "central",
  rules: "no momentum",
  check: checkDirection,
  create: (setup, settings) => new EdgeFlowProcess(setup, settings.central, settings.edge),
  quantities: ownPrediction,
} as const satisfies ProcessEntry;
