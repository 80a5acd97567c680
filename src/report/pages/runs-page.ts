/** The page of many runs, which gallery, claims, studies and comparisons share: a table of them all, then panels of charts. */
import { valueError } from "../../base/index.ts";
import { type AnyChart, inPairs } from "../charts/chart.ts";
import { chartSection, legendOfUse } from "../charts/chart-section.ts";
import type { Axis } from "../charts/dynamics-charts.ts";
import { dataElement } from "../charts/page-data.ts";
import type { Fact } from "../facts.ts";
import { escapeHtml } from "../format.ts";
import { htmlPage, pageHead } from "./html-page.ts";
import { type Table, tableHtml } from "./table.ts";

/** Charts that stand together and show their values at one step: those of a run, or one of many runs. */
export interface Panel {
  /** Unique on the page; letters, digits and hyphens: the ids of its charts begin with it. */
  readonly id: string;
  readonly title: string;
  /** A sentence under the title, without a full stop. */
  readonly note?: string;
  /** Where more is told: the address of a report, relative to the page. */
  readonly report?: string;
  readonly facts?: readonly Fact[];
  /** Numbers above the charts. */
  readonly numbers?: Table;
  readonly axes: readonly Axis[];
  readonly charts: readonly AnyChart[];
  /** Small multiples: so many to a line, or as many as fit. Without it, charts as large as in a report. */
  readonly small?: number | "fit";
  /** Whether the charts' captions are shown. Default false: runs beside one another need none. */
  readonly explained?: boolean;
}

/** Panels under one heading. */
export interface Section {
  readonly id?: string;
  readonly title?: string;
  /** What it rests on, each with an address and what is to be said of it. */
  readonly sources?: readonly { readonly words: string; readonly href: string; readonly note: string }[];
  /** Paragraphs of plain words; the last is the verdict where there is one. */
  readonly paragraphs?: readonly string[];
  readonly verdict?: string;
  readonly panels: readonly Panel[];
}

/** What a page of many runs shows. */
export interface RunsPage {
  /** The window's title, in which `– central flows` follows. */
  readonly name: string;
  readonly kicker: string;
  readonly heading: string;
  /** One line on machine and engine. */
  readonly environment: string;
  /** What the table says, in a sentence or two. */
  readonly lede?: string;
  readonly table: Table;
  /** What its columns mean. */
  readonly note?: string;
  /** HTML of our own making that stands under the table. */
  readonly figures?: string;
  readonly sections: readonly Section[];
}

/**
 * Renders a page of many runs, which needs nothing else, as `renderReport` does for one.
 *
 * @returns the page; some 90 kB and 11 bytes per number drawn
 * @throws InputValueError for two panels of one id, or one that is no HTML id
 */
export function renderRuns({
  name,
  kicker,
  heading,
  environment,
  lede,
  table,
  note,
  figures = "",
  sections,
}: RunsPage): string {
  const ids = sections.flatMap(({ id, panels }) => [...(id ? [id] : []), ...panels.map((panel) => panel.id)]);
  for (const [i, id] of ids.entries())
    if (!/^[a-z][a-z0-9-]*$/.test(id) || ids.indexOf(id) !== i)
      throw valueError("renderRuns", "distinct names of letters, digits and hyphens", id);
  const timed = sections.some(({ panels }) => panels.some(({ axes }) => axes.some(({ times }) => times)));
  return htmlPage(`${name} – central flows`, [
    pageHead(kicker, heading, `<p class="status">${escapeHtml(environment)}</p>`),
    `<main><section class="summary gallery" aria-label="Summary">
${lede === undefined ? "" : `<p class="lede">${escapeHtml(lede)}</p>`}
${tableHtml(table)}
${note === undefined ? "" : `<p class="note">${escapeHtml(note)}</p>`}</section>`,
    figures === ""
      ? ""
      : `<section class="scatters" aria-label="Values against settings">${figures}</section>`,
    sections.length === 0 ? "" : legendOfUse("all plots of a panel", timed),
    ...sections.map(sectionHtml),
    "</main>",
  ]);
}

function sectionHtml({ id, title, sources = [], paragraphs = [], verdict, panels }: Section): string {
  const words = [
    ...sources.map(
      ({ words, href, note }) =>
        `<p class="status"><a href="${escapeHtml(href)}">${escapeHtml(words)}</a> (${escapeHtml(note)})</p>`,
    ),
    ...paragraphs.map((words, i) => `<p${i > 0 ? ' class="note"' : ""}>${escapeHtml(words)}</p>`),
    ...(verdict === undefined ? [] : [`<p><strong>${escapeHtml(verdict)}</strong></p>`]),
  ];
  const head =
    title === undefined
      ? ""
      : `<section class="claim"${id === undefined ? "" : ` id="${id}" aria-labelledby="${id}-title"`}><h2${id === undefined ? "" : ` id="${id}-title"`}>${escapeHtml(title)}</h2>${words.join("")}</section>`;
  return `${head}${panels.map((panel) => panelHtml(panel, title === undefined ? 2 : 3)).join("\n")}`;
}

function panelHtml(panel: Panel, level: 2 | 3): string {
  const { id, title, note, report, facts = [], numbers, axes, small, explained = false } = panel;
  const own = panel.charts.map(
    (chart): AnyChart => ({
      ...chart,
      id: `${id}-${chart.id}`,
      wide: chart.kind === "plane" && small === undefined,
    }),
  );
  const charts = small === undefined ? inPairs(own) : own;
  const told = facts.map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  const grid =
    small === undefined ? "charts" : `charts small${small === "fit" ? "" : ` columns-${Math.min(small, 6)}`}`;
  return `<section class="run gallery" id="${id}" aria-labelledby="${id}-name">
<div class="bar"><h${level} id="${id}-name">${escapeHtml(title)}</h${level}>${report === undefined ? "" : `<a href="${escapeHtml(report)}" aria-label="Full report of ${escapeHtml(title)}">Full report</a>`}</div>
${note === undefined ? "" : `<p class="status">${escapeHtml(note)}</p>`}
${told.length > 0 ? `<dl class="facts">${told.join("")}</dl>` : ""}
${numbers === undefined ? "" : tableHtml(numbers)}
${
  charts.length === 0
    ? ""
    : `<div class="${grid}">${charts.map((chart) => chartSection(chart, { level: level === 2 ? 3 : 4, explained, under: `${id}-name` })).join("\n")}</div>
${dataElement(axes, charts)}`
}
</section>`;
}
