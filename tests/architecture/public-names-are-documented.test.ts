import { expect, test } from "vitest";
import { ALL, files, listsOf, namesOf, resolved } from "./exports.ts";

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
  const doors = [...files.keys()].filter((path) => /^src\/(?:\w+\/)?index\.ts$/.test(path));
  expect(doors).toContain("src/autodiff/index.ts");
  const bare = doors.flatMap((door) =>
    namesOf(door)
      .filter((name) => !isDocumented(door, name))
      .map((name) => `${door}: ${name}`),
  );
  expect(bare).toEqual([]);
});
