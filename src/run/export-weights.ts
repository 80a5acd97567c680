import { sizeOf } from "../base/index.ts";
import { type WritableArray, writeNpz, writeSafetensors } from "../data/index.ts";
import { writeFileAtomic } from "../record/index.ts";
import type { ReferenceProcess } from "../settings/index.ts";
import { problemOf } from "../simulation/index.ts";
import { checkpointAt, checkpointsOf, processIn } from "./checkpoints.ts";
import { readRunConfig } from "./config.ts";
import { nodeHost } from "./host.ts";

/** Which weights to export. */
export interface WeightsChoice {
  readonly process: ReferenceProcess;
  /** Weights before this row is taken; null: those of the last checkpoint, at the end of a run its final weights. */
  readonly step: number | null;
}

/** What was exported. */
export interface ExportedWeights {
  /** The row whose weights these are. */
  readonly step: number;
  readonly process: ReferenceProcess;
  /** Weights in all. */
  readonly count: number;
  /** Parameter names with their shapes, in the order in which `w` holds them. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
}

/**
 * Writes weights of a run from its checkpoints as float64, each parameter by its name in its shape, as a PyTorch state
 * dict has them: as a .safetensors file where the path ends so, else as an .npz file, which also holds `w`, the
 * parameters one after the other in the reference's order, each in C order. `--init` reads both. Of `midpoint` they are
 * the optimizer's own iterate, as in the reference's checkpoints.
 *
 * @param directory the folder of a run; its data must be there too, since they settle the network's shapes. Files with
 *   the network or the data are run for it, as their copies in the folder
 * @param path the file to write or replace
 * @throws InputValueError when there is no such checkpoint or process, or the file cannot be written
 */
export function exportWeights(
  directory: string,
  path: string,
  { process, step }: WeightsChoice,
): ExportedWeights {
  const { parameters } = problemOf(readRunConfig(directory, "export"), nodeHost({ copies: directory }));
  const checkpoint = checkpointAt(checkpointsOf(directory, "export"), step, "export");
  const count = Object.values(parameters).reduce((total, shape) => total + sizeOf(shape), 0);
  const { weights } = processIn(checkpoint, process, count, "export");
  const named = namedArrays(weights, parameters);
  const bytes = path.endsWith(".safetensors")
    ? writeSafetensors(named)
    : writeNpz({ w: { shape: [count], data: weights }, ...named });
  writeFileAtomic(path, bytes);
  return { step: checkpoint.index, process, count, parameters };
}

function namedArrays(
  weights: Float64Array,
  parameters: Readonly<Record<string, readonly number[]>>,
): Record<string, WritableArray> {
  const arrays: Record<string, WritableArray> = {};
  let offset = 0;
  for (const [name, shape] of Object.entries(parameters)) {
    const size = sizeOf(shape);
    arrays[name] = { shape, data: weights.subarray(offset, offset + size) };
    offset += size;
  }
  return arrays;
}
