import { join } from "node:path";
import { choice, either, integer, text } from "../../base/index.ts";
import { rightsOf } from "../../custom/index.ts";
import { exportWeights, readRunConfig } from "../../run/index.ts";
import { REFERENCE_PROCESSES } from "../../settings/index.ts";
import { command, oneFolder } from "./command.ts";

/** Writes weights of a run as an .npz or .safetensors file and says what it holds. */
export const exportWeightsCommand = command({
  name: "export",
  usage: "DIR [--process NAME] [--step N] [--output FILE]",
  summary: "write the weights of a run, .npz or .safetensors",
  about: [
    "Writes weights of a run, each parameter by its name in its shape as PyTorch has them, all float64:",
    "an .npz file, which also has them all in one vector w, or a .safetensors file. --init reads both.",
  ],
  settings: {
    process: { kind: choice(...REFERENCE_PROCESSES), default: "discrete", help: "whose weights" },
    step: {
      kind: either(integer({ min: 0 }), "none", null),
      default: null,
      help: "of checkpoint_N.npz (the last checkpoint, at its end the run's final weights)",
    },
    output: {
      kind: either(text("FILE"), "none", null),
      default: null,
      help: "the file to write, .npz or .safetensors (weights.npz in the folder)",
    },
  },
  example: "export experiments/my-run --process central --output flow.npz",
  words: (positionals) => oneFolder("export", positionals),
  run({ dir: directory, output, ...choice }) {
    const path = output ?? join(directory, "weights.npz");
    // A rule is not run: only what settles the shapes.
    const { opt: _, observe: __, ...problem } = readRunConfig(directory, "export");
    const rights = rightsOf(problem);
    if (rights !== undefined) process.stderr.write(`${rights}\n`);
    const { step, process: name, count, parameters } = exportWeights(directory, path, choice);
    const rows = Object.entries(parameters).map(([parameter, shape]) => [parameter, shape.join("×")]);
    const width = Math.max(...rows.map(([parameter]) => parameter.length));
    for (const [parameter, shape] of rows) process.stdout.write(`${parameter.padEnd(width)}  ${shape}\n`);
    process.stdout.write(`${count} weights of ${name} at step ${step}: ${path}\n`);
    return 0;
  },
});
