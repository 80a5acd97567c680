/**
 * WebAssembly below autodiff and linalg. It knows no graph and no plan: whoever uses it says which kernels to call over
 * which memory.
 *
 * - emit: an assembler (`ModuleWriter`, instructions, statements, loops), what a kernel finds in front of its memory (the
 *   header: parameter words, tables, panels), and `Call`, one use of a kernel as data; `bindCalls` makes calls run.
 * - functions: the elementwise operations by name, from + to erf, two doubles at a time, with the bits of base.
 * - dense: matrix products in packed panels and register tiles.
 * - programs: kernel calls as bytecode, and the runner, which is an interpreter in WebAssembly.
 * - threads: jobs, which several threads do together.
 */
export { type Arithmetic, FUSED, fusedObstacle, SEPARATE } from "./dense/arithmetic.ts";
export { type GemmSizes, gemmCall } from "./dense/gemm.ts";
export { smallProductCall } from "./dense/small.ts";
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
export { type Call, wholeArrays } from "./emit/call.ts";
export { engine, type Module, wasmObstacle } from "./emit/engine.ts";
export { fillCalls } from "./emit/fill.ts";
export {
  HEADER_BYTES,
  HEADER_START,
  type HeaderOffset,
  own,
  PANELS,
  PROGRAM,
  SCRATCH,
  word,
} from "./emit/header.ts";
export { f64, f64x2, i32, i32x4, int, v128 } from "./emit/instructions.ts";
export { bindCalls, callsBack, moduleOf } from "./emit/kernels.ts";
export { type LoopNest, loopWords, nestedLoops } from "./emit/loops.ts";
export { entriesStart, type KernelMemory, newKernelMemory } from "./emit/memory.ts";
export { gain, least, loseOne } from "./emit/statements.ts";
export { type KernelWords, kernelWords } from "./emit/words.ts";
export { Block } from "./functions/block.ts";
export {
  declareImports,
  ELEMENTWISE,
  type ElementwiseName,
  type Imports,
  isElementwise,
} from "./functions/elementwise.ts";
export { type BoundProgram, bindProgram } from "./programs/bind.ts";
export { type Bytecode, bytecodeOf, type PositionedCalls } from "./programs/bytecode.ts";
export { RUNNER } from "./programs/runner.ts";
export { COMMAND, JOB, Job, SPINS, work } from "./threads/job.ts";
export { ThreadPool, threadPool, threadsObstacle } from "./threads/pool.ts";
export { VectorRoom } from "./vectors/space.ts";
