import { columnOf, columnsOf, type Rows } from "./series.ts";

/** How a run went at the edge of stability, over all its steps there. */
export interface EdgeSummary {
  /** The rows, in order, in which the central flow's effective sharpness is within 1 % of the edge, or beyond. */
  readonly rows: readonly number[];
  /** How many eigenvalues are within 1 % of the edge or beyond: at most, and in how many rows two or more. */
  readonly most: number;
  readonly several: number;
  /** The share of the rows at the edge in which the central flow is nearer to the optimizer than the stable flow; undefined without both flows or rows. */
  readonly nearer: number | undefined;
  /**
   * The median, over the rows at the edge, of the distance of the central flow from the midpoints of the optimizer's path
   * over that of the stable flow; from the optimizer itself where midpoints were not run. Below 1: the central flow is nearer.
   */
  readonly ratio: number | undefined;
  /** Whose distances `ratio` compares. */
  readonly from: "midpoint" | "discrete";
  /** The first and the last row of the longest stretch at the edge in which the stable flow is the nearer one: an entry–exit delay. */
  readonly delay: readonly [number, number] | undefined;
}

/** Within this fraction of it an eigenvalue counts as at the edge. */
const TOLERANCE = 0.01;

/**
 * Sums up a run at the edge.
 *
 * @param rows read only; may be empty
 * @param criticalValue c, the edge of stability
 * @param count only so many rows from the first on are looked at; default all
 * @returns undefined if the central flow's eigenvalues were not logged
 */
export function edgeSummary(rows: Rows, criticalValue: number, count = rows.length): EdgeSummary | undefined {
  const eigenvalues = columnsOf(rows, "central/effective_hessian_eigs");
  if (eigenvalues.length === 0) return undefined;
  const bound = criticalValue * (1 - TOLERANCE);
  const counts = new Uint32Array(Math.min(count, rows.length));
  for (const values of eigenvalues)
    for (let r = 0; r < counts.length; r++) if (values[r] >= bound) counts[r]++;
  const edge: number[] = [];
  counts.forEach((most, r) => {
    if (most > 0) edge.push(r);
  });
  const central = columnOf(rows, "distances/central-discrete");
  const stable = columnOf(rows, "distances/discrete-stable");
  const both = central && stable ? edge.filter((r) => central[r] >= 0 && stable[r] >= 0) : [];
  const nearer = both.map((r) => !!central && !!stable && central[r] <= stable[r]);
  const from = columnOf(rows, "distances/midpoint-stable") ? "midpoint" : "discrete";
  const near = columnOf(rows, `distances/central-${from}`);
  const far = columnOf(rows, from === "midpoint" ? "distances/midpoint-stable" : "distances/discrete-stable");
  const ratios = near && far ? edge.map((r) => near[r] / far[r]).filter((x) => !Number.isNaN(x)) : [];
  return {
    rows: edge,
    most: counts.reduce((most, each) => Math.max(most, each), 0),
    several: counts.filter((each) => each > 1).length,
    nearer: both.length > 0 ? nearer.filter((is) => is).length / both.length : undefined,
    ratio: median(ratios),
    from,
    delay: longestStretch(both, nearer),
  };
}

/** The longest stretch of neighbouring rows of which none is marked, by its first and last row; undefined if all are. */
function longestStretch(
  rows: readonly number[],
  marked: readonly boolean[],
): readonly [number, number] | undefined {
  let best: readonly [number, number] | undefined;
  let start = -1;
  rows.forEach((row, i) => {
    if (marked[i]) start = -1;
    else {
      if (start < 0 || rows[i - 1] !== row - 1) start = row;
      if (!best || row - start > best[1] - best[0]) best = [start, row];
    }
  });
  return best;
}

/** The middle of some numbers, or of the middle two; undefined if there are none. */
function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
