/** The Hessian at given weights: ends of its spectrum, density, trace, blocks, Gauss–Newton part. What ε does to a rule with a second moment. */
export {
  type AdaptivityAt,
  type AdaptivityInterval,
  adaptivity,
  adaptivityAt,
  adaptivityInterval,
  type MagnitudeHistogram,
  magnitudeHistogram,
  secondMomentOf,
} from "./adaptivity.ts";
export {
  ALL_WEIGHTS,
  BLOCK_KINDS,
  type Block,
  type BlockKind,
  blocksOf,
  type WeightRange,
} from "./blocks.ts";
export { type DensityCurve, densityCurve } from "./curve.ts";
export { type Diagnostics, diagnosticsAt } from "./diagnostics.ts";
export { type LayerNorm, layerNorms, spectralNorm } from "./layer-norms.ts";
export { curvatureOperator, MATRICES, type MatrixName } from "./operator.ts";
export { preconditionerAt } from "./preconditioner.ts";
export { spectrumQuantities } from "./quantities.ts";
export {
  type CurvatureAt,
  hessianSpectrum,
  type Spectrum,
  type SpectrumEnd,
  type SpectrumOptions,
} from "./spectrum.ts";
