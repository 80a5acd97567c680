import { readFileSync, writeFileSync } from "node:fs";
import { type Cell, digits, type Measured, percent, Table, type TableData } from "./table.ts";
import { machine } from "./timing.ts";

/** All that one call of the benchmarks measured: what `--json` writes and `--against` reads. */
export interface Saved {
  readonly machine: string;
  readonly parts: Readonly<Record<string, readonly TableData[]>>;
}

/** Writes measurements as JSON. */
export function save(path: string, parts: Saved["parts"]): void {
  writeFileSync(path, `${JSON.stringify({ machine: machine(), parts } satisfies Saved, null, 1)}\n`);
}

/**
 * Reads what `save` wrote.
 * @throws what reading and parsing throw
 */
export const readSaved = (path: string): Saved => JSON.parse(readFileSync(path, "utf8"));

interface Ratio {
  readonly name: string;
  /** Cost now over cost then: above 1 is slower. */
  readonly ratio: number;
  /** What the spreads of both measurements make of it. */
  readonly noise: number;
}

/**
 * Prints tables of cost now over cost then, row by row of the same name, and a line that sums them up. Where a number is
 * better the larger it is, a ratio is the other way round, so that above 1 is always slower.
 */
export function printAgainst(then: Saved, now: Saved["parts"]): void {
  console.log(`\n## Now over then\n\nThen: ${then.machine}. Above 1: slower now.`);
  const all: Ratio[] = [];
  for (const [part, tables] of Object.entries(now))
    for (const table of tables) {
      const old = then.parts[part]?.find(({ title }) => title === table.title);
      if (old) all.push(...printRatios(part, table, old));
    }
  console.log(`\n${summaryOf(all)}`);
}

function printRatios(part: string, now: TableData, then: TableData): Ratio[] {
  const measuredAt = now.columns.map((_, c) => now.rows.some((row) => isMeasured(row[c])));
  const first = measuredAt.indexOf(true);
  if (first < 0) return [];
  const keys = now.columns.slice(0, first);
  const compared = now.columns.filter((_, c) => measuredAt[c]);
  const cellOf = (table: TableData, row: readonly Cell[], column: string): Cell | undefined =>
    row[table.columns.indexOf(column)];
  const keyOf = (table: TableData, row: readonly Cell[]): string =>
    keys.map((key) => cellOf(table, row, key) ?? "").join(", ");
  const title = now.title ? `${part}, ${now.title}` : part;
  const table = new Table([title, ...compared]);
  const ratios: Ratio[] = [];
  for (const row of now.rows) {
    const name = keyOf(now, row);
    const old = then.rows.find((candidate) => keyOf(then, candidate) === name);
    const cells = compared.map((column) => {
      const [a, b] = [cellOf(now, row, column), old && numberOf(cellOf(then, old, column))];
      if (!isMeasured(a) || !b) return "–";
      const ratio = a.better === "less" ? a.value / b.value : b.value / a.value;
      ratios.push({
        name: `${title}: ${name}, ${column}`,
        ratio,
        noise: (a.spread ?? 0) + (b.spread ?? 0),
      });
      return digits(ratio);
    });
    table.row(name, ...cells);
  }
  console.log("");
  table.print();
  return ratios;
}

/** Slower or faster than this times the sum of both spreads, and by this share at least, is told by name. */
const NOTABLE = { spreads: 2, share: 0.05 };

function summaryOf(ratios: readonly Ratio[]): string {
  if (ratios.length === 0) return "Nothing was measured both times.";
  const mean = Math.exp(ratios.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / ratios.length);
  const notable = ratios.filter(
    ({ ratio, noise }) => Math.abs(ratio - 1) > Math.max(NOTABLE.share, NOTABLE.spreads * noise),
  );
  return [
    `${ratios.length} ratios, geometric mean ${mean.toFixed(3)}; beyond twice their spreads: ${notable.length}`,
    ...notable.map(({ name, ratio, noise }) => `- ${name}: ${digits(ratio)} (spreads ${percent(noise)})`),
  ].join("\n");
}

const isMeasured = (cell: Cell | undefined): cell is Measured => typeof cell === "object";

/** A cell's number; text that begins with one counts, for measurements whose part saved text. */
function numberOf(cell: Cell | undefined): { value: number; spread?: number } | undefined {
  if (isMeasured(cell)) return cell;
  const [, value, spread] = /^([\d.]+(?:e[+-]?\d+)?)(?: ± (\d+) %)?/.exec(cell ?? "") ?? [];
  return value === undefined
    ? undefined
    : { value: Number(value), spread: spread === undefined ? undefined : Number(spread) / 100 };
}
