import { availableParallelism } from "node:os";

/** How many threads a choice means: `auto` is as many as the machine has cores for this process. */
export const threadCount = (choice: number | "auto"): number =>
  choice === "auto" ? availableParallelism() : choice;
