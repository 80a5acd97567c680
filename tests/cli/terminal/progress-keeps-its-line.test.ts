import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createProgress, type ProgressOptions } from "../../../src/cli/terminal/progress.ts";

function show(options: Partial<ProgressOptions> & { columns?: number }) {
  const writes: string[] = [];
  let time = 0;
  const { columns, ...rest } = options;
  const stream = { columns, write: (words: string) => writes.push(words) };
  const progress = createProgress({ stream, total: 100, now: () => time, ...rest });
  return {
    writes,
    progress,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the control sequences of a terminal
const CONTROLS = /\u001b\[[0-9;]*[A-Za-z]/g;

/** What stands on a terminal after some writes: its lines, the last one being where the cursor is. */
function screen(writes: readonly string[]): string[] {
  const lines = [""];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is how a line is erased
  for (const words of writes.join("").split(/(\n|\r\u001b\[2K)/)) {
    if (words === "\n") lines.push("");
    else if (words.startsWith("\r")) lines[lines.length - 1] = "";
    else lines[lines.length - 1] += words.replace(CONTROLS, "");
  }
  return lines;
}

describe("on a terminal", () => {
  test("the bar tells step, rate, time left, loss, sharpness and k", () => {
    const { writes, progress, pass } = show({ isTTY: true, columns: 120 });
    pass(5_000);
    progress.update({ step: 25, loss: 0.123456, sharpness: 98.7654, k: 2 });
    const [line] = screen(writes);
    expect(line).toContain(" 25% ");
    expect(line).toContain("25/100");
    expect(line).toContain("15s left");
    expect(line).toContain("5.00 steps/s");
    expect(line).toContain("loss 0.1235");
    expect(line).toContain("sharpness 98.77");
    expect(line).toContain("k 2");
  });

  test("it is drawn at most ten times a second", () => {
    const { writes, progress, pass } = show({ isTTY: true, total: 10_000 });
    for (let step = 1; step <= 3_000; step++) {
      pass(1);
      progress.update({ step });
    }
    expect(writes.length).toBeGreaterThan(20);
    expect(writes.length).toBeLessThanOrEqual(31);
  });

  test("it never reaches the last column, on any width and with any values", () => {
    const values = fc.oneof(
      fc.double(),
      fc.constantFrom(undefined, 1e-300, Number.NaN, Number.POSITIVE_INFINITY),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 200 }),
        fc.boolean(),
        fc.array(fc.record({ step: fc.nat(120), loss: values, sharpness: values, k: fc.nat(12) })),
        (columns, plain, states) => {
          const { writes, progress, pass } = show({
            isTTY: true,
            columns,
            env: plain ? { NO_COLOR: "1" } : {},
          });
          for (const state of states) {
            pass(150);
            progress.update(state);
          }
          for (const words of writes) {
            expect(words).not.toContain("\n");
            expect(screen([words])[0].length).toBeLessThan(columns);
          }
        },
      ),
    );
  });

  test("it leaves nothing behind", () => {
    const { writes, progress, pass } = show({ isTTY: true });
    for (let step = 1; step <= 10; step++) {
      pass(500);
      progress.update({ step, loss: 1 });
    }
    progress.finish();
    expect(screen(writes)).toEqual([""]);
    const count = writes.length;
    progress.finish();
    progress.update({ step: 11 });
    expect(writes.length).toBe(count);
  });

  test("a note stands above it", () => {
    const { writes, progress, pass } = show({ isTTY: true });
    pass(500);
    progress.update({ step: 10 });
    progress.note("threads are not available");
    const lines = screen(writes);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe("threads are not available");
    expect(lines[1]).toContain("10/100");
  });

  test("NO_COLOR keeps colours out", () => {
    const coloured = show({ isTTY: true });
    coloured.progress.update({ step: 10 });
    expect(coloured.writes.join("")).toMatch(CONTROLS);
    const plain = show({ isTTY: true, env: { NO_COLOR: "1" } });
    plain.progress.update({ step: 10 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    expect(plain.writes.join("")).not.toMatch(/\u001b\[[0-9;]*m/);
  });

  test("the rate follows a run that becomes slower", () => {
    const { writes, progress, pass } = show({ isTTY: true, columns: 120, total: 2_000 });
    for (let step = 1; step <= 1_000; step++) {
      pass(10);
      progress.update({ step });
    }
    for (let step = 1_001; step <= 1_060; step++) {
      pass(1_000);
      progress.update({ step });
    }
    const rate = Number(/([\d.]+) steps\/s/.exec(writes.at(-1) ?? "")?.[1]);
    expect(rate).toBeGreaterThan(0.99);
    expect(rate).toBeLessThan(1.05);
  });

  test("a resumed run counts its own steps for the rate", () => {
    const { writes, progress, pass } = show({ isTTY: true, columns: 120, start: 90 });
    pass(5_000);
    progress.update({ step: 95 });
    expect(writes.at(-1)).toContain("5s left");
    expect(writes.at(-1)).toContain("1.00 steps/s");
  });
});

describe("elsewhere", () => {
  test("there is a line for each tenth of a fast run, and one at the end", () => {
    const { writes, progress, pass } = show({ total: 1_000 });
    for (let step = 1; step <= 999; step++) {
      pass(1);
      progress.update({ step, loss: 2, sharpness: 40, k: 1 });
    }
    progress.finish();
    expect(writes).toHaveLength(10);
    for (const line of writes)
      expect(line).toMatch(/^step \d+\/1000 .*loss 2\.000 {2}sharpness 40\.00 {2}k 1 .*\n$/);
    expect(writes.at(-1)).toContain("step 999/1000");
  });

  test("there is a line about every five seconds of a slow run", () => {
    const { writes, progress, pass } = show({ total: 1_000 });
    for (let step = 1; step <= 60; step++) {
      pass(1_000);
      progress.update({ step });
    }
    expect(writes).toHaveLength(12);
  });

  test("lines have no control characters", () => {
    const { writes, progress, pass } = show({ isTTY: true, env: { TERM: "dumb" } });
    pass(6_000);
    progress.update({ step: 50, loss: 1 });
    progress.note("a note");
    progress.finish();
    expect(writes).toHaveLength(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may occur
    for (const line of writes) expect(line).toMatch(/^[^\u0000-\u0009\u000b-\u001f]+\n$/);
  });

  test("the last step is told once", () => {
    const { writes, progress, pass } = show({ total: 10 });
    pass(100);
    progress.update({ step: 10 });
    progress.finish();
    expect(writes).toHaveLength(1);
  });
});

test("quiet means silent", () => {
  for (const isTTY of [false, true]) {
    const { writes, progress, pass } = show({ quiet: true, isTTY });
    pass(10_000);
    progress.update({ step: 50, loss: 1 });
    progress.note("hush");
    progress.finish();
    expect(writes).toEqual([]);
  }
});

test("a run without steps is no division by zero", () => {
  for (const isTTY of [false, true]) {
    const { writes, progress } = show({ total: 0, isTTY });
    progress.update({ step: 0 });
    progress.finish();
    expect(writes.join("")).not.toMatch(/NaN|Infinity/);
  }
});
