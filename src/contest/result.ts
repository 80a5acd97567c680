import type { ProcessKind } from "../flows/index.ts";
import type { Facts, Score } from "./score.ts";

/** A series of numbers as they are kept: NaN as null, six digits. */
export type Series = readonly (number | null)[];

/** One model on one problem, as it is kept. */
export interface Entry {
  readonly model: ProcessKind;
  readonly score: { readonly [K in keyof Score]: number | null };
  readonly distance: Series;
  readonly loss: Series;
  readonly sharpness: Series;
}

/** One problem, as it is kept in its own file. */
export interface ProblemResult {
  readonly name: string;
  readonly help: string;
  readonly steps: number;
  readonly facts: { readonly [K in keyof Facts]: number | null };
  readonly loss: Series;
  readonly sharpness: Series;
  readonly entries: readonly Entry[];
}
