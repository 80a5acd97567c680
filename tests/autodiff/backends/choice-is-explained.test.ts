import { afterEach, expect, test, vi } from "vitest";
import { wasmBackend, wasmObstacle } from "../../../src/autodiff/backends/wasm/wasm.ts";
import { selectBackend } from "../../../src/autodiff/execution/choose-backend.ts";
import { jsBackend } from "../../../src/autodiff/index.ts";
import { InputValueError } from "../../../src/base/index.ts";
import { engine } from "../../../src/wasm/emit/engine.ts";
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
  expect(() => selectBackend("cuda" as "js")).toThrow(/auto, js or wasm/);
  expect(() => wasm.allocate(2 ** 29)).toThrow(/at most 4 GiB.*smaller chunks/);
});
