import { appendFileSync } from "node:fs";
import type { Times } from "./timing.ts";

/** A measured cell: its text, and the number behind it, which `--json` saves and `--against` compares. */
export interface Measured {
  readonly text: string;
  readonly value: number;
  /** Half the distance between the quartiles, over the median; undefined where there is one sample. */
  readonly spread?: number;
  readonly better: "less" | "more";
  readonly toString: () => string;
}

/** Text names its row or explains a measured cell. */
export type Cell = string | Measured;

/** A table as data. */
export interface TableData {
  /** Which one of a part that prints several; "" for an only one. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Names the file to which a benchmark in a process of its own appends its tables, a line of JSON each. */
export const TABLES_VARIABLE = "BENCH_TABLES";

const printed: TableData[] = [];

/** The tables that were printed since the last call. */
export const takePrinted = (): TableData[] => printed.splice(0);

/** Collects rows and prints a Markdown table at the end. */
export class Table {
  private readonly columns: readonly string[];
  private readonly title: string;
  private readonly rows: Cell[][] = [];

  constructor(columns: readonly string[], title = "") {
    this.columns = columns;
    this.title = title;
  }

  /** A cell per column; plain numbers are for the caller to format. */
  row(...cells: readonly Cell[]): void {
    this.rows.push([...cells]);
  }

  /** Prints the table with its columns aligned, the first to the left, the others to the right; keeps its data. */
  print(): void {
    const { columns, title, rows } = this;
    const lines = [columns, ...rows].map((line) => columns.map((_, c) => String(line[c] ?? "")));
    const widths = columns.map((_, c) => Math.max(3, ...lines.map((line) => line[c].length)));
    const show = (line: readonly string[]): string =>
      `| ${widths.map((width, c) => (c === 0 ? line[c].padEnd(width) : line[c].padStart(width))).join(" | ")} |`;
    const rule = widths.map((width, c) => (c === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
    progress("");
    console.log([show(lines[0]), show(rule), ...lines.slice(1).map(show)].join("\n"));
    const data = { title, columns, rows };
    const file = process.env[TABLES_VARIABLE];
    if (file) appendFileSync(file, `${JSON.stringify(data)}\n`);
    printed.push(data);
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

/** A cell of a measured number, `12.3 ± 4 %` where there is a spread. */
export function measured(value: number, better: "less" | "more", spread?: number): Measured {
  const text = `${digits(value)}${spread === undefined ? "" : ` ± ${percent(spread)}`}`;
  return { text, value, spread, better, toString: () => text };
}

/** Median milliseconds and spread, where there are samples enough for one. */
export const time = ({ median, spread, samples }: Times): Measured =>
  measured(median, "less", samples < 3 ? undefined : spread);
