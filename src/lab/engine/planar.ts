import { Objective, selectBackend } from "../../autodiff/index.ts";
import type { RunConfig } from "../../settings/index.ts";
import { problemOf } from "../../simulation/index.ts";
import type { Picture, PlanarData } from "./protocol.ts";

/** Cells along a side: enough to look smooth when it is drawn larger. */
const SIDE = 48;

/** Answers over the plane, where a run's data are points in it. */
export interface PlanarNetwork {
  readonly data: PlanarData;
  /** Whether another run has the same network on the same data, so that this one serves it too. */
  serves(config: RunConfig): boolean;
  /** The network's outputs over the plane at some weights. */
  picture(row: number, weights: Float64Array): Picture;
}

/** The network of a run over the plane of its data; undefined where examples are no points in a plane. */
export function planarNetwork(config: RunConfig): PlanarNetwork | undefined {
  const { dataset, loss } = problemOf(config, {});
  if (dataset?.inputKind !== "real" || dataset.inputShape.join() !== "2") return undefined;
  const { inputs, labels, shape, labelShape } = dataset.train;
  const extent = extentOf(inputs);
  const [left, right, bottom, top] = extent;
  const cells = SIDE * SIDE;
  const grid = new Float64Array(2 * cells);
  for (let i = 0; i < cells; i++) {
    grid[2 * i] = left + ((right - left) * ((i % SIDE) + 0.5)) / SIDE;
    grid[2 * i + 1] = bottom + ((top - bottom) * (Math.floor(i / SIDE) + 0.5)) / SIDE;
  }
  const one = labelShape.reduce((size, length) => size * length, 1);
  const examples = { inputs: grid, shape, labels: new Float64Array(cells * one).fill(labels[0]), labelShape };
  let objective: Objective | undefined;
  const key = keyOf(config);
  return {
    serves: (other) => keyOf(other) === key,
    data: { points: inputs.slice(), labels: labels.slice(), classes: Math.max(2, dataset.outputDim), extent },
    picture(row, weights) {
      objective ??= new Objective(loss(examples), { backend: selectBackend(config.backend).backend });
      objective.setWeights(weights);
      const outputs = objective.outputs().slice();
      return { row, side: SIDE, outputs, width: outputs.length / cells };
    },
  };
}

/** What the network and its plane depend on. */
const keyOf = ({ data, arch, backend }: RunConfig): string => JSON.stringify([data, arch, backend]);

/** The square around all points, with some room. */
function extentOf(points: Float64Array): PlanarData["extent"] {
  const x = points.filter((_, i) => i % 2 === 0);
  const y = points.filter((_, i) => i % 2 === 1);
  const [left, right, bottom, top] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  const half = 0.58 * Math.max(right - left, top - bottom, 1e-6);
  const [cx, cy] = [(left + right) / 2, (bottom + top) / 2];
  return [cx - half, cx + half, cy - half, cy + half];
}
