export type { DataSet, RunPlan } from "./hdf5.ts";
export { dataSetsOfRows, readHdf5, rowsOfDataSets, writeHdf5 } from "./hdf5.ts";
export type { Journal, JournalContents, JournalHeader, JournalOptions } from "./journal.ts";
export { createJournal, openJournal, readJournal } from "./journal.ts";
export type { Quantity, StepRow } from "./rows.ts";
export { isIntegerQuantity, isWallClock, quantityData, quantityShape, rowDifference } from "./rows.ts";
export { fileError, writeFileAtomic } from "./run-files.ts";
