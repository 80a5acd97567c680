/** What the command line writes to may be closed under it (`| head`), or full (`> /dev/full`): a run goes on. */

/** Whether standard output has refused what was written for a reason other than that nobody reads it any more. */
let refused = false;

/**
 * Has errors of the standard streams end nothing. A closed stream takes nothing more, quietly: whoever read it has had
 * enough. A standard output that is full is told on stderr, once, and makes the exit status 1.
 */
export function guardStreams(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || refused) return;
    refused = true;
    process.stderr.write(`standard output: expected to be written, got ${error.code ?? error.message}\n`);
    if (!process.exitCode) process.exitCode = 1;
  });
}

/** The exit status of a command, given that of its work. */
export const statusAfterWriting = (status: number): number => (refused && status === 0 ? 1 : status);
