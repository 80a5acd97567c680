/**
 * The part of the host's WebAssembly interface (WebAssembly JavaScript Interface 2.0) that this backend uses. Declared
 * here because the language's own library, unlike the browser's, does not have it; absent where the host forbids it.
 */

declare const kind: unique symbol;
/** Compiled code, shared by all memories. */
export interface Module {
  readonly [kind]: "module";
}

export interface Memory {
  readonly buffer: ArrayBuffer;
}

interface Engine {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  readonly Instance: new (
    module: Module,
    imports: { readonly env: Readonly<Record<string, Memory | ((x: number) => number)>> },
  ) => { readonly exports: Readonly<Record<string, () => void>> };
}

export function engine(): Engine | undefined {
  return (globalThis as { readonly WebAssembly?: Engine }).WebAssembly;
}
