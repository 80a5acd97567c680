/** One run in memory: processes side by side, and the rows they yield. */

export {
  type BuiltRun,
  buildRun,
  criticalValueOf,
  type Host,
  type LoadedRule,
  modelOf,
  type RunProfile,
} from "./build.ts";
export { type WeightsFromFile, weightsFromFile } from "./initial-weights.ts";
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
  withoutPadding,
} from "./rows.ts";
export { Simulation } from "./simulation.ts";
