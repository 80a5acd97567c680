import { ablated, central, noisyCentral } from "./processes/central.ts";
import { discrete } from "./processes/discrete.ts";
import type { ProcessEntry } from "./processes/entry.ts";
import { midpoint } from "./processes/midpoint.ts";
import { stable } from "./processes/stable.ts";
import { stationary } from "./processes/stationary.ts";
import { closure, edge, rod, rodEach, twoStep } from "./rivals/entries.ts";

/**
 * The processes that can run side by side from one start (docs/derivations.md, section 4), in the order in which
 * they run and are written. A new one is its own file and a name here.
 */
export const PROCESSES = [
  discrete,
  midpoint,
  central,
  stable,
  stationary,
  ablated,
  noisyCentral,
  twoStep,
  closure,
  rod,
  rodEach,
  edge,
] as const satisfies readonly ProcessEntry[];

type Entry = (typeof PROCESSES)[number];

/** The kinds of processes. */
export type ProcessKind = Entry["kind"];

/** The kinds with eigenvalue settings of their own. */
export type SettledKind = Entry["eigenSettings"];

/** The kinds of processes, in the order of the table. */
export const PROCESS_KINDS: readonly ProcessKind[] = PROCESSES.map(({ kind }) => kind);

/** What there is to know of a kind. */
export function processEntry(kind: ProcessKind): ProcessEntry & { readonly eigenSettings: SettledKind } {
  return PROCESSES.find((entry) => entry.kind === kind) as Entry;
}
