import { startPage } from "./page.ts";
import { startWorker } from "./worker.ts";

/** One script is both: the page, and the worker that it starts, so that neither is carried twice. */
if (typeof document === "undefined") startWorker();
else startPage();
