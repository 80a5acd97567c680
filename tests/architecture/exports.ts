import { filesBelow } from "./sources.ts";

/** Every file of src by its path. */
export const files = new Map(filesBelow("src", ".ts").map((file) => [file.path, file]));

/** A name in an export list: what it is called in the file and outside, and the file it comes from, if another. */
export interface Listed {
  readonly local: string;
  readonly name: string;
  readonly from: string | undefined;
}

const LIST = /^export (?:type )?\{([^}]*)\}(?: from "([^"]+)")?;/gm;
export const ALL = /^export \* from "([^"]+)";/gm;
const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|namespace) (\w+)/gm;

/** The file that an export or import of a file names. */
export function resolved(path: string, specifier: string): string {
  const { imports } = files.get(path)!;
  const target = imports.find((one) => one.specifier === specifier)?.target;
  if (target === undefined || !files.has(target))
    throw new Error(`${path} exports from ${specifier}, which is no file of ours`);
  return target;
}

/** The names in a file's export lists. */
export function listsOf(path: string): Listed[] {
  return [...files.get(path)!.text.matchAll(LIST)].flatMap(([, list, specifier]) =>
    list
      .split(",")
      .map((item) => item.trim().replace(/^type /, ""))
      .filter((item) => item !== "")
      .map((item) => {
        const [local, name = local] = item.split(" as ");
        return { local, name, from: specifier === undefined ? undefined : resolved(path, specifier) };
      }),
  );
}

const declaredIn = (path: string): string[] =>
  [...files.get(path)!.text.matchAll(DECLARATION)].map(([, name]) => name);

/** Every name that a file exports. */
export function namesOf(path: string): string[] {
  const all = [...files.get(path)!.text.matchAll(ALL)].flatMap(([, specifier]) =>
    namesOf(resolved(path, specifier)),
  );
  return [...listsOf(path).map(({ name }) => name), ...declaredIn(path), ...all];
}
