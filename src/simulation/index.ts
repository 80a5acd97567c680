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
  type Quantity,
  quantityData,
  quantityShape,
  rowDifference,
  type StepRow,
} from "./rows.ts";
export { Simulation } from "./simulation.ts";
