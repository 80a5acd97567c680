import type { Problem } from "./problems.ts";

/** What a part may look at. */
export interface Request {
  readonly problems: readonly (() => Problem)[];
  /** Names of the runs that `steps` measures. */
  readonly stepProblems: readonly string[];
  /** Whether the part was asked for by name, and may install what it needs. */
  readonly named: boolean;
}
