/** One run in memory: processes side by side, and the rows they yield. */

export {
  type BuiltRun,
  buildRun,
  criticalValueOf,
  type Host,
  type OwnParts,
  type Problem,
  problemOf,
  type RunProfile,
} from "./build.ts";
export { type WeightsFromFile, weightsFromFile } from "./initial-weights.ts";
export { OBSERVED, type OwnQuantity, quantity, type SeenProcess } from "./own-quantity.ts";
export { inNetworkWeights, inward, outward } from "./row-space.ts";
export {
  isIntegerQuantity,
  isWallClock,
  offsetIn,
  type Quantity,
  quantityData,
  quantityShape,
  RowBytes,
  rowDifference,
  type StepRow,
  withOutputsEvery,
  withoutPadding,
} from "./rows.ts";
export { Simulation } from "./simulation.ts";
export { restoreProcesses, type Snapshot, snapshotOf } from "./snapshot.ts";
