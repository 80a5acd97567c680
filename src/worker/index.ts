/** Rows computed in a worker, consumed in the page: a browser's, Node's, Deno's or Bun's. */

export {
  type InputOf,
  type RowOf,
  type RowsOptions,
  rowsOf,
  type StopSignal,
  type WorkerLike,
} from "./rows-of.ts";
export { type Rows, type Served, serve } from "./serve.ts";
