/** The order of computation, chosen so that what can be fused stands together. */
import { type Graph, isSource, type NodeOf } from "../graph/graph.ts";
import { type Shape, sameShape } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { isContiguous } from "../primitives/rule.ts";
import type { Resolved } from "./layouts.ts";
import { reductionSplit } from "./reduction-split.ts";

/** Needs that one search looks at. Measured: 25 at most in the seven architectures; without a bound, long chains cost squares. */
const MOST_LOOKS = 200;

/** Nodes that are put next to one another, and the clusters that they read. */
interface Cluster {
  /** Of the elementwise members. */
  readonly shape: Shape;
  readonly members: number[];
  /** Sums of members, over the axes of the first. */
  readonly sums: number[];
  readonly needs: Set<Cluster>;
  readonly neededBy: Cluster[];
  /** Greater than that of all it needs: tells most of what it cannot need without a search. */
  level: number;
}

/**
 * The order in which a plan computes its nodes: by segment, and within one an elementwise node waits, with those of its
 * shape that it reads or that read it and with sums of them, until something else needs one of them. So chains stand
 * together, to be fused, and are done just before their reader. Cost: about linear in nodes.
 */
export function orderNodes(
  graph: Graph,
  resolved: readonly Resolved[],
  segmentOf: (node: number) => number,
): number[] {
  const computed = graph.nodes.flatMap((node, id) =>
    !isSource(node) && resolved[id].root === id ? [id] : [],
  );
  const bySegment = computed.sort((a, b) => segmentOf(a) - segmentOf(b) || a - b);
  const nodes = new NodeOrder(graph, resolved);
  let segment = -1;
  for (const id of bySegment) {
    if (segmentOf(id) !== segment) nodes.finish();
    segment = segmentOf(id);
    nodes.add(id);
  }
  nodes.finish();
  return nodes.order;
}

class NodeOrder {
  readonly order: number[] = [];
  private readonly graph: Graph;
  private readonly resolved: readonly Resolved[];
  /** The cluster of every node that waits. */
  private readonly waiting = new Map<number, Cluster>();

  constructor(graph: Graph, resolved: readonly Resolved[]) {
    this.graph = graph;
    this.resolved = resolved;
  }

  add(id: number): void {
    const node = this.graph.nodes[id];
    if (isSource(node)) return;
    const { op, shape, operands } = node;
    if (RULES[op].access === "elementwise") {
      const read = new Set(this.readBy(operands));
      const cluster = this.joinable(shape, operands, read) ?? {
        shape,
        members: [],
        sums: [],
        needs: new Set(),
        neededBy: [],
        level: 0,
      };
      cluster.members.push(id);
      this.waiting.set(id, cluster);
      for (const other of read) if (other !== cluster) need(cluster, other);
      return;
    }
    if (op === "sum") {
      const cluster = this.fusible(node);
      if (cluster) {
        cluster.sums.push(id);
        this.waiting.set(id, cluster);
        return;
      }
    }
    for (const cluster of this.readBy(operands)) this.release(cluster);
    this.order.push(id);
  }

  finish(): void {
    for (const cluster of new Set(this.waiting.values())) this.release(cluster);
  }

  private readBy(operands: readonly number[]): Cluster[] {
    return operands.flatMap((operand) => this.waiting.get(this.resolved[operand].root) ?? []);
  }

  /** The cluster of an operand that is a member, read entry by entry. */
  private chainOf(operand: number, shape: Shape): Cluster | undefined {
    const { root, layout } = this.resolved[operand];
    const cluster = this.waiting.get(root);
    const whole = cluster && sameShape(cluster.shape, shape) && sameShape(layout.shape, shape);
    // Sums of members wait with them, but are none.
    return whole && isContiguous(layout) && this.graph.nodes[root].op !== "sum" ? cluster : undefined;
  }

  /** A cluster that a node may join: it reads a member entry by entry, and nothing else it reads needs that cluster. */
  private joinable(
    shape: Shape,
    operands: readonly number[],
    read: ReadonlySet<Cluster>,
  ): Cluster | undefined {
    const chains = operands.flatMap((operand) => this.chainOf(operand, shape) ?? []);
    return chains.find((cluster) => {
      const others = operands.filter((operand) => this.chainOf(operand, shape) !== cluster);
      return (
        !this.readBy(others).includes(cluster) &&
        [...read].every((other) => other === cluster || !this.mayNeed(other, cluster))
      );
    });
  }

  /** The cluster that a sum may be fused with. */
  private fusible({ operands: [operand], params: { axes } }: NodeOf<"sum">): Cluster | undefined {
    const { shape } = this.graph.nodes[operand];
    const cluster = reductionSplit(shape, axes) && this.chainOf(operand, shape);
    if (!cluster) return undefined;
    const alike = cluster.sums.every(
      (id) => String((this.graph.nodes[id] as NodeOf<"sum">).params.axes) === String(axes),
    );
    return alike ? cluster : undefined;
  }

  /** Puts a cluster, and before it those it needs, into the order. A chain of them may be as long as the graph. */
  private release(cluster: Cluster): void {
    const open = [{ cluster, needs: cluster.needs.values() }];
    while (open.length > 0) {
      const current = open[open.length - 1];
      const next = current.needs.next();
      if (!next.done) {
        if (this.waits(next.value)) open.push({ cluster: next.value, needs: next.value.needs.values() });
        continue;
      }
      open.pop();
      if (!this.waits(current.cluster)) continue;
      for (const id of [...current.cluster.members, ...current.cluster.sums]) {
        this.waiting.delete(id);
        this.order.push(id);
      }
    }
  }

  private waits(cluster: Cluster): boolean {
    return this.waiting.has(cluster.members[0]);
  }

  /** Whether a cluster needs another one that waits, by way of others perhaps; also true where that is long to find out. */
  private mayNeed(cluster: Cluster, other: Cluster): boolean {
    const seen = new Set<Cluster>();
    const open = [cluster];
    let looks = 0;
    for (let current = open.pop(); current; current = open.pop())
      for (const needed of current.needs) {
        if (needed === other || ++looks > MOST_LOOKS) return true;
        // What does not wait any more needs nothing that waits.
        if (needed.level <= other.level || seen.has(needed) || !this.waits(needed)) continue;
        seen.add(needed);
        open.push(needed);
      }
    return false;
  }
}

/** Says that a cluster needs another, and raises the levels of those above. */
function need(cluster: Cluster, other: Cluster): void {
  if (cluster.needs.has(other)) return;
  cluster.needs.add(other);
  other.neededBy.push(cluster);
  const open: [Cluster, number][] = [[cluster, other.level + 1]];
  for (let raised = open.pop(); raised; raised = open.pop()) {
    const [above, level] = raised;
    if (above.level >= level) continue;
    above.level = level;
    for (const next of above.neededBy) open.push([next, level + 1]);
  }
}
