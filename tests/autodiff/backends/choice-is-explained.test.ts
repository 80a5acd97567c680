import { afterEach, expect, test, vi } from "vitest";
import { fusedBackend, wasmBackend, wasmObstacle } from "../../../src/autodiff/backends/wasm/wasm.ts";
import { selectBackend } from "../../../src/autodiff/execution/choose-backend.ts";
import { jsBackend } from "../../../src/autodiff/index.ts";
import { InputValueError } from "../../../src/base/index.ts";
import { engine, type Module } from "../../../src/wasm/emit/engine.ts";
import { wasm } from "./bits.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("auto takes wasm where it can be had, without a word", () => {
  expect(selectBackend("auto")).toEqual({ backend: wasm });
  expect(selectBackend("wasm")).toEqual({ backend: wasm });
  expect(selectBackend("js")).toEqual({ backend: jsBackend });
});

test("without WebAssembly auto falls back with one line of notice, and wasm says why not", () => {
  vi.stubGlobal("WebAssembly", undefined);
  const { backend, notice } = selectBackend("auto");
  expect(backend).toBe(jsBackend);
  expect(notice).toMatch(/^using the js backend: .+$/);
  expect(wasmBackend()).toBeUndefined();
  expect(() => selectBackend("wasm")).toThrow(InputValueError);
});

test("a host that refuses to compile is an obstacle with its own words", () => {
  class Module {
    constructor() {
      throw new Error("blocked by content security policy");
    }
  }
  vi.stubGlobal("WebAssembly", { ...engine(), Module });
  expect(wasmObstacle()).toMatch(/content security policy/);
});

test("an unknown name and an array beyond 4 GiB are refused with advice", () => {
  expect(() => selectBackend("cuda" as "js")).toThrow(/auto, js, wasm or wasm-fma/);
  expect(() => wasm.allocate(2 ** 29)).toThrow(/at most 4 GiB.*smaller chunks/);
});

/** The engine with other ways to compile and to run the module that multiplies and adds. */
function stubProbe(compile: () => void, run: (numbers: Float64Array) => void): void {
  const real = engine()!;
  class Stub {
    constructor(bytes: Uint8Array) {
      // A smaller module asks for SIMD alone.
      if (bytes.length > 40) compile();
    }
  }
  class Instance {
    readonly exports: Record<string, () => void>;
    constructor(_: Module, { env }: { readonly env: { readonly memory: { readonly buffer: ArrayBuffer } } }) {
      this.exports = { run: () => run(new Float64Array(env.memory.buffer, 0, 8)) };
    }
  }
  vi.stubGlobal("WebAssembly", { ...real, Memory: real.Memory, Module: Stub, Instance });
}

test("wasm-fma is refused, with the reason, where relaxed SIMD does not compile or rounds twice", () => {
  const lanes = (f: (x: number, y: number, z: number) => number) => (numbers: Float64Array) => {
    for (const lane of [0, 1]) numbers[6 + lane] = f(numbers[lane], numbers[2 + lane], numbers[4 + lane]);
  };
  const twice = lanes((x, y, z) => x * y + z);
  stubProbe(() => {
    throw new Error("invalid SIMD opcode");
  }, twice);
  expect(() => selectBackend("wasm-fma")).toThrow(/does not compile WebAssembly's relaxed SIMD.*use wasm/);
  stubProbe(() => {}, twice);
  expect(() => selectBackend("wasm-fma")).toThrow(/rounds twice.*use wasm/);
  expect(fusedBackend()).toBeUndefined();
  // Both probes lose ±2⁻⁶⁰ in the product's rounding.
  stubProbe(
    () => {},
    lanes((x, y, z) => (x === y ? 2 ** -60 : -(2 ** -60)) + 0 * z),
  );
  expect(selectBackend("wasm-fma").backend.name).toBe("wasm-fma");
});
