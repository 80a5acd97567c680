// Releases what is checked out: npm run release, which changes nothing, says what is in order and lists what would be published;
// npm run release -- --publish does it. --no-tests leaves the tests out of a dry run, --jsr SCOPE publishes to JSR too.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { citationWith, fieldsOf, NOBODYS, repositoryAddress } from "./address.mjs";
import { writeJsrPackage } from "./jsr.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (file) => readFileSync(join(ROOT, file), "utf8");

/**
 * What has to agree before a release, each with what is wrong with it or undefined.
 *
 * @param {{ manifest: object, lock: object, changelog: string, citation: string }} texts
 * @returns {[string, string | undefined][]}
 */
export function agreements({ manifest, lock, changelog, citation }) {
  const { version, repository } = manifest;
  const [, newest, date] = /^## (\S+) \((.*)\)$/m.exec(changelog) ?? [];
  const address = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  const fields = Object.entries(fieldsOf(address));
  const odd = fields.find(([name, value]) => JSON.stringify(manifest[name]) !== JSON.stringify(value));
  return [
    [
      "the newest section of CHANGELOG.md is this version's",
      newest === version ? undefined : `it is ${newest}'s`,
    ],
    ["it has a date", /^\d{4}-\d\d-\d\d$/.test(date ?? "") ? undefined : `it says "${date}"`],
    ["package-lock.json has this version", lock.version === version ? undefined : `it has ${lock.version}`],
    [
      "CITATION.cff has this version",
      citation.includes(`\nversion: ${version}\n`) ? undefined : "it has another",
    ],
    [
      "the address of the repository is set",
      new URL(address).hostname === NOBODYS
        ? "npm run address -- https://HOST/OWNER/NAME sets it"
        : undefined,
    ],
    [
      "all that name it agree",
      odd
        ? `${odd[0]} does not`
        : citationWith(citation, address) === citation
          ? undefined
          : "CITATION.cff does not",
    ],
    [
      "provenance is asked for",
      manifest.publishConfig?.provenance === true ? undefined : "publishConfig.provenance is not true",
    ],
  ];
}

/** Runs a command, its output shown. @returns whether it went well */
function goesWell(command, words, cwd = ROOT) {
  return spawnSync(command, words, { cwd, stdio: "inherit" }).status === 0;
}

/** What `npm pack` would put into the tarball, by folder. */
function listPacked() {
  const { stdout, status } = spawnSync("npm", ["pack", "--dry-run", "--json", "--silent"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) return false;
  const [{ filename, files, size, unpackedSize }] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  const folders = new Map();
  for (const { path, size: bytes } of files) {
    const folder = path.split("/").slice(0, -1).slice(0, 2).join("/") || ".";
    const { count = 0, total = 0 } = folders.get(folder) ?? {};
    folders.set(folder, { count: count + 1, total: total + bytes });
  }
  const kB = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
  for (const [folder, { count, total }] of [...folders].sort())
    say(`  ${folder.padEnd(20)} ${String(count).padStart(4)} files ${kB(total).padStart(9)}`);
  say(`${filename}: ${files.length} files, ${kB(size)}, unpacked ${kB(unpackedSize)}`);
  return true;
}

const say = (line) => process.stdout.write(`${line}\n`);

function release(words) {
  const publish = words.includes("--publish");
  const scope = words.includes("--jsr") ? words[words.indexOf("--jsr") + 1] : undefined;
  const known = ["--publish", "--no-tests", "--jsr", scope];
  const odd = words.find((word) => !known.includes(word));
  if (odd !== undefined || (words.includes("--jsr") && !scope) || (publish && words.includes("--no-tests"))) {
    process.stderr.write(
      `release: expected [--publish] [--jsr SCOPE], or --no-tests [--jsr SCOPE], got ${words.join(" ")}\n`,
    );
    return 2;
  }
  const manifest = JSON.parse(read("package.json"));
  const lock = JSON.parse(read("package-lock.json"));
  const [changelog, citation] = [read("CHANGELOG.md"), read("CITATION.cff")];
  const changes = spawnSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" }).stdout;
  const checks = [
    ["everything is committed", changes === "" ? undefined : "git status lists changes"],
    ...agreements({ manifest, lock, changelog, citation }),
  ];
  say(`${manifest.name} ${manifest.version}, ${repositoryAddress()}`);
  for (const [what, wrong] of checks) say(wrong ? `  no   ${what}: ${wrong}` : `  yes  ${what}`);
  let ready = checks.every(([, wrong]) => wrong === undefined);
  if (publish && !ready) return 1;
  if (!words.includes("--no-tests"))
    for (const script of ["test", "test:slow"]) ready = goesWell("npm", ["run", script]) && ready;
  ready = listPacked() && ready;
  if (scope) {
    writeJsrPackage(join(ROOT, "dist-jsr"), scope);
    say(`dist-jsr: what JSR takes as @${scope}/${manifest.name}`);
  }
  if (!publish || !ready) {
    say(ready ? "ready: --publish publishes it" : "not ready");
    return ready ? 0 : 1;
  }
  const published =
    goesWell("npm", ["publish"]) && (!scope || goesWell("npx", ["jsr", "publish"], join(ROOT, "dist-jsr")));
  return published ? 0 : 1;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = release(process.argv.slice(2));
