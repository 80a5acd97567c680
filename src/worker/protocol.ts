/**
 * Messages between a page and its worker. A page asks for runs one after another, each with a number; rows come in
 * batches and are counted back as they are consumed, so that a worker gets ahead by a bounded number.
 */

/** What a page says. */
export type Request =
  | { readonly say: "run"; readonly run: number; readonly input: unknown }
  | { readonly say: "consumed"; readonly run: number; readonly rows: number }
  | { readonly say: "stop"; readonly run: number };

/** What a worker answers. */
export type Answer =
  | { readonly say: "rows"; readonly run: number; readonly rows: readonly unknown[] }
  | { readonly say: "done"; readonly run: number }
  | { readonly say: "failed"; readonly run: number; readonly name: string; readonly message: string };

/** An end of the line: in a browser a Worker or a worker's own scope, in Node a Worker or its parentPort. */
export interface Endpoint {
  postMessage(message: unknown): void;
  addEventListener?(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  removeEventListener?(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  on?(type: string, listener: (data: unknown) => void): unknown;
  off?(type: string, listener: (data: unknown) => void): unknown;
}

/** Listens to messages, or to `error` and `messageerror`. @returns what ends it */
export function listen(end: Endpoint, type: string, listener: (data: unknown) => void): () => void {
  if (end.on && end.off) {
    end.on(type, listener);
    return () => end.off?.(type, listener);
  }
  const heard = (event: { readonly data?: unknown }): void =>
    listener(type === "message" ? event.data : event);
  end.addEventListener?.(type, heard);
  return () => end.removeEventListener?.(type, heard);
}
