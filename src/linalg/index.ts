export { type Cholesky, cholesky, choleskySolve, solveLower, solveLowerTransposed } from "./cholesky.ts";
export {
  diagonalMajorant,
  type MajorantOptions,
  type MajorantResult,
  type MajorantSolution,
  type MajorantStart,
  type MajorantStats,
  type MajorantStatus,
  type MajorantViolations,
} from "./diagonal-majorant.ts";
export { type SymmetricEigen, symmetricEigen } from "./eigen.ts";
export {
  type BlockOperator,
  type EigenPairs,
  type EigenResult,
  type EigenStats,
  ROUNDOFF_RESIDUAL,
} from "./eigen-types.ts";
export { type LanczosOptions, lanczos } from "./lanczos.ts";
export { type EigenProgress, type LobpcgOptions, lobpcg } from "./lobpcg.ts";
export { type NnlsResult, type NnlsSolution, type NnlsStats, type NnlsStatus, nnls } from "./nnls.ts";
export type { QpViolations } from "./qp-violations.ts";
export { applyQ, applyQTransposed, type Qr, qr, solveUpper } from "./qr.ts";
export {
  convexQuadraticProgram,
  type QpResult,
  type QpSolution,
  type QpStats,
  type QpStatus,
  type QuadraticProgram,
} from "./quadratic-program.ts";
export type { SolverResult } from "./result.ts";
export {
  type SdcpOptions,
  type SdcpResult,
  type SdcpSolution,
  type SdcpStats,
  type SdcpStatus,
  sdcp,
} from "./sdcp.ts";
export type { OperatorRepair, SdcpViolations } from "./sdcp-problem.ts";
export { type TraceSdcpResult, traceConstrainedSdcp } from "./sdcp-trace.ts";
export { advice, type DenseStatus, type EigenStatus, type SolverStatus } from "./status.ts";
export { SubspaceHistory } from "./subspace-history.ts";
export { smat, svec, svecIndex, svecLength } from "./svec.ts";
