// Sets the address of the repository: npm run address -- https://HOST/OWNER/NAME. Its one place is `repository.url` of
// package.json; what else names it there and in CITATION.cff is written from it, and a test holds that they agree.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The host of addresses that are nobody's (RFC 2606): what stands there until somebody sets one. */
export const NOBODYS = "example.org";

/** The address that package.json says. @returns {string} without `git+` and `.git` */
export function repositoryAddress() {
  const { repository } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
}

/** The fields of package.json that say an address. */
export const fieldsOf = (address) => ({
  homepage: `${address}#readme`,
  repository: { type: "git", url: `git+${address}.git` },
  bugs: { url: `${address}/issues` },
});

/** CITATION.cff with an address. */
export const citationWith = (text, address) =>
  text.replace(/^repository-code: .*$/m, `repository-code: "${address}"`);

function setAddress(address) {
  const file = join(ROOT, "package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, `${JSON.stringify({ ...manifest, ...fieldsOf(address) }, undefined, 2)}\n`);
  const citation = join(ROOT, "CITATION.cff");
  writeFileSync(citation, citationWith(readFileSync(citation, "utf8"), address));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [address = "", ...others] = process.argv.slice(2);
  if (others.length > 0 || !/^https:\/\/[\w.-]+(\/[\w.-]+)+$/.test(address) || address.endsWith(".git")) {
    process.stderr.write(
      `address: expected https://HOST/OWNER/NAME, got ${process.argv.slice(2).join(" ") || "nothing"}\n`,
    );
    process.exit(2);
  }
  setAddress(address);
  process.stdout.write(`package.json and CITATION.cff say ${address}\n`);
}
