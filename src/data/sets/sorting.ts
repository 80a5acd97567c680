import { defineDataset } from "../definition.ts";
import { sequenceDataset, sequenceOptions } from "./sequences.ts";

/** Random tokens followed by the same tokens in ascending order; see {@link sequenceDataset}. */
export const sorting = defineDataset("sorting", sequenceOptions, (options, _readFile, operation) =>
  sequenceDataset(operation, "sorting", options, (tokens) => tokens.sort()),
);
