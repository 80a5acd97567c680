export {
  type Cholesky,
  cholesky,
  choleskySolve,
  solveLower,
  solveLowerTransposed,
} from "./dense/cholesky.ts";
export { applyQ, applyQTransposed, type Qr, qr, solveUpper } from "./dense/qr.ts";
export { addFromCoordinates, type RowSpace, rowSpace } from "./dense/row-space.ts";
export { smat, svec, svecIndex, svecLength } from "./dense/svec.ts";
export { eigh, type SymmetricEigen, symmetricEigen } from "./dense/symmetric-eigen.ts";
export { allFinite, crossProducts } from "./dense/vectors.ts";
export type { Estimate } from "./eigenpairs/estimate.ts";
export { type LanczosOptions, lanczos } from "./eigenpairs/lanczos.ts";
export { type EigenProgress, type LobpcgOptions, lobpcg } from "./eigenpairs/lobpcg.ts";
export {
  type BlockOperator,
  type EigenPairs,
  type EigenResult,
  type EigenStats,
  ROUNDOFF_RESIDUAL,
} from "./eigenpairs/operator.ts";
export {
  type DensityOptions,
  type DensityProbe,
  type DensityResult,
  densityMoment,
  type SpectralDensity,
  smoothedDensity,
  spectralDensity,
} from "./eigenpairs/spectral-density.ts";
export { SubspaceHistory } from "./eigenpairs/subspace-history.ts";
export { hutchPlusPlus, type TraceOptions, type TraceResult } from "./eigenpairs/trace.ts";
export {
  differentiateSdcp,
  type SdcpDerivative,
  type SdcpDerivativeResult,
  type SdcpDerivativeStats,
  type SdcpDerivativeStatus,
} from "./programs/complementarity/derivative.ts";
export type { OperatorRepair, SdcpViolations } from "./programs/complementarity/problem.ts";
export {
  type SdcpOptions,
  type SdcpResult,
  type SdcpSolution,
  type SdcpStats,
  type SdcpStatus,
  sdcp,
} from "./programs/complementarity/sdcp.ts";
export { type TraceSdcpResult, traceConstrainedSdcp } from "./programs/complementarity/trace-constrained.ts";
export {
  diagonalMajorant,
  type MajorantOptions,
  type MajorantResult,
  type MajorantSolution,
  type MajorantStart,
  type MajorantStats,
  type MajorantStatus,
  type MajorantViolations,
} from "./programs/majorant/diagonal-majorant.ts";
export { largestMargin, type Margin, type MarginResult } from "./programs/margin.ts";
export {
  type NnlsResult,
  type NnlsSolution,
  type NnlsStats,
  type NnlsStatus,
  nnls,
} from "./programs/nnls.ts";
export type { NoiseViolations } from "./programs/noise/equation.ts";
export {
  type NoiseOptions,
  type NoiseResult,
  type NoiseSolution,
  type NoiseStats,
  type NoiseStatus,
  noiseEquation,
} from "./programs/noise/noise-equation.ts";
export type { QuadraticProgram } from "./programs/quadratic/data.ts";
export {
  differentiateQuadraticProgram,
  type QpCotangent,
  type QpDerivative,
  type QpDerivativeResult,
  type QpDerivativeStats,
  type QpDerivativeStatus,
  type QpPerturbation,
} from "./programs/quadratic/derivative.ts";
export {
  convexQuadraticProgram,
  type QpResult,
  type QpSolution,
  type QpStats,
  type QpStatus,
} from "./programs/quadratic/quadratic-program.ts";
export type { QpViolations } from "./programs/quadratic/violations.ts";
export type { SolverResult } from "./result.ts";
export { advice, type DenseStatus, type EigenStatus, type SolverStatus } from "./status.ts";
