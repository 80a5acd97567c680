/** What a run writes down: its folder, journal, checkpoints and HDF5. */
export {
  bindingOf,
  type Checkpoint,
  readCheckpoint,
  writeCheckpoint,
} from "./checkpoint.ts";
export { type DataSet, dataSetsOfRows, Extents, extentsOf } from "./columns.ts";
export { RowDigest } from "./digest.ts";
export { fileError, makeFolder, writeFileAtomic } from "./files.ts";
export {
  ClaimedFolder,
  type FolderState,
  folderState,
  type KeptRows,
  NAMES,
  type OutcomeFile,
  openRows,
  readOutcome,
} from "./folder.ts";
export {
  LiveHdf5,
  type RowSource,
  readHdf5,
  readStoredRows,
  reasonOf,
  type StoredRows,
  writeHdf5,
} from "./hdf5.ts";
export { type RunStack, writeStack } from "./hdf5-stack.ts";
export {
  createJournal,
  Journal,
  type JournalContents,
  type JournalHead,
  openJournal,
  readJournal,
  restoreJournal,
} from "./journal.ts";
export { readOldJournal } from "./journal-lines.ts";
export { FolderBusyError, type Lock, type LockHolder, lockHolder, takeLock } from "./lock.ts";
