import type { Rule } from "./tolerances.ts";

/** One quantity of one case compared with the reference. `pass` is null where the deviation is reported unjudged. */
export interface Check {
  readonly case: string;
  readonly quantity: string;
  /** As the rule measures it; for trajectories the largest over the steps. */
  readonly error: number;
  readonly tolerance: number;
  /** What is measured and where the tolerance comes from. */
  readonly rule: string;
  readonly pass: boolean | null;
}

/** A case, or a part of one, that this build has no code for, with the reason. */
export interface Skip {
  readonly case: string;
  readonly skipped: string;
}

/** What came of one quantity of a case. */
export type Verdict = Check | Skip;

/** What a rule says of an error. */
export function judged(name: string, quantity: string, error: number, { tolerance, text }: Rule): Check {
  return { case: name, quantity, error, tolerance, rule: text, pass: error <= tolerance };
}

/** An error that is reported and no more. */
export function unjudged(name: string, quantity: string, error: number, rule: Rule): Check {
  return { ...judged(name, quantity, error, rule), pass: null };
}

/** ‖a − b‖/‖b‖ over the entries; entries where both are NaN agree, where one is they do not (∞). */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    if (Number.isNaN(a[i]) && Number.isNaN(b[i])) continue;
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}
