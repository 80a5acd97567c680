import { either, flag, integer, type Setting } from "../../base/index.ts";

/** No progress. */
export const quiet = { kind: flag, default: false, help: "no progress" } satisfies Setting<boolean>;

/** A number of steps that is not the usual one. */
export const steps = (help: string) =>
  ({ kind: either(integer({ min: 1 }), "none", null), default: null, help }) satisfies Setting<number | null>;

/** Output for programs. */
export const json = (help: string) => ({ kind: flag, default: false, help }) satisfies Setting<boolean>;
