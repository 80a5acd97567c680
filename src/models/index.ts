export { type Architecture, architecture, type Model, type ModelShape } from "./architecture.ts";
export { accuracy, asRows, CRITERIA, type Criterion, rowLosses, rowWeights } from "./loss/criteria.ts";
export { type LabelledExamples, supervisedLoss } from "./loss/supervised.ts";
export {
  type ArchitectureName,
  type ArchitectureOptions,
  architectureNames,
  architectures,
  buildModel,
  createModel,
  modelNamed,
} from "./registry.ts";
