import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandOf, readLink } from "../../src/lab/index.ts";
import { RowDigest } from "../../src/record/index.ts";
import { openRun } from "../../src/run/index.ts";
import { ROOT } from "../support/build.ts";
import { type OpenLab, openLab, over } from "./lab-page.ts";

let lab: OpenLab | undefined;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lab-links-"));
  lab = await openLab();
});
afterAll(async () => {
  await lab?.close();
  rmSync(folder, { recursive: true });
});

const MOONS = "data=moons&data.n=24&arch=mlp&arch.width=6";
const RMSPROP = "opt=rmsprop&opt.lr=0.01&opt.beta2=0.95&opt.eps=1e-7&opt.bias-correction=true";

/** Links, on both backends; and how often η is changed while they run. */
const LINKS: readonly (readonly [string, number])[] = [
  [`opt=gd&opt.lr=0.6&${MOONS}&steps=60&backend=wasm`, 0],
  [`opt=gd&opt.lr=0.6&${MOONS}&steps=60&backend=js`, 0],
  [`${RMSPROP}&${MOONS}&steps=40&backend=wasm`, 0],
  [`${RMSPROP}&${MOONS}&steps=40&backend=js&runs=discrete,central,ablated`, 0],
  [`opt=heavy-ball&opt.lr=0.05&${MOONS}&steps=60&warm-start=5&discrete.precision=float32`, 0],
  ["opt=adam&opt.lr=0.01&data=digits&data.n=30&arch=mlp&arch.width=4&steps=25", 0],
  [
    "opt=gd&opt.lr=0.5&data=sorting&data.n=16&data.n-test=4&data.length=3&data.criterion=mse&arch=transformer&arch.layers=1&arch.d-model=4&arch.nhead=1&steps=15",
    0,
  ],
  ["opt=gd&opt.lr=0.3&data=digits&data.n=20&data.classes=4&arch=cnn&arch.width=2&steps=20&backend=js", 0],
  [`opt=gd&opt.lr=0.6&${MOONS}&steps=150`, 1],
  [`${RMSPROP}&${MOONS}&steps=120`, 2],
  [`opt=nesterov&opt.lr=0.05&${MOONS}&steps=150&backend=js`, 2],
];

/** The digest of a run that the command line computes from the words that the page would have copied. */
async function inNode(hash: string, name: string): Promise<string> {
  const command = commandOf(readLink(hash)!.runs[0]);
  const words = command.replace("npx central-flows", `npx tsx ${join(ROOT, "src", "cli", "main.ts")}`);
  const out = join(folder, name);
  const { status, stderr } = spawnSync(`${words} --quiet --out=${out}`, {
    shell: true,
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  const digest = new RowDigest();
  for (const row of (await openRun(out, "report")).rows()) digest.add(row);
  return digest.value;
}

test.each(LINKS)(
  "%s, with η changed %i times, has in the page the bits of its command line in Node",
  async (link, changes) => {
    if (!lab) return;
    const { page } = await lab.open(`#${link}`);
    for (let i = 0; i < changes; i++) {
      const taken = async (): Promise<number> =>
        Number((await page.locator("#pace-words").textContent())?.split("/")[0]);
      await expect.poll(taken, { timeout: 60_000, interval: 20 }).toBeGreaterThan(15 * (i + 1));
      await page.keyboard.press(i % 2 === 0 ? "]" : "[");
    }
    await over(page);
    const hash = await page.evaluate<string>("location.hash");
    const digest = await page.evaluate<string>("document.documentElement.dataset.digest");
    expect((hash.match(/:/g) ?? []).length).toBe(changes);
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect((await inNode(hash, String(LINKS.findIndex((each) => each[0] === link)))).slice(0, 16)).toBe(
      digest,
    );
    await page.context().close();
  },
);
