import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The page's script, in an order in which every module stands after those it imports. */
const MODULES = [
  "plots/decode.js",
  "plots/format.js",
  "plots/axis.js",
  "plots/table.js",
  "csv.js",
  "plots/theme.js",
  "plots/strokes.js",
  "plots/figure.js",
  "save.js",
  "plots/plane.js",
  "plots/plot.js",
  "legend.js",
  "run.js",
  "page.js",
  "main.js",
];

const STYLES = ["theme", "charts", "page", "gallery", "print"].map((name) => `styles/${name}.css`);

/** What the report inlines: plain text, read when asked for. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
  /** The notices of what is not our own, kept with it as its licence asks. */
  readonly notice: string;
}

/**
 * Reads the page's style and script and the plot library, uPlot, from where they are installed.
 *
 * @throws Error if a file of the installation is missing
 */
export function pageAssets(): PageAssets {
  const library = plotLibrary();
  const own = (file: string) => readFileSync(new URL(`../browser/${file}`, import.meta.url), "utf8");
  return {
    style: [library("uPlot.min.css"), ...STYLES.map(own)].join("\n"),
    script: `${library("uPlot.iife.min.js")}\n${joinModules(MODULES.map(own))}`,
    notice: `Plots drawn by uPlot.\n\n${library("LICENSE")}`,
  };
}

/** Reads a file of uPlot's: of the copy in the built package, in a checkout of the package that is installed. */
function plotLibrary(): (file: string) => string {
  const copy = new URL("../../vendor/uplot/", import.meta.url);
  if (existsSync(copy)) return (file) => readFileSync(new URL(file, copy), "utf8");
  const folder = dirname(createRequire(import.meta.url).resolve("uplot/package.json"));
  return (file) => readFileSync(join(folder, file === "LICENSE" ? "." : "dist", file), "utf8");
}

/**
 * One classic script from modules whose imports name only each other: the import statements are dropped, since all
 * share one scope, and the comments, which are for readers of the source. Pages opened from disk cannot import.
 */
function joinModules(sources: readonly string[]): string {
  const bodies = sources.map((source) =>
    source
      .replace(/\/\*\*.*?\*\/\s*/gs, "")
      .replace(/^import [^;]*;\n/gm, "")
      .replace(/^export (?=function|const|class)/gm, ""),
  );
  return `(() => {\n"use strict";\n${bodies.join("\n")}\n})();`;
}
