import { expect, test } from "vitest";
import { filesBelow } from "./sources.ts";

const files = new Map(filesBelow("src", ".ts").map((file) => [file.path, file]));

/** A name in an export list: what it is called in the file and outside, and the file it comes from, if another. */
interface Listed {
  readonly local: string;
  readonly name: string;
  readonly from: string | undefined;
}

const LIST = /^export (?:type )?\{([^}]*)\}(?: from "([^"]+)")?;/gm;
const ALL = /^export \* from "([^"]+)";/gm;
const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|namespace) (\w+)/gm;

function resolved(path: string, specifier: string): string {
  const { imports } = files.get(path)!;
  const target = imports.find((one) => one.specifier === specifier)?.target;
  if (target === undefined || !files.has(target))
    throw new Error(`${path} exports from ${specifier}, which is no file of ours`);
  return target;
}

function listsOf(path: string): Listed[] {
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
function namesOf(path: string): string[] {
  const all = [...files.get(path)!.text.matchAll(ALL)].flatMap(([, specifier]) =>
    namesOf(resolved(path, specifier)),
  );
  return [...listsOf(path).map(({ name }) => name), ...declaredIn(path), ...all];
}

/** Whether a docstring ends where the declaration of a name, or its first overload, begins. */
function isDocumented(path: string, name: string): boolean {
  const { text } = files.get(path)!;
  const listed = listsOf(path).find((item) => item.name === name);
  if (listed?.from) return isDocumented(listed.from, listed.local);
  const local = listed?.local ?? name;
  const declaration = new RegExp(
    `^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:function\\*?|const|let|class|interface|type|namespace) ${local}\\b`,
    "m",
  ).exec(text);
  if (declaration) return /\*\/\s*$/.test(text.slice(0, declaration.index));
  const onward = [...text.matchAll(ALL)]
    .map(([, specifier]) => resolved(path, specifier))
    .find((target) => namesOf(target).includes(name));
  if (onward) return isDocumented(onward, name);
  const imported = new RegExp(`^import (?:type )?\\{[^}]*\\b${local}\\b[^}]*\\} from "([^"]+)";`, "m").exec(
    text,
  );
  if (!imported) throw new Error(`${path}: no declaration of ${name}`);
  return isDocumented(resolved(path, imported[1]), local);
}

test("every public name has a docstring", () => {
  const doors = [...files.keys()].filter(
    (path) => /^src\/(?:\w+\/)?index\.ts$/.test(path) && path !== "src/settings/index.ts",
  );
  expect(doors).toContain("src/autodiff/index.ts");
  const bare = doors.flatMap((door) =>
    namesOf(door)
      .filter((name) => !isDocumented(door, name))
      .map((name) => `${door}: ${name}`),
  );
  expect(bare).toEqual([]);
});
