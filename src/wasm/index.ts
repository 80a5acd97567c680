/** WebAssembly below autodiff and linalg: assembler, elementary functions, matrix products, threads. No graph, no plan. */
export { gemmModule } from "./dense/gemm.ts";
export { COLUMN_PANEL, COLUMNS, CONVOLUTION_TILE, ROW_PANEL, ROWS, tileFunction } from "./dense/tile.ts";
export {
  type Caller,
  type Code,
  type Local,
  loopWhile,
  ModuleWriter,
  repeatWhile,
  type Scope,
  when,
} from "./emit/assembler.ts";
export type { Call } from "./emit/call.ts";
export { engine, type Module } from "./emit/engine.ts";
export { fillCalls } from "./emit/fill.ts";
export { f64, f64x2, i32, i32x4, int, v128 } from "./emit/instructions.ts";
export {
  AREA_BYTES,
  AREA_START,
  type AreaOffset,
  newWorkspace,
  own,
  PANELS,
  SCRATCH,
  type Workspace,
  word,
} from "./emit/memory.ts";
export { gain, least, loseOne, parameters } from "./emit/statements.ts";
export { Block, c, choose } from "./functions/block.ts";
export { erf } from "./functions/erf.ts";
export { exp, sigmoid, tanh } from "./functions/exponential.ts";
export { log, softplus } from "./functions/logarithm.ts";
export { pow } from "./functions/power.ts";
export { wave } from "./functions/sine.ts";
export { COMMAND, JOB, Schedule, WAITING, work } from "./threads/job.ts";
export { theCrew } from "./threads/pool.ts";
