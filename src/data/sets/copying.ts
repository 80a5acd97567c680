import { defineDataset } from "../definition.ts";
import { sequenceDataset, sequenceOptions } from "./sequences.ts";

/** Random tokens followed by the same tokens again; see {@link sequenceDataset}. */
export const copying = defineDataset("copying", sequenceOptions, (options, _readFile, operation) =>
  sequenceDataset(operation, "copying", options, () => {}),
);
