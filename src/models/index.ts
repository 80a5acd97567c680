export {
  type Architecture,
  activation,
  architecture,
  type Model,
  type ModelShape,
  size,
} from "./architecture.ts";
export { ACTIVATIONS, drawParameters, fanInBound, linear, normal, uniform } from "./layers/layers.ts";
export { groupNorm, layerNorm, rmsNorm } from "./layers/normalization.ts";
export { accuracy, asRows, CRITERIA, type Criterion, rowLosses, rowWeights } from "./loss/criteria.ts";
export { type LabelledExamples, type RowCriterion, supervisedLoss } from "./loss/supervised.ts";
export { type OwnLoss, weightLoss } from "./loss/weight-loss.ts";
export {
  type ArchitectureName,
  type ArchitectureOptions,
  architectureNames,
  architectures,
  buildModel,
  createModel,
  modelNamed,
} from "./registry.ts";
