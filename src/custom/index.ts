/** Files of the user: parts of a run of their own, and their copies in a run's folder. */
export { changesOf, copiesOf, copyOf, keepFiles, rightsOf } from "./copy.ts";
export { type LoadedFile, loadOwnFile, readOwnFile } from "./file.ts";
