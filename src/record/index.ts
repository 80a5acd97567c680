/** What a run writes down: its folder, journal, checkpoints and HDF5. */
export { archiveName, joinedRows, type OpenArchive, openArchive } from "./archive.ts";
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
export { LATEST_ROWS, LiveHdf5, type RowSource, type SealedFile, writeCompact, writeHdf5 } from "./hdf5.ts";
export { readHdf5, readStoredRows, reasonOf, StoredRows } from "./hdf5-read.ts";
export { type RunStack, type StackedRun, writeStack } from "./hdf5-stack.ts";
export {
  type Archive,
  createJournal,
  Journal,
  type JournalContents,
  type JournalHead,
  openJournal,
  readJournal,
  restoreJournal,
  type Seal,
} from "./journal.ts";
export { readOldJournal } from "./journal-lines.ts";
export { FolderBusyError, type Lock, type LockHolder, lockHolder, takeLock } from "./lock.ts";
