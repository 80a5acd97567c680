// node print.js [js|wasm|auto]: the digests on the engine that runs this.
import { digests } from "./digest.js";

const words = globalThis.process?.argv?.slice(2) ?? globalThis.Deno?.args ?? [];
console.log(digests(words[0] ?? "auto").join("\n"));
