/**
 * Errors that teach. Misuse throws one of the two classes below, worded
 * `operation: expected …, got …; advice`; numerical failure is a status, never an exception.
 */

/** The caller gave a value outside what the operation accepts. */
export class InputValueError extends RangeError {
  override readonly name = "InputValueError";
}

/** The caller gave a value of the wrong kind. */
export class InputKindError extends TypeError {
  override readonly name = "InputKindError";
}

/**
 * Work ended before it was done because `shouldStop` answered true: neither misuse nor failure. It passes through
 * whatever was called in between; who gave the `shouldStop` catches it. Nothing that was asked for has a value then, and
 * what threw it stays usable.
 */
export class Stopped extends Error {
  override readonly name = "Stopped";

  /** @param operation what was stopped, e.g. `evaluation` */
  constructor(operation: string) {
    super(`${operation}: stopped before it was done, as it was asked to`);
  }
}

/**
 * Asked by long work, once per chunk of examples or iteration, whether to end early: true ends it with `Stopped`. Called
 * often, on the thread that computes, so it looks at a flag or a clock and at nothing slower.
 */
export type ShouldStop = () => boolean;

/** Throws `Stopped` for this operation where `shouldStop` is given and answers true. */
export function throwIfStopped(operation: string, shouldStop: ShouldStop | undefined): void {
  if (shouldStop?.()) throw new Stopped(operation);
}

/** Characters of a repeated value that a message shows: of a longer one the beginning and the end. */
const SHOWN = 200;

/** A value as a message repeats it: whole, or cut in its middle. */
function shown(text: string): string {
  if (text.length <= SHOWN) return text;
  const characters = Array.from(text);
  const cut = [...characters.slice(0, (SHOWN * 3) / 4), "…", ...characters.slice(-SHOWN / 4)].join("");
  return cut.length < text.length ? cut : text;
}

function sentence(operation: string, expected: string, got: string, advice?: string): string {
  return `${shown(operation)}: expected ${expected}, got ${shown(got)}${advice ? `; ${advice}` : ""}`;
}

/** Builds (does not throw) the error for a wrong value: `operation: expected …, got …; advice`. */
export function valueError(
  operation: string,
  expected: string,
  got: string,
  advice?: string,
): InputValueError {
  return new InputValueError(sentence(operation, expected, got, advice));
}

/** Builds (does not throw) the error for a wrong kind: `operation: expected …, got …; advice`. */
export function kindError(operation: string, expected: string, got: string, advice?: string): InputKindError {
  return new InputKindError(sentence(operation, expected, got, advice));
}

/** True for errors that the caller can mend (exit status 2), false for failures and bugs (exit status 1). */
export function isMisuse(error: unknown): error is InputValueError | InputKindError {
  return error instanceof InputValueError || error instanceof InputKindError;
}
