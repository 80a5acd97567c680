#!/usr/bin/env node
import { isMainThread } from "node:worker_threads";
import { commandWords, isLong, runOnWorker } from "./terminal/signals.ts";
import { guardStreams, statusAfterWriting } from "./terminal/streams.ts";

guardStreams();
const argv = commandWords();
const there = isMainThread && isLong(argv) ? runOnWorker(new URL(import.meta.url), argv) : undefined;
// Loaded only where it runs: the main thread of a long command has nothing to load.
const here = async (): Promise<number> => (await import("./command-line.ts")).runCommandLine(argv);
const status = await (there ?? here());
process.exitCode = statusAfterWriting(status);
