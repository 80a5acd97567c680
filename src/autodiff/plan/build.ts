/**
 * The planner: graph → plan. Every node either gets a buffer or is a view of one (`layouts.ts`), nodes get an order in which
 * chains stand together (`order.ts`), and walking through it each buffer is taken from its region when it is computed and
 * given back after its last reader (`regions.ts`). An elementwise result overwrites an operand that dies with it.
 */
import { valueError } from "../../base/index.ts";
import { type Graph, isSource, type PrimitiveName, type PrimitiveNode } from "../graph/graph.ts";
import { sizeOf } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { type Cost, isContiguous, type PrimitiveRule } from "../primitives/rule.ts";
import { type Resolved, resolveLayouts } from "./layouts.ts";
import { orderNodes } from "./order.ts";
import type { Instruction, Location, Plan, PlanRequest, StridedView } from "./plan.ts";
import { RegionAllocator } from "./regions.ts";

/** The node that last reads a buffer in the segment that makes it, and whether a later segment reads it. */
interface Lifetime {
  lastUse: number;
  crosses: boolean;
}

/** Turns a graph into a plan. Cost: linear in nodes, but for the search of free ranges. */
export function buildPlan(request: PlanRequest): Plan<Instruction> {
  return new Planner(request).build();
}

class Planner {
  private readonly request: PlanRequest;
  private readonly graph: Graph;
  private readonly resolved: readonly Resolved[];
  private readonly segment: Int32Array;
  /** Nodes with a buffer of their own, in the order in which they are computed. */
  private readonly order: readonly number[];
  private readonly locations: (Location | undefined)[];
  private readonly lifetimes = new Map<number, Lifetime>();
  private readonly outputLocation = new Map<number, Location>();
  private readonly allocators: RegionAllocator[];
  private readonly constants: number[] = [];

  constructor(request: PlanRequest) {
    this.request = request;
    this.graph = request.graph;
    this.resolved = resolveLayouts(this.graph);
    this.segment = Int32Array.from(this.graph.nodes, (_, id) => request.segmentOf(id));
    this.order = orderNodes(this.graph, this.resolved, (id) => this.segment[id]);
    this.locations = new Array(this.graph.nodes.length);
    this.allocators = Array.from({ length: request.regions }, () => new RegionAllocator());
  }

  build(): Plan<Instruction> {
    const { request, graph } = this;
    this.locateSources();
    this.findLifetimes();
    this.claimOutputs();
    const segments: Instruction[][] = Array.from({ length: request.segmentCount }, () => []);
    for (const id of this.order) segments[this.segment[id]].push(this.instruction(id));
    this.copyOutputs(segments);
    const sizes = this.allocators.map((allocator) => allocator.size);
    sizes[request.constantsRegion] = this.constants.length;
    const reserve = (location: Location, size: number): void => {
      sizes[location.region] = Math.max(sizes[location.region], location.offset + size);
    };
    graph.inputs.forEach((id, i) => {
      reserve(request.inputs[i], sizeOf(graph.nodes[id].shape));
    });
    graph.outputs.forEach((id, i) => {
      reserve(request.outputs[i], sizeOf(graph.nodes[id].shape));
    });
    return {
      graph,
      inputs: request.inputs,
      segments,
      regionSizes: sizes,
      constants: Float64Array.from(this.constants),
      constantsRegion: request.constantsRegion,
    };
  }

  private locateSources(): void {
    const { graph, request } = this;
    graph.inputs.forEach((id, i) => {
      this.locations[id] = request.inputs[i];
    });
    const shared = new Map<string, number>();
    graph.nodes.forEach((node, id) => {
      let entries: readonly number[] | Float64Array;
      if (node.op === "literal") entries = node.params.data;
      else if (node.op === "constant")
        entries = new Array<number>(isContiguous(this.resolved[id].layout) ? sizeOf(node.shape) : 1).fill(
          node.params.value,
        );
      else return;
      const key =
        node.op === "constant"
          ? `${Object.is(node.params.value, -0) ? "-0" : node.params.value}|${entries.length}`
          : `literal ${id}`;
      let offset = shared.get(key);
      if (offset === undefined) {
        offset = this.constants.length;
        for (const entry of entries) this.constants.push(entry);
        shared.set(key, offset);
      }
      this.locations[id] = { region: request.constantsRegion, offset };
    });
  }

  private findLifetimes(): void {
    for (const id of this.order) {
      if (this.segment[id] < 0 || this.segment[id] >= this.request.segmentCount)
        throw valueError(
          "buildPlan",
          `a segment below ${this.request.segmentCount}`,
          String(this.segment[id]),
        );
      this.lifetimes.set(id, { lastUse: id, crosses: false });
      for (const operand of this.graph.nodes[id].operands)
        this.use(this.resolved[operand].root, id, this.segment[id]);
    }
    // An output that is not computed in its place is copied there at the end of the segment that writes it.
    this.graph.outputs.forEach((id, i) => {
      this.use(this.resolved[id].root, Number.POSITIVE_INFINITY, this.outputSegment(i));
    });
  }

