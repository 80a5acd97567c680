import { escapeHtml } from "../format.ts";
import { pageAssets } from "./page-assets.ts";

/**
 * A page that needs nothing else: scripts, styles and data are inside, its security policy forbids the network and
 * eval, and it works when opened from disk.
 *
 * @param title plain text
 * @param body pieces of HTML, the data of the charts among them
 */
export function htmlPage(title: string, body: readonly string[]): string {
  const { style, script, notice } = pageAssets();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>
${style}
</style>
</head>
<body>
${body.join("\n")}
<script>
${script}
</script>
<!--
${notice}
-->
</body>
</html>
`;
}

/** The line above a page's title, with the switch between light and dark. */
export const kicker = (words: string): string => `<div class="bar"><p class="kicker">${words}</p>
<button type="button" class="tool" id="theme" aria-live="polite" hidden>Theme: auto</button></div>`;
