/** See address.mjs. */
export const NOBODYS: string;
export function repositoryAddress(): string;
export function fieldsOf(address: string): {
  readonly homepage: string;
  readonly repository: { readonly type: "git"; readonly url: string };
  readonly bugs: { readonly url: string };
};
export function citationWith(text: string, address: string): string;
