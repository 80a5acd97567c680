/** The order of computation, chosen so that what can be fused stands together. */
import { type Graph, isSource, type NodeOf } from "../graph/graph.ts";
import { type Shape, sameShape } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { isContiguous } from "../primitives/rule.ts";
import type { Resolved } from "./layouts.ts";
import { reductionSplit } from "./reduction-split.ts";

/** Nodes that are put next to one another, and the clusters that they read. */
interface Cluster {
  /** Of the elementwise members. */
  readonly shape: Shape;
  readonly members: number[];
  /** Sums of members, over the axes of the first. */
  readonly sums: number[];
  readonly needs: Set<Cluster>;
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
      };
      cluster.members.push(id);
      this.waiting.set(id, cluster);
      for (const other of read) if (other !== cluster) cluster.needs.add(other);
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
    return whole && isContiguous(layout) && cluster.members.includes(root) ? cluster : undefined;
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
        [...read].every((other) => other === cluster || !needs(other, cluster))
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

  /** Puts a cluster, and before it those it needs, into the order. */
  private release(cluster: Cluster): void {
    if (!this.waiting.has(cluster.members[0])) return;
    for (const other of cluster.needs) this.release(other);
    for (const id of [...cluster.members, ...cluster.sums]) {
      this.waiting.delete(id);
      this.order.push(id);
    }
  }
}

function needs(cluster: Cluster, other: Cluster): boolean {
  for (const needed of cluster.needs) if (needed === other || needs(needed, other)) return true;
  return false;
}
