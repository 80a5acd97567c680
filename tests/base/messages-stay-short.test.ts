import { expect, test } from "vitest";
import { isMisuse, kindError, readFault, valueError } from "../../src/base/index.ts";

test.each([valueError, kindError])(
  "a value that a message repeats is cut in its middle, short ones stay whole",
  (worded) => {
    const long = `start-${"x".repeat(5000)}-end`;
    const { message } = worded("--opt.lr", "a finite number > 0", long, "try 0.1");
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/^--opt\.lr: expected a finite number > 0, got start-x+…x+-end; try 0\.1$/);
    expect(worded(long, "less", "more").message).toMatch(/^start-x+…x+-end: expected less, got more$/);
    const short = "y".repeat(200);
    expect(worded("a", "b", short).message).toBe(`a: expected b, got ${short}`);
    expect(worded("a", "b", "😀".repeat(150)).message).toMatch(/^a: expected b, got (😀)+(…(😀)+)?$/u);
    expect(isMisuse(worded("a", "b", long))).toBe(true);
  },
);

test("a file that cannot be read is spoken of in words, not in the system's codes", () => {
  const fault = (code: string): string =>
    readFault(Object.assign(new Error(`${code}: as the system says, open 'x'`), { code }));
  for (const code of ["ENOENT", "ENAMETOOLONG", "EACCES", "ENOTDIR", "EISDIR", "ELOOP"])
    expect(fault(code)).not.toContain(code);
  expect(fault("ENOENT")).toBe("none of that name");
  expect(fault("EIO")).toBe("EIO: as the system says, open 'x'");
});
