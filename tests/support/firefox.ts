import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const USUAL_PATHS = [process.env.FIREFOX_PATH, "/usr/bin/firefox-esr", "/usr/bin/firefox"];

/**
 * Opens an address in Firefox, headless, with a profile of its own; undefined, with a line that says so, where there is none.
 * Nothing drives it: the page tells what it found to a server of the test's.
 *
 * @param words more of its command line
 */
export function openInFirefox(
  address: string,
  words: readonly string[] = [],
): { readonly close: () => Promise<void> } | undefined {
  const path = USUAL_PATHS.find(
    (each) => each && existsSync(each) && spawnSync(each, ["--version"]).status === 0,
  );
  if (!path) {
    console.warn("skipped: no Firefox; set FIREFOX_PATH to run on its engine");
    return undefined;
  }
  const profile = mkdtempSync(join(tmpdir(), "firefox-"));
  const child = spawn(path, ["--headless", "--no-remote", "--profile", profile, ...words, address], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  return {
    async close() {
      if (child.exitCode === null && child.kill()) await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
