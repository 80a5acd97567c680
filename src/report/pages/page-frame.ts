import { escapeHtml } from "../format.ts";

/** The paper and its companion, which explain at length what the pages show. */
const SOURCES = `<a href="https://arxiv.org/abs/2410.24206">Cohen et al., Understanding Optimization in Deep Learning with Central Flows</a>, with the <a href="https://centralflows.github.io">authors’ companion site</a>`;

/** Seconds between looks at a page that is written again while its run goes. */
export const RELOAD_SECONDS = 5;

/** What a page is made with, wherever it is made. */
export interface PageKit {
  /** Plain texts that are inlined. */
  readonly style: string;
  readonly script: string;
  /** The notices of what is not our own, kept with it as its licence asks. */
  readonly notice: string;
  /** The SHA-256 of a text, in base64. */
  readonly sha256: (text: string) => string;
}

/** What a page may ask for. */
export interface PageOptions {
  /** Whether the page loads itself again now and then, because its run still goes. */
  readonly live?: boolean;
  /** What the names of saved files begin with. */
  readonly run?: string;
}

/**
 * A page that needs nothing else: scripts, styles and data are inside, its security policy allows these by their hashes
 * and forbids the network and eval, and it works when opened from disk.
 *
 * @param kit what is put inside
 * @param title plain text
 * @param body pieces of HTML, the data of the charts among them
 */
export function framedPage(
  { style, script, notice, sha256 }: PageKit,
  title: string,
  body: readonly string[],
  { live = false, run }: PageOptions = {},
): string {
  const hashOf = (text: string): string => `'sha256-${sha256(text)}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en"${run === undefined ? "" : ` data-run="${escapeHtml(run.replace(/[^\w.-]+/g, "-"))}"`}${live ? ` data-reload="${RELOAD_SECONDS}"` : ""}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body.join("\n")}
<footer class="foot"><p>Explained in ${SOURCES}; in the guide of central-flows, docs/guide.md, and by <code>central-flows help</code>.</p></footer>
<script>${script}</script>
<!--
${notice}
-->
</body>
</html>
`;
}

/**
 * The head of a page: a line above its title, with the switch between light and dark, and what follows it.
 *
 * @param kicker plain text, as the title; @param rest HTML
 */
export const pageHead = (kicker: string, title: string, rest: string): string => `<header class="head">
<div class="bar"><p class="kicker">${escapeHtml(kicker)}</p>
<button type="button" class="tool" id="theme" aria-live="polite" hidden>Theme: auto</button></div>
<h1>${escapeHtml(title)}</h1>
${rest}
</header>`;
