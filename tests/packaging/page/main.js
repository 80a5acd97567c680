import { compute, exactly } from "./compute.js";

/** A module of WebAssembly with nothing in it. */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

function refused(action) {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}

const show = (id, text) => {
  document.getElementById(id).textContent = text;
};
show("eval", refused(() => new Function("return 1")) ? "refused" : "allowed");
show("wasm", refused(() => new WebAssembly.Module(EMPTY)) ? "refused" : "allowed");
show("result", exactly(compute()));
