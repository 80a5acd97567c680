import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { readHdf5, readOutcome } from "../../src/record/index.ts";
import { openRun } from "../../src/run/index.ts";
import { type Gathered, gatherSweep, runFolder, runTask, type Sweep } from "../../src/sweep/index.ts";
import { violationsOf } from "../support/accessibility.ts";
import { launchChromium } from "../support/chromium.ts";
import { PROVENANCE, planTiny, temporaryFolder } from "./small-sweeps.ts";

const folder = temporaryFolder();
let sweep: Sweep;
let gathered: Gathered;

/** Two that end, one that diverges and one that nobody has computed. */
beforeAll(async () => {
  sweep = planTiny(join(folder, "mixed"), "opt.lr=0.1,0.4,1e6,0.5");
  const options = { environment: "test", version: "0" };
  await expect(gatherSweep(sweep.directory, options)).rejects.toThrow(/runs that have ended, got none/);
  for (const index of [0, 1, 2]) await runTask(sweep.directory, index, { provenance: PROVENANCE });
  gathered = await gatherSweep(sweep.directory, options);
});

test("scalars are stacked [runs, steps] with the bits of the runs' rows, and NaN where a run has none", async () => {
  const sets = new Map((await readHdf5(gathered.files.data)).map((set) => [set.path, set]));
  expect([...(sets.get("axes/opt.lr")?.data ?? [])]).toEqual([0.1, 0.4, 1e6]);
  for (const path of ["step", "discrete/train_loss", "central/train_loss", "distances/central-discrete"]) {
    const set = sets.get(path);
    expect(set?.shape, path).toEqual([3, 6]);
    for (const i of [0, 1, 2]) {
      const rows = [...(await openRun(runFolder(sweep, sweep.points[i]), "test")).rows()];
      const meant = Array.from({ length: 6 }, (_, r) => {
        const row = rows[r];
        return row === undefined
          ? Number.NaN
          : path === "step"
            ? row.step
            : (row.quantities[path] ?? Number.NaN);
      });
      expect(Array.from(set?.data.subarray(6 * i, 6 * i + 6) ?? [], Number), `${path} of ${i}`).toEqual(
        meant,
      );
    }
  }
});

test("the table has a line per point, with what outcome.json says", () => {
  const [titles, ...lines] = readFileSync(gathered.files.table, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  expect(lines).toHaveLength(4);
  const at = (line: number, title: string): string => lines[line][titles.indexOf(title)];
  for (const i of [0, 1]) {
    const outcome = readOutcome(runFolder(sweep, sweep.points[i]));
    expect(at(i, "digest")).toBe(outcome?.digest);
    expect(Number(at(i, "discrete/train_loss"))).toBe(outcome?.summary["discrete/train_loss"]);
  }
  expect(lines.map((_, i) => at(i, "state"))).toEqual(["done", "done", "failed", "pending"]);
  expect(at(3, "digest")).toBe("");
});

test("the page needs nothing else, marks runs that ended early and leads to no report that is not there", () => {
  const page = readFileSync(gathered.files.page, "utf8");
  for (const words of ["Loss against opt.lr", "× ended early", "(ended early)"])
    expect(page.includes(words), words).toBe(true);
  expect(/report\.html"/.test(page)).toBe(false);
  expect(gathered).toMatchObject({ runs: 3, total: 4 });
});

test.each([
  ["light", 1280],
  ["dark", 390],
] as const)(
  "the page opens in a browser, %s, %i pixels: a line per run that was computed",
  async (colorScheme, width) => {
    const browser = await launchChromium();
    if (!browser) return;
    try {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(pathToFileURL(gathered.files.page).href);
      expect(await page.locator("tbody tr").count()).toBe(3);
      expect(await page.locator("canvas").count()).toBeGreaterThan(0);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      expect(await violationsOf(page)).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);
