import { valueError } from "./errors.ts";

/** Far deeper than any file here is nested, far less deep than what a stack holds. */
const MOST_DEPTH = 100;

/**
 * Parses JSON that a person or another program wrote: a byte order mark before it is passed over, and it may not be
 * nested so deeply that whoever walks through it runs out of stack.
 *
 * @param what names the operation in errors
 * @param expected what is read: `a JSON file`
 * @throws InputValueError where the text is no JSON or nested more than 100 deep
 */
export function parseJson(text: string, what: string, expected: string): unknown {
  const depth = depthOf(text);
  if (depth > MOST_DEPTH)
    throw valueError(what, `${expected}, nested at most ${MOST_DEPTH} deep`, `${depth} opening brackets`);
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw valueError(what, expected, error instanceof Error ? error.message : "none");
  }
}

/** The most brackets that are open at once, those in strings left out. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (inString) {
      if (mark === "\\") at++;
      else if (mark === '"') inString = false;
    } else if (mark === '"') inString = true;
    else if (mark === "[" || mark === "{") most = Math.max(most, ++depth);
    else if (mark === "]" || mark === "}") depth--;
  }
  return most;
}
