import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenLab, openLab, over, SHORT, shown } from "./lab-page.ts";

let lab: OpenLab | undefined;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab?.close());

test("opened from disk it runs by itself, draws what it computes and asks nothing of the network", async (ctx) => {
  if (!lab) return ctx.skip();
  const { page, complaints, foreign } = await lab.open(SHORT);
  await over(page);
  await shown(() => page.locator("#pace-words").textContent()).toContain("30/30");
  for (const id of ["sharpness", "loss"]) await shown(() => page.locator(`#${id} canvas`).count()).toBe(1);
  await shown(() => page.locator("#plane svg").count()).toBe(1);
  await shown(() => page.locator("#sharpness .at").textContent()).toBe("step 29");
  await shown(() => page.evaluate("location.hash")).toBe(SHORT);
  expect([complaints, foreign]).toEqual([[], []]);
  await page.context().close();
});

test("a control changes the link and the run, and what the command line would refuse is refused in its words", async (ctx) => {
  if (!lab) return ctx.skip();
  const { page } = await lab.open(SHORT);
  await over(page);
  await page.locator("#field-steps").fill("12");
  await page.locator("#field-steps").blur();
  await page.locator("#pace-words:has-text('12/12')").waitFor();
  await shown(() => page.evaluate("location.hash")).toContain("steps=12");
  await page.locator("#field-arch\\.width").fill("0");
  await page.locator("#field-arch\\.width").blur();
  await shown(() => page.locator("#field-error").textContent()).toContain(
    "--arch.width: expected an integer ≥ 1, got 0",
  );
  await shown(() => page.locator("#field-arch\\.width").getAttribute("aria-invalid")).toBe("true");
  await page.context().close();
});
