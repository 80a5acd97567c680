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
  /** A SharedArrayBuffer if the memory is for several threads. */
  readonly buffer: ArrayBufferLike;
}

export interface Engine {
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => Memory;
  readonly Module: {
    new (bytes: Uint8Array<ArrayBuffer>): Module;
    imports(module: Module): readonly { readonly kind: string }[];
  };
  readonly Instance: new (
    module: Module,
    imports: { readonly env: Readonly<Record<string, Memory | number | ((x: number) => number)>> },
  ) => { readonly exports: Readonly<Record<string, () => void>> };
}

export function engine(): Engine | undefined {
  return (globalThis as { readonly WebAssembly?: Engine }).WebAssembly;
}
