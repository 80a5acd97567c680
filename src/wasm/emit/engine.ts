/**
 * The part of the host's WebAssembly interface (WebAssembly JavaScript Interface 2.0) that kernels use. Declared
 * here because the language's own library, unlike the browser's, does not have it; absent where the host forbids it.
 */

declare const kind: unique symbol;
/** Compiled code, shared by all memories. */
export interface Module {
  readonly [kind]: "module";
}

/** A WebAssembly memory. */
export interface Memory {
  /** A SharedArrayBuffer if the memory is for several threads. */
  readonly buffer: ArrayBufferLike;
}

/** A table of kernels, for code that calls them by number. */
export interface Table {
  set(place: number, kernel: (...parameters: readonly number[]) => void): void;
}

/** The host's constructors. */
export interface Engine {
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => Memory;
  readonly Table: new (kind: { readonly element: "anyfunc"; readonly initial: number }) => Table;
  readonly Module: {
    new (bytes: Uint8Array<ArrayBuffer>): Module;
    imports(module: Module): readonly { readonly kind: string }[];
  };
  readonly Instance: new (
    module: Module,
    imports: { readonly env: Readonly<Record<string, Memory | Table | number | ((x: number) => number)>> },
  ) => { readonly exports: Readonly<Record<string, (...parameters: readonly number[]) => void>> };
}

/** The host's WebAssembly; undefined where it has none. */
export function engine(): Engine | undefined {
  return (globalThis as unknown as { readonly WebAssembly?: Engine }).WebAssembly;
}

/** The smallest module that uses SIMD: (func (drop (i32x4.splat (i32.const 0)))). */
const PROBE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x09, 0x01, 0x07, 0x00, 0x41, 0x00, 0xfd, 0x11, 0x1a, 0x0b],
];

/** Why WebAssembly with SIMD cannot be used here, as the end of a sentence; undefined where it can. */
export function wasmObstacle(): string | undefined {
  const host = engine();
  if (!host) return "this host has no WebAssembly";
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return "this machine is big-endian";
  try {
    new host.Module(Uint8Array.from(PROBE));
    return undefined;
  } catch (error) {
    return `this host does not compile WebAssembly with SIMD (${error instanceof Error ? error.message : String(error)})`;
  }
}
