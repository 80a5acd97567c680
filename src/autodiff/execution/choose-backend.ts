import { valueError } from "../../base/index.ts";
import type { Backend } from "../backends/backend.ts";
import { jsBackend } from "../backends/js/js.ts";
import { wasmBackend, wasmObstacle } from "../backends/wasm/wasm.ts";

/** A backend by name, or the best that the host has. */
export type BackendChoice = "auto" | "js" | "wasm";

/**
 * The backend for a choice: `auto` takes wasm where it can be had and otherwise js, with one line to show to the
 * user. Throws for `wasm` where the host forbids it, and for a name that is no choice.
 */
export function selectBackend(choice: BackendChoice): {
  readonly backend: Backend;
  readonly notice?: string;
} {
  if (choice === "js") return { backend: jsBackend };
  if (choice !== "auto" && choice !== "wasm") throw valueError("backend", "auto, js or wasm", String(choice));
  const backend = wasmBackend();
  if (backend) return { backend };
  const obstacle = wasmObstacle() as string;
  if (choice === "wasm") throw valueError("backend", "a host with WebAssembly", obstacle, "use js or auto");
  return { backend: jsBackend, notice: `using the js backend: ${obstacle}` };
}
