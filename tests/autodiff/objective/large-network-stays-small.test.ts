import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SLOW = process.env.CENTRAL_FLOWS_SLOW === "1";
const GIB = 2 ** 30;

if (!SLOW)
  console.warn(
    "skipped: the CNN of width 32 on 1000 images takes half a minute with wasm, minutes without; set CENTRAL_FLOWS_SLOW=1",
  );

test.runIf(SLOW)(
  "a CNN of width 32 on 1000 images of 3×32×32 stays under 2 GiB up to its third derivative",
  () => {
    const script = fileURLToPath(new URL("evaluate-cnn.ts", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", "tsx", script, "1000"], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const { loss, norms, chunks, peakBytes } = JSON.parse(stdout) as Record<string, number> & {
      norms: number[];
    };
    console.log(`peak ${(peakBytes / GIB).toFixed(2)} GiB in ${chunks} chunks, loss ${loss}, norms ${norms}`);
    expect(chunks).toBeGreaterThan(1);
    for (const value of [loss, ...norms]) expect(value).toSatisfy((x: number) => Number.isFinite(x) && x > 0);
    expect(peakBytes).toBeLessThan(2 * GIB);
  },
  1_800_000,
);
