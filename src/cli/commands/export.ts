import { join } from "node:path";
import { exportWeights, type WeightsChoice } from "../../run/index.ts";

/** Writes weights of a run as an .npz or .safetensors file and says what it holds. */
export function exportCommand(directory: string, output: string | null, choice: WeightsChoice): number {
  const path = output ?? join(directory, "weights.npz");
  const { step, process: name, count, parameters } = exportWeights(directory, path, choice);
  const rows = Object.entries(parameters).map(([parameter, shape]) => [parameter, shape.join("×")]);
  const width = Math.max(...rows.map(([parameter]) => parameter.length));
  for (const [parameter, shape] of rows) process.stdout.write(`${parameter.padEnd(width)}  ${shape}\n`);
  process.stdout.write(`${count} weights of ${name} at step ${step}: ${path}\n`);
  return 0;
}
