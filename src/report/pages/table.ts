import { aligned, escapeHtml } from "../format.ts";

/** A column of a table. */
export interface TableColumn {
  readonly title: string;
  /** Words to the left, numbers to the right. Default numbers. */
  readonly words?: boolean;
}

/** One line of a table: what it is about, and one cell per column. */
export interface TableRow {
  readonly name: string;
  /** Where its name leads, such as `#id`. */
  readonly href?: string;
  readonly cells: readonly string[];
}

/** A table, for a page and for a terminal alike. */
export interface Table {
  /** What it is, for a screen reader. */
  readonly label: string;
  /** The title of the names. */
  readonly first: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
  /** Whether the names are sentences, which may take several lines on a page. Default false. */
  readonly sentences?: boolean;
}

/** A table as HTML, which scrolls sideways where the page is narrow. */
export function tableHtml({ label, first, columns, rows, sentences = false }: Table): string {
  const kind = ({ words }: TableColumn) => (words ? ' class="words"' : "");
  const titles = columns.map((column) => `<th scope="col"${kind(column)}>${escapeHtml(column.title)}</th>`);
  const lines = rows.map(({ name, href, cells }) => {
    const title = escapeHtml(name);
    const head = href === undefined ? title : `<a href="${escapeHtml(href)}">${title}</a>`;
    const rest = cells.map((cell, c) => `<td${kind(columns[c])}>${escapeHtml(cell)}</td>`);
    return `<tr><th scope="row">${head}</th>${rest.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(label)}"><table${sentences ? ' class="sentences"' : ""}>
<thead><tr><th scope="col">${escapeHtml(first)}</th>${titles.join("")}</tr></thead>
<tbody>${lines.join("\n")}</tbody></table></div>`;
}

/** A table for a terminal, its titles in lower case. */
export function tableText({ first, columns, rows }: Table): string {
  return aligned([
    [first, ...columns.map(({ title }) => title)].map((title) => title.toLowerCase()),
    ...rows.map(({ name, cells }) => [name, ...cells]),
  ]);
}
