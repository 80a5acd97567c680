/** What a run writes down: journal, checkpoints, HDF5, and the files of its folder. */
export { type Checkpoint, readCheckpoint, restoreProcesses, writeCheckpoint } from "./checkpoint.ts";
export { fileError, makeFolder, writeFileAtomic } from "./folder.ts";
export { type DataSet, dataSetsOfRows, type RunPlan, readHdf5, rowsOfDataSets, writeHdf5 } from "./hdf5.ts";
export {
  createJournal,
  type Journal,
  type JournalContents,
  type JournalHeader,
  type JournalOptions,
  openJournal,
  readJournal,
} from "./journal.ts";
