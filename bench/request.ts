import type { Problem } from "./problems.ts";

/** What a part may look at. */
export interface Request {
  readonly problems: readonly (() => Problem)[];
  /** Whether the part was asked for by name, and may install what it needs. */
  readonly named: boolean;
}
