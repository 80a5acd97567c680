import type { Numbered, Told } from "../engine/protocol.ts";
import { Server } from "../engine/serve.ts";

/** What of a worker's global scope is used; the page's own types have another `postMessage`. */
interface WorkerScope {
  postMessage(told: Told, moved: readonly ArrayBuffer[]): void;
  onmessage: ((event: { readonly data: Numbered }) => void) | null;
}

/** Serves a page from inside a worker. */
export function startWorker(): void {
  const scope = globalThis as unknown as WorkerScope;
  const turns = new MessageChannel();
  const waiting: (() => void)[] = [];
  turns.port1.onmessage = () => waiting.shift()?.();
  const server = new Server({
    tell: (told, moved) => scope.postMessage(told, moved),
    soon(callback) {
      waiting.push(callback);
      turns.port2.postMessage(0);
    },
    now: () => performance.now(),
  });
  scope.onmessage = ({ data }) => server.hear(data);
}
