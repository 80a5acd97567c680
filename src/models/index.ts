export { accuracy, asRows, CRITERIA, type Criterion, rowLosses, rowWeights } from "./criteria.ts";
export type { Model, ModelShape } from "./model.ts";
export {
  type ArchitectureName,
  type ArchitectureOptions,
  architectureNames,
  createModel,
} from "./registry.ts";
export { type LabelledExamples, supervisedLoss } from "./supervised.ts";
