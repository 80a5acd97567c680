import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFileAtomic, fileError, temporaryBeside, writeFileAtomic } from "../../src/record/files.ts";
import { createJournal, openJournal, readJournal } from "../../src/record/journal.ts";
import { decodeRecord } from "../../src/record/journal-format.ts";
import { HEAD, plainRow } from "./rows.ts";

const WRITER = fileURLToPath(new URL("./append-forever.ts", import.meta.url));

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  path = join(folder, "journal.bin");
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeRows(count: number): Buffer {
  const journal = createJournal(path, HEAD);
  for (let i = 0; i < count; i++) journal.append(plainRow(i));
  journal.close();
  return readFileSync(path);
}

/** Byte offsets of the ends of the records: the head, then layouts and rows. */
function recordEnds(bytes: Buffer): { readonly end: number; readonly letter: string }[] {
  const ends = [];
  for (let at = 0; at < bytes.length; ) {
    const record = decodeRecord(bytes, at);
    if (!record) throw new Error(`no record at ${at}`);
    at += record.size;
    ends.push({ end: at, letter: record.letter });
  }
  return ends;
}

test("cut at any byte, a journal gives every row whose record is whole", () => {
  const whole = writeRows(4);
  const ends = recordEnds(whole);
  for (let length = ends[0].end; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const { rows, rowCount, validBytes, droppedBytes, journal } = openJournal(path);
    const kept = ends.filter(({ end }) => end <= length);
    const count = kept.filter(({ letter }) => letter === "R").length;
    expect(rowCount).toBe(count);
    expect([...rows()]).toEqual([0, 1, 2, 3].slice(0, count).map(plainRow));
    expect(validBytes + droppedBytes).toBe(length);
    expect(validBytes).toBe(kept[kept.length - 1].end);
    journal.append(plainRow(count));
    journal.close();
    expect([...readJournal(path).rows()]).toEqual([0, 1, 2, 3, 4].slice(0, count + 1).map(plainRow));
  }
});

test("any damaged bit before the last row is an error that names the row before", () => {
  const whole = writeRows(4);
  const ends = recordEnds(whole);
  const last = ends[ends.length - 2].end;
  for (let at = ends[0].end; at < last; at++) {
    const harmed = Buffer.from(whole);
    harmed[at] ^= 1 << (at % 8);
    writeFileSync(path, harmed);
    const before = ends.filter(({ end, letter }) => end <= at && letter === "R").length;
    expect(() => readJournal(path), String(at)).toThrow(new RegExp(`after row ${before - 1} of`));
  }
});

test("a damaged tail is dropped and reported, a missing row or head is refused", () => {
  const whole = writeRows(3);
  const ends = recordEnds(whole);
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(512)]));
  expect(readJournal(path)).toMatchObject({ validBytes: whole.length, droppedBytes: 512 });
  const rows = ends.flatMap(({ letter }, i) => (letter === "R" ? [i] : []));
  const [from, to] = [ends[rows[0] - 1].end, ends[rows[0]].end];
  writeFileSync(path, Buffer.concat([whole.subarray(0, from), whole.subarray(to)]));
  expect(() => readJournal(path)).toThrow(/row 1 where row 0 belongs/);
  writeFileSync(path, whole.subarray(ends[0].end));
  expect(() => readJournal(path)).toThrow(/expected a file that begins as a central-flows journal/);
  writeFileSync(path, "");
  expect(() => readJournal(path)).toThrow(/expected a file that begins as/);
});

test("kill -9 loses no row whose append had returned", async () => {
  for (const rowsBeforeKill of [1, 60]) {
    const target = join(folder, `killed-${rowsBeforeKill}.bin`);
    const child = spawn(process.execPath, ["--import", "tsx", WRITER, target]);
    const exited = once(child, "exit");
    let told = "";
    for await (const chunk of child.stdout) {
      told += chunk;
      if (told.split("\n").length > rowsBeforeKill) child.kill("SIGKILL");
    }
    await exited;
    const promised = told.split("\n").length - 1;
    const rows = [...readJournal(target).rows()];
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
  expect(complaint).toMatch(/a row of the journal: expected room on the disk, got EFBIG/);
  const { rowCount, droppedBytes } = readJournal(path);
  expect(rowCount).toBe(told.split("\n").length - 1);
  expect(droppedBytes).toBe(0);
  expect(statSync(path).size).toBeLessThanOrEqual(4096);
});

test("an atomic write leaves the old file when it fails, and no temporary one", () => {
  const target = join(folder, "report.html");
  writeFileAtomic(target, "old");
  writeFileAtomic(target, new TextEncoder().encode("newer"));
  expect(readFileSync(target, "utf8")).toBe("newer");
  expect(() => writeFileAtomic(join(target, "x"), "")).toThrow(/a file where a folder should be/);
  expect(() => writeFileAtomic(folder, "x")).toThrow(basename(folder));
  expect(readFileSync(target, "utf8")).toBe("newer");
  expect(readdirSync(folder)).toEqual(["report.html"]);
});

test("a temporary name is nobody's to guess, and a link in its place is not followed", () => {
  const target = join(folder, "config.json");
  const victim = join(folder, "victim");
  writeFileSync(victim, "precious");
  symlinkSync(victim, join(folder, ".config.json.tmp"));
  symlinkSync(victim, target);
  writeFileAtomic(target, "mine");
  expect(readFileSync(victim, "utf8")).toBe("precious");
  expect(readFileSync(target, "utf8")).toBe("mine");
  expect(createFileAtomic(target, "other")).toBe(false);
  const names = new Set(Array.from({ length: 100 }, () => temporaryBeside(target)));
  expect(names.size).toBe(100);
});

test("of several who create a file one does, whole", () => {
  const target = join(folder, "lock");
  expect(createFileAtomic(target, "first")).toBe(true);
  expect(createFileAtomic(target, "second")).toBe(false);
  expect(readFileSync(target, "utf8")).toBe("first");
  expect(readdirSync(folder)).toEqual(["lock"]);
});

test("a name that is too long is misuse, and so is a circle of links", () => {
  expect(() => writeFileAtomic(join(folder, "n".repeat(300)), "x")).toThrow(RangeError);
  symlinkSync(join(folder, "b"), join(folder, "a"));
  symlinkSync(join(folder, "a"), join(folder, "b"));
  expect(() => writeFileAtomic(join(folder, "a", "x"), "x")).toThrow(RangeError);
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
