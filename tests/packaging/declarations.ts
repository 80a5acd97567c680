import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The top-level statements of a declaration file, without comments and without what is private. */
function statementsOf(file: string): string[] {
  const text = readFileSync(file, "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*(?:\/\/.*)?\n/gm, "")
    .replace(/^ {4}(?:private|protected) [^\n{]*(?:\{\n(?: {8}.*\n)*? {4}\}[^\n]*)?\n/gm, "");
  return text.split(/\n(?=[a-z])/).map((statement) => statement.trimEnd());
}

const cached = new Map<string, string[]>();
const statements = (file: string): string[] => {
  const known = cached.get(file) ?? statementsOf(file);
  cached.set(file, known);
  return known;
};

/** `{ a, type B, c as d }`: pairs of the name inside and outside. */
const listed = (list: string): [string, string][] =>
  list
    .split(",")
    .map((item) => item.trim().replace(/^type /, ""))
    .filter((item) => item !== "")
    .map((item) => {
      const [local, name = local] = item.split(" as ");
      return [local, name];
    });

/** Every name that a declaration file exports, with its declarations: overloads are several. */
export function declarationsOf(file: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const statement of statements(file)) {
    const list = /^export (?:type )?\{([^}]*)\}(?: from "([^"]+)")?;/.exec(statement);
    const all = /^export \* from "([^"]+)";/.exec(statement);
    const target = list?.[2] ?? all?.[1];
    if (target !== undefined) {
      const there = declarationsOf(join(dirname(file), target.replace(/\.[jt]s$/, ".d.ts")));
      const names = list ? listed(list[1]) : [...there.keys()].map((name): [string, string] => [name, name]);
      for (const [local, name] of names) found.set(name, there.get(local) ?? []);
    } else if (list) for (const [local, name] of listed(list[1])) found.set(name, ownOf(file, local));
    else {
      const [, name] = DECLARATION.exec(statement) ?? [];
      if (statement.startsWith("export ") && name) found.set(name, ownOf(file, name));
    }
  }
  return found;
}

const DECLARATION =
  /^(?:export )?(?:declare )?(?:abstract )?(?:function|const|let|class|interface|type|namespace) (\w+)/;

/** The declarations of a name in its own file, or in the one that it is imported from. */
function ownOf(file: string, name: string): string[] {
  const own = statements(file).filter((statement) => DECLARATION.exec(statement)?.[1] === name);
  if (own.length > 0) return own.map((statement) => statement.replace(/^(export |declare )+/, ""));
  for (const statement of statements(file)) {
    const [, list = "", target] = /^import (?:type )?\{([^}]*)\} from "([^"]+)";/.exec(statement) ?? [];
    const item = listed(list).find(([, outside]) => outside === name);
    if (item)
      return declarationsOf(join(dirname(file), target.replace(/\.[jt]s$/, ".d.ts"))).get(item[0]) ?? [];
  }
  return [];
}