  private outputSegment(i: number): number {
    const own = this.segment[this.graph.outputs[i]];
    const segment = this.request.outputSegments?.[i] ?? own;
    if (!(segment >= own && segment < this.request.segmentCount))
      throw valueError(
        "buildPlan",
        `output ${i} in a segment from ${own} to ${this.request.segmentCount - 1}`,
        String(segment),
      );
    return segment;
  }

  private use(root: number, by: number, segment: number): void {
    const lifetime = this.lifetimes.get(root);
    if (!lifetime) return;
    // Readers come in the order in which they are computed, the copying of outputs last.
    if (segment === this.segment[root]) lifetime.lastUse = by;
    else if (segment > this.segment[root]) lifetime.crosses = true;
    else throw valueError("buildPlan", "operands in earlier segments", `%${root} used before its segment`);
  }

  /** An output with a buffer of its own that no later segment reads is computed where it is wanted. */
  private claimOutputs(): void {
    this.graph.outputs.forEach((id, i) => {
      const lifetime = this.lifetimes.get(id);
      if (!lifetime || lifetime.crosses || this.outputLocation.has(id)) return;
      this.outputLocation.set(id, this.request.outputs[i]);
    });
  }

  private instruction(id: number): Instruction {
    const node = this.graph.nodes[id];
    if (isSource(node)) throw valueError("buildPlan", "a primitive", node.op);
    const rule = RULES[node.op] as PrimitiveRule<PrimitiveName>;
    const operands = node.operands.map((operand) => this.viewOf(operand));
    const dying = [...new Set(node.operands.map((operand) => this.resolved[operand].root))].filter((root) =>
      this.diesAt(root, id),
    );
    const inPlace = rule.access === "elementwise" ? this.reusable(id, dying) : undefined;
    this.locations[id] =
      this.outputLocation.get(id) ?? (inPlace !== undefined ? this.locations[inPlace] : this.allocate(id));
    for (const root of dying)
      if (root !== inPlace || this.outputLocation.has(id)) {
        const { region, offset } = this.locations[root] as Location;
        this.allocators[region].give(offset, sizeOf(this.graph.nodes[root].shape));
      }
    const lifetime = this.lifetimes.get(id) as Lifetime;
    const location = this.locations[id] as Location;
    // A value nobody reads (only possible for outputs, or for a dead end the caller asked for) keeps no room.
    if (lifetime.lastUse === id && !lifetime.crosses && !this.outputLocation.has(id) && inPlace === undefined)
      this.allocators[location.region].give(location.offset, sizeOf(node.shape));
    return {
      node: id,
      op: node.op,
      params: node.params,
      operands,
      owners: node.operands.map((operand) => this.resolved[operand].root),
      result: location,
      shape: node.shape,
      cost: costOf(node, this.graph),
    };
  }

  private viewOf(id: number): StridedView {
    const { root, offset, layout } = this.resolved[id];
    const base = this.locations[root] as Location;
    return { region: base.region, offset: base.offset + offset, layout };
  }

  /** True when `id` is the last reader of a scratch buffer. */
  private diesAt(root: number, id: number): boolean {
    const lifetime = this.lifetimes.get(root);
    return (
      lifetime !== undefined && lifetime.lastUse === id && !lifetime.crosses && !this.outputLocation.has(root)
    );
  }

  /** A dying operand that the result of an elementwise node may overwrite: whole, contiguous, read in no other way. */
  private reusable(id: number, dying: readonly number[]): number | undefined {
    const node = this.graph.nodes[id];
    if (this.outputLocation.has(id) || (this.lifetimes.get(id) as Lifetime).crosses) return undefined;
    return dying.find((root) => {
      if (sizeOf(this.graph.nodes[root].shape) !== sizeOf(node.shape)) return false;
      return node.operands
        .filter((operand) => this.resolved[operand].root === root)
        .every(
          (operand) =>
            isContiguous(this.resolved[operand].layout) &&
            sizeOf(this.graph.nodes[operand].shape) === sizeOf(node.shape),
        );
    });
  }

  private allocate(id: number): Location {
    const { crosses } = this.lifetimes.get(id) as Lifetime;
    const region = crosses ? this.request.residualRegion(this.segment[id]) : this.request.scratchRegion;
    return { region, offset: this.allocators[region].take(sizeOf(this.graph.nodes[id].shape)) };
  }

  private copyOutputs(segments: Instruction[][]): void {
    this.graph.outputs.forEach((id, i) => {
      const wanted = this.request.outputs[i];
      if (this.outputLocation.get(id) === wanted) return;
      const node = this.graph.nodes[id];
      segments[this.outputSegment(i)].push({
        node: id,
        op: "reshape",
        params: { shape: node.shape },
        operands: [this.viewOf(id)],
        owners: [this.resolved[id].root],
        result: wanted,
        shape: node.shape,
        cost: { flops: 0, products: 0 },
      });
    });
  }
}

/** The arithmetic of one node of a graph. */
export function costOf(node: PrimitiveNode, graph: Graph): Cost {
  const { cost } = RULES[node.op] as PrimitiveRule<PrimitiveName>;
  const shapes = node.operands.map((operand) => graph.nodes[operand].shape);
  return cost?.(node.params, shapes, node.shape) ?? { flops: sizeOf(node.shape), products: 0 };
}
