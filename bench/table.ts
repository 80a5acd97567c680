import type { Times } from "./timing.ts";

/** Collects rows, says on standard error which one is being measured, and prints a Markdown table at the end. */
export class Table {
  private readonly columns: readonly string[];
  private readonly rows: string[][] = [];

  constructor(columns: readonly string[]) {
    this.columns = columns;
  }

  /** A cell per column; numbers are for the caller to format. */
  row(...cells: readonly string[]): void {
    this.rows.push([...cells]);
  }

  /** Prints the table with its columns aligned: the first to the left, the others to the right. */
  print(): void {
    const lines = [[...this.columns], ...this.rows];
    const widths = this.columns.map((_, c) => Math.max(3, ...lines.map((line) => (line[c] ?? "").length)));
    const show = (line: readonly string[]): string =>
      `| ${widths.map((width, c) => (c === 0 ? (line[c] ?? "").padEnd(width) : (line[c] ?? "").padStart(width))).join(" | ")} |`;
    const rule = widths.map((width, c) => (c === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
    progress("");
    console.log([show(lines[0]), show(rule), ...lines.slice(1).map(show)].join("\n"));
  }
}

/** Says what is being measured, on one line of a terminal's standard error, or one line each where that is a file. */
export function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${what}`);
  else if (what) process.stderr.write(`${what}\n`);
}

/** Three significant digits, without exponents for the numbers that tables hold. */
export const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 1 ? 3 : 2);

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** `12.3 ± 4 %`: median milliseconds and spread, where there are samples enough for one. */
export const time = ({ median, spread, samples }: Times): string =>
  `${digits(median)}${samples < 3 ? "" : ` ± ${percent(spread)}`}`;
