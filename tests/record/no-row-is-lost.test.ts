import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileError, writeFileAtomic } from "../../src/record/folder.ts";
import { createJournal, openJournal, readJournal } from "../../src/record/journal.ts";
import { plainRow } from "./rows.ts";

const WRITER = fileURLToPath(new URL("./append-forever.ts", import.meta.url));

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  path = join(folder, "journal.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeRows(count: number): Buffer {
  const journal = createJournal(path, { configHash: "hash" });
  for (let i = 0; i < count; i++) journal.append(plainRow(i));
  journal.close();
  return readFileSync(path);
}

/** Byte offsets just after each newline: the ends of header and rows. */
function lineEnds(bytes: Buffer): number[] {
  return Array.from(bytes.entries()).flatMap(([i, byte]) => (byte === 10 ? [i + 1] : []));
}

test("cut at any byte, a journal gives every row whose line is whole", () => {
  const whole = writeRows(4);
  const ends = lineEnds(whole);
  for (let length = ends[0]; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const { rows, validBytes, droppedBytes, journal } = openJournal(path);
    const kept = ends.filter((end) => end <= length).length - 1;
    expect(rows).toEqual([0, 1, 2, 3].slice(0, kept).map(plainRow));
    expect(validBytes + droppedBytes).toBe(length);
    expect(validBytes).toBe(ends[kept]);
    journal.append(plainRow(kept));
    journal.close();
    expect(readJournal(path).rows).toHaveLength(kept + 1);
  }
});

test("any damaged bit before the last line is an error that names the line", () => {
  const whole = writeRows(3);
  const ends = lineEnds(whole);
  for (let line = 2; line <= 3; line++) {
    for (let at = ends[line - 2]; at < ends[line - 1] - 1; at += 7) {
      const harmed = Buffer.from(whole);
      harmed[at] ^= 1 << (at % 7);
      if (harmed[at] === 10) continue;
      writeFileSync(path, harmed);
      expect(() => readJournal(path)).toThrow(new RegExp(`in line ${line};`));
    }
  }
});

test("a damaged tail is dropped and reported, a missing row or header is refused", () => {
  const whole = writeRows(3);
  const ends = lineEnds(whole);
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(512)]));
  expect(readJournal(path)).toMatchObject({ validBytes: whole.length, droppedBytes: 512 });
  writeFileSync(path, Buffer.concat([whole.subarray(0, ends[0]), whole.subarray(ends[1])]));
  expect(() => readJournal(path)).toThrow(/row 1 where row 0 belongs in line 2/);
  writeFileSync(path, whole.subarray(ends[0]));
  expect(() => readJournal(path)).toThrow(/expected a central-flows journal/);
  writeFileSync(path, "");
  expect(() => readJournal(path)).toThrow(/expected a file that begins as/);
});

test("kill -9 loses no row whose append had returned", async () => {
  for (const rowsBeforeKill of [1, 60]) {
    const target = join(folder, `killed-${rowsBeforeKill}.jsonl`);
    const child = spawn(process.execPath, ["--import", "tsx", WRITER, target]);
    const exited = once(child, "exit");
    let told = "";
    for await (const chunk of child.stdout) {
      told += chunk;
      if (told.split("\n").length > rowsBeforeKill) child.kill("SIGKILL");
    }
    await exited;
    const promised = told.split("\n").length - 1;
    const { rows } = readJournal(target);
    expect(promised).toBeGreaterThanOrEqual(rowsBeforeKill);
    expect(rows.length).toBeGreaterThanOrEqual(promised);
    expect(rows).toEqual(rows.map((_, i) => plainRow(i)));
  }
});

test("when the file may not grow, the error says so and the rows before stand", async (ctx) => {
  if (process.platform === "win32") {
    console.warn("skipped: no file size limits on Windows");
    return ctx.skip();
  }
  // ulimit -f counts blocks of 1024 bytes; Node sees EFBIG after a short write, as it sees ENOSPC on a full disk.
  const child = spawn("bash", [
    "-c",
    `ulimit -f 4; exec "$0" --import tsx "$1" "$2"`,
    process.execPath,
    WRITER,
    path,
  ]);
  let told = "";
  let complaint = "";
  child.stdout.on("data", (chunk) => {
    told += chunk;
  });
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const [status] = await once(child, "close");
  expect(status).toBe(1);
  expect(complaint).toMatch(/journal\.append: expected room on the disk, got EFBIG/);
  const { rows, droppedBytes } = readJournal(path);
  expect(rows).toHaveLength(told.split("\n").length - 1);
  expect(droppedBytes).toBe(0);
  expect(statSync(path).size).toBeLessThanOrEqual(4096);
});

test("an atomic write leaves the old file when it fails, and no temporary one", () => {
  const target = join(folder, "report.html");
  writeFileAtomic(target, "old");
  writeFileAtomic(target, new TextEncoder().encode("newer"));
  expect(readFileSync(target, "utf8")).toBe("newer");
  expect(() => writeFileAtomic(join(target, "x"), "")).toThrow(/a file where a folder should be/);
  expect(() => writeFileAtomic(folder, "x")).toThrow(/writeFileAtomic/);
  expect(readFileSync(target, "utf8")).toBe("newer");
  expect(readdirSync(folder)).toEqual(["report.html"]);
});

test("a folder that may not be written is named, and the old file stands", (ctx) => {
  const target = join(folder, "report.html");
  writeFileAtomic(target, "old");
  if (process.getuid?.() === 0) {
    console.warn("skipped: root may write to read-only folders");
    return ctx.skip();
  }
  chmodSync(folder, 0o500);
  expect(() => writeFileAtomic(target, "newest")).toThrow(/permission denied/);
  chmodSync(folder, 0o700);
  expect(readFileSync(target, "utf8")).toBe("old");
});

test("system errors become sentences: misuse for paths, failure for full disks", () => {
  const system = (code: string) => Object.assign(new Error(`${code}: no`), { code });
  expect(fileError("op", "/x", system("EACCES"))).toBeInstanceOf(RangeError);
  expect(fileError("op", "/x", system("ENOSPC"))).not.toBeInstanceOf(RangeError);
  expect(fileError("op", "/x", system("ENOSPC"), "all is kept").message).toBe(
    "op: expected room on the disk, got ENOSPC for /x; free some space and resume (all is kept)",
  );
  expect(fileError("op", "/x", system("EIO")).message).toBe("op: expected to write /x, got EIO: no");
});

test("a shortened file is noticed at the next open, not repaired silently", () => {
  const whole = writeRows(2);
  truncateSync(path, whole.length - 3);
  expect(openJournal(path).droppedBytes).toBeGreaterThan(0);
  expect(readJournal(path).droppedBytes).toBe(0);
});
