import { byName, valueError } from "../../base/index.ts";
import type { Criterion, Dataset } from "../dataset.ts";
import { makeDataset, type ReadFile } from "../definition.ts";
import { readFileFromDisk } from "../files.ts";
import { cifar10 } from "./cifar10.ts";
import { circles } from "./circles.ts";
import { classification } from "./classification.ts";
import { digits } from "./digits.ts";
import { fashionMnist, mnist } from "./mnist.ts";
import { moons } from "./moons.ts";
import { npz } from "./npz-dataset.ts";
import { copying, sorting } from "./sequences.ts";
import { sst2 } from "./sst2.ts";

/** Every data set by name: a new one is its own file and a word here. */
export const datasets = byName([
  digits,
  cifar10,
  mnist,
  fashionMnist,
  sst2,
  sorting,
  copying,
  moons,
  circles,
  classification,
  npz,
]);

/** The names of the data sets. */
export type DatasetName = keyof typeof datasets;

/**
 * Loads a data set by name.
 *
 * @param name one of the names in {@link datasets}
 * @param options by camel-case name as in `datasets[name].settings`; what is left out takes its default
 * @param readFile gives the bytes of a file, undefined if there is none; by default from Node's file system.
 * Data sets that are built in or generated do not call it
 * @throws InputValueError for an unknown data set or option, an option out of range, a missing or corrupt file;
 * InputKindError for an option of the wrong kind
 */
export function loadDataset(
  name: string,
  options: object = {},
  readFile: ReadFile = readFileFromDisk,
): Dataset & { readonly criterion: Criterion } {
  if (!Object.hasOwn(datasets, name))
    throw valueError("loadDataset", `a data set among ${Object.keys(datasets).join(", ")}`, `"${name}"`);
  const made = makeDataset(datasets[name as DatasetName], options, readFile);
  return made as typeof made & { readonly criterion: Criterion };
}
