import { spawnSync } from "node:child_process";
import { summary, type Times } from "../timing.ts";
import type { Engine } from "./engines.ts";
import { readResult } from "./exchange.ts";

export const OPERATIONS = ["gradient", "hvp", "shared", "joint"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Our results, in the order in which peers write theirs. */
export interface Reference {
  readonly gradient: Float64Array;
  /** A row per direction. */
  readonly products: Float64Array;
  /** A row per pair of directions. */
  readonly thirds: Float64Array;
}

/** How one method of a peer did one operation. */
export interface Attempt {
  readonly method: string;
  readonly times: Times;
  /** Relative errors in the 2-norm against our results: of ∇L, Hv and D³L, as far as the operation has them. */
  readonly errors: readonly number[];
  readonly right: boolean;
}

/** What a peer (with one number of threads) made of a problem. */
export interface Outcome {
  readonly name: string;
  readonly threads: number;
  readonly attempts: Readonly<Record<Operation, readonly Attempt[]>>;
  /** Sentences on what failed. */
  readonly failures: readonly string[];
}

interface Line {
  readonly threads?: number;
  readonly operation: Operation;
  readonly method: string;
  readonly file?: string;
  readonly samples?: number[];
  readonly error?: string;
}

/** Runs a peer on the problem in a folder, in a process of its own that ends when its seconds are over. */
export function outcomesOf(engine: Engine, folder: string, reference: Reference): Outcome[] {
  const { seconds } = engine;
  const [program, ...words] = [...engine.command, folder, ...engine.options];
  const { stdout, stderr, error, status } = spawnSync(program, words, {
    encoding: "utf8",
    timeout: 1000 * seconds,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 26,
  });
  const lines = stdout
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .map((text) => JSON.parse(text) as Line);
  const counts = [...new Set(lines.map(({ threads }) => threads))];
  const failure = failureOf(error, status, stderr, seconds);
  if (lines.length === 0)
    return [{ name: engine.name, threads: 1, attempts: none(), failures: failure ? [failure] : [] }];
  return counts.map((threads, c) => {
    const own = lines.filter((line) => line.threads === threads);
    const failures = own.flatMap(({ operation, method, error: why }) =>
      why === undefined ? [] : [`${operation} by ${method}: ${why}`],
    );
    const attempts = none();
    for (const { operation, method, file, samples } of own)
      if (file !== undefined && samples !== undefined) {
        const errors = errorsOf(operation, readResult(folder, file), reference);
        const right = errors.every((relative) => relative <= engine.tolerance);
        attempts[operation].push({ method, times: summary(samples), errors, right });
      }
    const ended = failure !== undefined && c === counts.length - 1 ? [failure] : [];
    const name =
      threads === undefined ? engine.name : `${engine.name}, ${threads} thread${threads > 1 ? "s" : ""}`;
    return { name, threads: threads ?? 1, attempts, failures: [...failures, ...ended] };
  });
}

const none = (): Record<Operation, Attempt[]> => ({ gradient: [], hvp: [], shared: [], joint: [] });

function failureOf(
  error: NodeJS.ErrnoException | undefined,
  status: number | null,
  stderr: string,
  seconds: number,
): string | undefined {
  if (error?.code === "ETIMEDOUT") return `stopped after ${seconds} seconds; what is missing takes longer`;
  if (error) return error.message;
  if (status === 0) return undefined;
  return stderr.split("\n").find((text) => /error/i.test(text)) ?? `ended with status ${status}`;
}

function errorsOf(operation: Operation, result: Float64Array, reference: Reference): number[] {
  const { gradient, products, thirds } = reference;
  const p = gradient.length;
  if (operation === "gradient") return [relativeError(result, gradient)];
  if (operation !== "joint") return [relativeError(result, products.subarray(0, p))];
  const afterProducts = p + products.length;
  return [
    relativeError(result.subarray(0, p), gradient),
    relativeError(result.subarray(p, afterProducts), products),
    relativeError(result.subarray(afterProducts), thirds),
  ];
}

/** ‖a − b‖/‖b‖; infinite where lengths differ. */
function relativeError(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(difference / size);
}
