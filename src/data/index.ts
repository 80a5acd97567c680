export {
  type ClassChoice,
  type Criterion,
  classCount,
  type Dataset,
  type Examples,
  type OwnCriterion,
} from "./dataset.ts";
export {
  batchSettings,
  criterion,
  type DatasetDefinition,
  dataset,
  examples,
  type MadeDataset,
  makeDataset,
  noise,
  type ReadFile,
  testExamples,
} from "./definition.ts";
export { readFileFromDisk } from "./files.ts";
export { crc32 } from "./formats/crc32.ts";
export {
  type NpyArray,
  type NpyFile,
  openNpy,
  readNpy,
  type WritableArray,
  writeNpy,
} from "./formats/npy.ts";
export { NpzFile, openNpz, readNpz, writeNpz } from "./formats/npz.ts";
export {
  isSafetensors,
  openSafetensors,
  readSafetensors,
  type SafeTensor,
  writeSafetensors,
} from "./formats/safetensors.ts";
export { type DatasetName, datasets, loadDataset } from "./sets/registry.ts";
