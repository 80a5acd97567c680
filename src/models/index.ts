export type { Model, ModelShape } from "./architecture.ts";
export { accuracy, asRows, CRITERIA, type Criterion, rowLosses, rowWeights } from "./loss/criteria.ts";
export { type LabelledExamples, supervisedLoss } from "./loss/supervised.ts";
export {
  type ArchitectureName,
  type ArchitectureOptions,
  architectureNames,
  createModel,
} from "./registry.ts";
