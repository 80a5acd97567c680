import type { Dataset } from "./dataset.ts";
import {
  commonOptions,
  type GivenOptions,
  type OptionSpecs,
  type OptionValues,
  readOptions,
} from "./options.ts";

/** Reads a whole file; undefined when there is none at that path. Relative paths start where the reader says. */
export type ReadFile = (path: string) => Uint8Array | undefined;

/** A data set by name: the options it takes and how it is made from them. */
export interface DatasetDefinition<S extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  readonly options: S & typeof commonOptions;
  /** Checks the options and makes the data set. @throws InputKindError, InputValueError */
  load(options: GivenOptions<S & typeof commonOptions>, readFile: ReadFile): Dataset;
}

/** Builds a definition; `make` sees complete, checked options and gives everything but the name. */
export function defineDataset<S extends OptionSpecs>(
  name: string,
  specs: S,
  make: (
    options: OptionValues<S & typeof commonOptions>,
    readFile: ReadFile,
    operation: string,
  ) => Omit<Dataset, "name" | "inputShape">,
): DatasetDefinition<S> {
  const options = { ...commonOptions, ...specs };
  const operation = `data:${name}`;
  return {
    name,
    options,
    load(given, readFile) {
      const made = make(readOptions(operation, options, given), readFile, operation);
      return { name, inputShape: made.train.shape, ...made };
    },
  };
}
