import { createHash } from "node:crypto";
import { pageAssets } from "./page-assets.ts";
import { framedPage, type PageKit, type PageOptions } from "./page-frame.ts";
import { type ReportInput, reportPage } from "./report-page.ts";

export { type PageOptions, pageHead, RELOAD_SECONDS } from "./page-frame.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

/** What pages are made with in Node: read from the package. */
export const pageKit = (): PageKit => ({ ...pageAssets(), sha256 });

/** A page that needs nothing else. See `framedPage`. */
export const htmlPage = (title: string, body: readonly string[], options: PageOptions = {}): string =>
  framedPage(pageKit(), title, body, options);

/**
 * Renders a run as one HTML page, with the script and style of the package. See `reportPage`.
 *
 * @throws InputValueError if `criticalValue` is not a positive number
 */
export const renderReport = (input: ReportInput, options: PageOptions = {}): string =>
  reportPage(pageKit(), input, options);
