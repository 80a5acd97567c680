import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const USUAL_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FLAGS =
  "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Chromium at CHROMIUM_PATH or a usual place, headless; undefined, with a line that says so, when there is none. */
export async function launchChromium(): Promise<Browser | undefined> {
  const executablePath = [process.env.CHROMIUM_PATH, ...USUAL_PATHS].find((path) => path && starts(path));
  if (executablePath) return chromium.launch({ executablePath, args: FLAGS.split(" ") });
  console.warn("skipped: no Chromium; set CHROMIUM_PATH to run what needs a browser");
  return undefined;
}

/** Whether a browser is there: on Ubuntu the file can be a script that only asks to install another package. */
function starts(path: string): boolean {
  return existsSync(path) && spawnSync(path, ["--version"]).status === 0;
}
