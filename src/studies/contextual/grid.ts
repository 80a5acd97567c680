import type { QuadraticProgram } from "../../linalg/index.ts";

/** Nodes along a side of the grid. */
const SIDE = 5;
const NODES = SIDE * SIDE;

/**
 * The directed edges of the 5×5 grid, right and down, by their first node and then by their second; node i + 5j lies in
 * column i of row j. As the authors' graph has them.
 */
export const EDGES: readonly (readonly [from: number, to: number])[] = Array.from(
  { length: NODES },
  (_, node) => node,
).flatMap((node) => {
  const right: [number, number][] = node % SIDE < SIDE - 1 ? [[node, node + 1]] : [];
  const down: [number, number][] = node < NODES - SIDE ? [[node, node + SIDE]] : [];
  return [...right, ...down];
});

/** The 70 paths from the first node to the last, each as its eight edges. */
export const PATHS: readonly (readonly number[])[] = pathsFrom(0);

function pathsFrom(node: number): number[][] {
  if (node === NODES - 1) return [[]];
  return EDGES.flatMap(([from, to], edge) =>
    from === node ? pathsFrom(to).map((rest) => [edge, ...rest]) : [],
  );
}

const edgeBetween = (from: number, to: number): number => EDGES.findIndex(([a, b]) => a === from && b === to);
/** The edges that lead to each node from the left and from above; −1 where there is none. */
const FROM_LEFT = Int32Array.from({ length: NODES }, (_, node) => edgeBetween(node - 1, node));
const FROM_ABOVE = Int32Array.from({ length: NODES }, (_, node) => edgeBetween(node - SIDE, node));
const LENGTH = 2 * (SIDE - 1);

/** A cheapest path and what it costs. */
export interface Route {
  /** The eight edges, from the first. */
  readonly edges: readonly number[];
  readonly cost: number;
}

/**
 * The cheapest of the 70 paths, by dynamic programming: the grid has no circles, so costs may be negative. Of equally
 * cheap ways to a node that from the left.
 *
 * @param costs of 40 edges from `at` on, read
 */
export function cheapestPath(costs: Float64Array, at = 0): Route {
  const least = new Float64Array(NODES);
  const last = new Int32Array(NODES);
  for (let node = 1; node < NODES; node++) {
    const [left, above] = [FROM_LEFT[node], FROM_ABOVE[node]];
    const fromLeft = left < 0 ? Number.POSITIVE_INFINITY : least[node - 1] + costs[at + left];
    const fromAbove = above < 0 ? Number.POSITIVE_INFINITY : least[node - SIDE] + costs[at + above];
    last[node] = fromLeft <= fromAbove ? left : above;
    least[node] = Math.min(fromLeft, fromAbove);
  }
  const edges = new Array<number>(LENGTH);
  for (let node = NODES - 1, place = LENGTH; place-- > 0; ) {
    edges[place] = last[node];
    node -= last[node] === FROM_LEFT[node] ? 1 : SIDE;
  }
  return { edges, cost: least[NODES - 1] };
}

/** What a path costs. @param costs of 40 edges from `at` on, read */
export function costOf(edges: readonly number[], costs: Float64Array, at = 0): number {
  let sum = 0;
  for (const edge of edges) sum += costs[at + edge];
  return sum;
}

/**
 * The same problem as a linear program, Q = 0: min cᵀz over flows z ≥ 0 that carry one unit from the first node to the
 * last. Its vertices are the paths; the multipliers of its solution prove that none is cheaper. The last node's equation
 * follows from the others and is left out.
 */
export function pathProgram(costs: Float64Array): QuadraticProgram {
  const n = EDGES.length;
  const balance = new Float64Array((NODES - 1) * n);
  EDGES.forEach(([from, to], edge) => {
    balance[from * n + edge] += 1;
    if (to < NODES - 1) balance[to * n + edge] -= 1;
  });
  const bounds = new Float64Array(n * n);
  for (let edge = 0; edge < n; edge++) bounds[edge * (n + 1)] = 1;
  const supply = new Float64Array(NODES - 1);
  supply[0] = 1;
  return {
    Q: new Float64Array(n * n),
    c: costs,
    A: bounds,
    b: new Float64Array(n),
    E: balance,
    f: supply,
  };
}
