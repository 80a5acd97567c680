import type { ProcessKind } from "../../flows/index.ts";
import type { Column } from "../series.ts";

/** Who a line belongs to; each role has one colour and one stroke everywhere in the report. */
export type Role = ProcessKind | "prediction" | "average";

/** One line of a chart. */
export interface Line {
  /** Column title in the CSV: the quantity's HDF5 path, or words for a derived one. */
  readonly name: string;
  readonly values: Column;
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

/** A chart over the optimizer's steps, with what a newcomer should see in it. */
export interface Chart {
  /** Unique, usable in file names and HTML ids. */
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  /** What the vertical axis shows. */
  readonly axis: string;
  readonly groups: readonly Group[];
  /** Whether the vertical axis starts logarithmic. */
  readonly log?: boolean;
  /** A horizontal line with a name, such as the edge of stability. */
  readonly level?: { readonly value: number; readonly label: string };
  /** Spans the whole page. */
  readonly wide?: boolean;
}

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
export function chart(description: Chart): Chart[] {
  const { groups } = description;
  if (groups.length === 0) return [];
  const anyShown = groups.some(({ shown }) => shown);
  return [anyShown ? description : { ...description, groups: groups.map((g) => ({ ...g, shown: true })) }];
}
