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

function sentence(operation: string, expected: string, got: string, advice?: string): string {
  return `${operation}: expected ${expected}, got ${got}${advice ? `; ${advice}` : ""}`;
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
