/** See release.mjs. */
export function agreements(texts: {
  readonly manifest: object;
  readonly lock: object;
  readonly changelog: string;
  readonly citation: string;
}): [string, string | undefined][];
