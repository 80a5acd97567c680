import { valueError } from "../../base/index.ts";
import type { Backend } from "../backends/backend.ts";
import { jsBackend } from "../backends/js/js.ts";
import { fusedBackend, fusedObstacle, wasmBackend, wasmObstacle } from "../backends/wasm/wasm.ts";

/** A backend by name, or the best that the host has of those with the one definition of bits: `wasm-fma` has its own. */
export type BackendChoice = "auto" | "js" | "wasm" | "wasm-fma";

/**
 * The backend for a choice: `auto` takes wasm where it can be had and otherwise js, with one line to show to the
 * user. Throws for `wasm` and `wasm-fma` where the host cannot, and for a name that is no choice.
 */
export function selectBackend(choice: BackendChoice): {
  readonly backend: Backend;
  readonly notice?: string;
} {
  if (choice === "js") return { backend: jsBackend };
  if (choice === "wasm-fma") return { backend: fusedOrRefuse() };
  if (choice !== "auto" && choice !== "wasm")
    throw valueError("backend", "auto, js, wasm or wasm-fma", String(choice));
  const backend = wasmBackend();
  if (backend) return { backend };
  const obstacle = wasmObstacle() as string;
  if (choice === "wasm") throw valueError("backend", "a host with WebAssembly", obstacle, "use js or auto");
  return { backend: jsBackend, notice: `using the js backend: ${obstacle}` };
}

function fusedOrRefuse(): Backend {
  const backend = fusedBackend();
  if (backend) return backend;
  throw valueError(
    "backend",
    "a host with a fused multiply-and-add for wasm-fma",
    fusedObstacle() as string,
    "use wasm, which every recent host has",
  );
}
