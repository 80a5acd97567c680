/**
 * A thousand kills, and what they cost:
 *
 *     npm run test:kills [-- KILLS [SEED]]
 *
 * Builds the package, starts its command line, kills it at random moments and resumes it (tests/run/kill-campaign.ts). Ends
 * with status 1 if a row was lost or differs, or a folder could not be resumed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { campaign, summary } from "../tests/run/kill-campaign.ts";
import { buildRunnable } from "../tests/support/build.ts";

const built = buildRunnable(`kills-${process.pid}`);
const folder = mkdtempSync(join(tmpdir(), "kills-"));
const kills = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? 1);
const result = await campaign({
  folder,
  kills,
  seed,
  command: [built.main],
  progress: (line) => process.stderr.write(`${line}\n`),
});
rmSync(built.folder, { recursive: true, force: true });
process.stdout.write(`${result.kills} kills, seed ${seed}: ${summary(result)}\n`);
for (const line of result.stuck) process.stdout.write(`${line}\n`);
if (result.rowsLost + result.rowsDiffering + result.stuck.length > 0) process.exitCode = 1;
else rmSync(folder, { recursive: true });
