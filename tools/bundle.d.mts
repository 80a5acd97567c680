/** What a bundle is made with; `file` is where it is to stand, from which its source map names the sources. */
export interface BundleOptions {
  readonly format?: "esm" | "iife";
  readonly banner?: string;
  readonly sourcemap?: boolean;
  readonly file?: string;
  readonly without?: (path: string, code: string) => string | undefined;
}

/** See bundle.mjs. */
export function bundle(
  entry: string,
  options?: BundleOptions,
): Promise<{ readonly code: string; readonly map: string | undefined; readonly modules: readonly string[] }>;
export function withoutLeftOut(path: string, text: string): string | undefined;
export function gzipped(bytes: string | Uint8Array): number;
export function packedTables(code: string): string | undefined;
export function noticeOf(folder: string): string;
