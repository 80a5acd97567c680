import type { ProcessKind } from "../../flows/index.ts";
import type { Column } from "../series.ts";

/** Runs beside one another are told apart by so many colours. */
export const RUN_COLORS = 8;

/** Who a line belongs to; each role has one colour and one stroke everywhere in the report. */
export type Role = ProcessKind | "prediction" | "average" | "warm" | "edge" | `run-${number}`;

/** One line of a chart. */
export interface Line {
  /** Column title in the CSV: the quantity's HDF5 path, or words for a derived one. */
  readonly name: string;
  /** One number per row of its run. */
  readonly values: Column;
  /** Which of the axes that the chart is drawn with it belongs to. Default 0, the only one but where runs are compared. */
  readonly axis?: number;
}

/** Lines that are named, coloured, shown and hidden together. The first is drawn strongest. */
export interface Group {
  readonly label: string;
  readonly role: Role;
  readonly lines: readonly Line[];
  /** Whether it is drawn before the reader asks for it. */
  readonly shown: boolean;
  /** Lines that run away: the vertical axis follows the other groups and shows these as far as they fit. */
  readonly strays?: boolean;
}

/** A word of the caption and what it means. */
export type Term = readonly [word: string, meaning: string];

interface Figure {
  /** Unique, usable in file names and HTML ids. */
  readonly id: string;
  readonly title: string;
  /** What a newcomer should see in it. */
  readonly caption: string;
  /** The terms that the figure and its caption use, each defined. */
  readonly terms?: readonly Term[];
  /** Spans the whole page. */
  readonly wide?: boolean;
}

/** A chart over the optimizer's steps. */
export interface Chart extends Figure {
  readonly kind: "series";
  /** What the vertical axis shows. */
  readonly axis: string;
  /** What the horizontal axis shows. Default the steps, or times, of a run. */
  readonly along?: string;
  readonly groups: readonly Group[];
  /** Whether the vertical axis starts logarithmic. */
  readonly log?: boolean;
  /** A horizontal line with a name, such as the edge of stability. */
  readonly level?: { readonly value: number; readonly label: string };
  /** The first row that it shows, where the rows of a warm start before it would be empty. Default 0. */
  readonly first?: number;
  /** Charts of one family on a page have the same vertical and horizontal range until they are zoomed. */
  readonly family?: string;
}

/** The path of one process in a plane: two coordinates per row. */
export interface Path {
  readonly label: string;
  readonly role: Role;
  readonly x: Column;
  readonly y: Column;
}

/** Rows that are seen in one plane. */
export interface Stretch {
  /** The first of them, as a row of the run's axis. */
  readonly first: number;
  /** Paths of one length: that of the stretch. */
  readonly paths: readonly Path[];
}

/** Paths in a plane of weight space, which turns from stretch to stretch. */
export interface PlaneChart extends Figure {
  readonly kind: "plane";
  /** What the horizontal and the vertical axis show. */
  readonly axes: readonly [string, string];
  readonly stretches: readonly Stretch[];
  /** The one to begin with. */
  readonly start: number;
}

/** A chart over steps, or a path in a plane. */
export type AnyChart = Chart | PlaneChart;

/** A group, or none if it would be empty. */
export function group(
  label: string,
  role: Role,
  lines: readonly (Line | undefined)[],
  options: { readonly shown?: boolean; readonly strays?: boolean } = {},
): Group[] {
  const present = lines.filter((line) => line !== undefined);
  return present.length === 0 ? [] : [{ label, role, lines: present, shown: true, ...options }];
}

/** A chart, or none if it would be empty. When no group starts visible, all do. */
export function chart(description: Omit<Chart, "kind">): Chart[] {
  const { groups } = description;
  if (groups.length === 0) return [];
  const anyShown = groups.some(({ shown }) => shown);
  const visible = anyShown ? groups : groups.map((each) => ({ ...each, shown: true }));
  return [{ kind: "series", ...description, groups: visible }];
}

/** Charts in lines of two: of those that do not span the page, a last one without a neighbour does. */
export function inPairs(charts: readonly AnyChart[]): AnyChart[] {
  const narrow = charts.filter(({ wide }) => !wide);
  const alone = narrow.length % 2 === 1 ? narrow.at(-1) : undefined;
  return charts.map((each) => (each === alone ? { ...each, wide: true } : each));
}
