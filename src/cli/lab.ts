import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { either, flag, text, valueError } from "../base/index.ts";
import { LAB_MARK, labFile } from "../lab/index.ts";
import { writeFileAtomic } from "../record/index.ts";
import { command, noWords } from "./commands/command.ts";

/** What opens an address in the user's browser. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Opens an address in the browser; false where there is nothing to open it with. */
function openAddress(address: string): Promise<boolean> {
  const [program, ...words] = process.env.BROWSER
    ? [process.env.BROWSER]
    : (OPENERS[process.platform] ?? ["xdg-open"]);
  return new Promise((done) => {
    const child = spawn(program, [...words, address], { stdio: "ignore", detached: true });
    child.once("error", () => done(false));
    child.once("spawn", () => {
      child.unref();
      done(true);
    });
  });
}

/** Writes the lab, or opens it. */
export const lab = command({
  name: "lab",
  usage: "[--out FILE] [--open]",
  summary: "write the lab: central flows in a page, interactive",
  about: [
    "Writes the lab as one HTML file, which works from disk in any browser and asks nothing of the",
    "network: change η or the optimizer and see the run at once; its links are command lines. --open",
    "opens it, from a temporary folder where no FILE is named. A FILE that is there is replaced only",
    "if it is a lab.",
  ],
  settings: {
    out: {
      kind: either(text("FILE"), "none", null),
      default: null,
      help: "the file to write (default: lab.html)",
    },
    open: { kind: flag, default: false, help: "open it in the browser" },
  },
  example: "lab --open",
  words: (positionals) => noWords("lab", positionals),
  async run({ out, open }) {
    const page = labFile();
    const path = resolve(
      out ?? (open ? join(mkdtempSync(join(tmpdir(), "central-flows-")), "lab.html") : "lab.html"),
    );
    if (existsSync(path) && !readFileSync(path, "utf8").includes(LAB_MARK))
      throw valueError(
        "--out",
        "a new file, or a lab to replace",
        `${path}, which is something else`,
        "name another file",
      );
    writeFileAtomic(path, page);
    process.stdout.write(`lab ${path}\n`);
    if (!open) return 0;
    const address = pathToFileURL(path).href;
    if (await openAddress(address)) return 0;
    process.stderr.write(`lab: no browser could be started; open ${address} in one\n`);
    return 1;
  },
});
