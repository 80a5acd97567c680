import type { Bits } from "../link/bits.ts";
import type { PackedRows } from "./pack.ts";

/** What a page asks of a worker. A run is told as the words after `central-flows run`. */
export type Request =
  /** Builds a run, and takes its first rows, by which its cost is told. */
  | { readonly type: "init"; readonly argv: readonly string[] }
  /** Takes rows until there are so many. */
  | { readonly type: "run"; readonly until: number }
  | { readonly type: "pause" }
  /** Takes one row. */
  | { readonly type: "step" }
  /** Goes on from row `step` with other words, which give the same rows before it. */
  | { readonly type: "fork"; readonly step: number; readonly argv: readonly string[] };

/** A request and its number; a page counts up over the life of a worker. */
export interface Numbered {
  readonly number: number;
  readonly request: Request;
}

/** Why processes have ended: the process, whether it has failed or merely stopped, and the sentence. */
export interface EndedProcess {
  readonly process: string;
  readonly failed: boolean;
  readonly sentence: string;
}

/** Training examples in the plane, for the picture of what the network does. */
export interface PlanarData {
  /** Two coordinates an example. */
  readonly points: Float64Array;
  readonly labels: Float64Array;
  readonly classes: number;
  /** Left, right, bottom, top of the picture. */
  readonly extent: readonly [number, number, number, number];
}

/** What the network answers over the plane: `side`² cells from the lower left, each with its outputs. */
export interface Picture {
  readonly row: number;
  readonly side: number;
  readonly outputs: Float64Array;
  readonly width: number;
}

/** What a worker tells its page. */
export type Report =
  | {
      readonly type: "ready";
      /** Weights. */
      readonly p: number;
      /** Seconds a row. */
      readonly cost: number;
      readonly criticalValue: number;
      readonly backend: string;
      readonly notices: readonly string[];
      readonly planar?: PlanarData;
    }
  /** Rows from `from` on are void. */
  | { readonly type: "cut"; readonly from: number }
  | { readonly type: "rows"; readonly rows: PackedRows; readonly bits: Bits; readonly picture?: Picture }
  /** No row comes before something is asked: the run has its rows, or every process has ended, or it is paused. */
  | {
      readonly type: "rests";
      readonly rows: number;
      readonly ended: readonly EndedProcess[];
      readonly over: boolean;
    }
  | { readonly type: "failed"; readonly sentence: string; readonly misuse: boolean };

/** A report, and the number of the last request that was heard before it: what answers to an earlier run is told by it. */
export interface Told {
  readonly heard: number;
  readonly report: Report;
}
