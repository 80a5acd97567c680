import { reportPage, summaryTable } from "../../../report/index.ts";
import { toConfigJson } from "../../../settings/index.ts";
import { readLink } from "../../link/link.ts";
import { programOf } from "../../link/program.ts";
import { csvOf, readRun, saveRun } from "../../link/saved.ts";
import { sha256 } from "../../link/sha256.ts";
import { commandOf } from "../../link/words.ts";
import { byId, element } from "../dom/element.ts";
import { kit, reportScript } from "../dom/kit.ts";
import type { Lab } from "../state/lab.ts";

/** The version of the package that this page was built from; the build sets it. */
declare const LAB_VERSION: string;

/** Puts text where it can be pasted from; where the browser refuses, shows it to be copied by hand. */
export async function copy(lab: Lab, what: string, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    lab.note("copied", { kind: "good", text: `Copied: the ${what}.` });
    setTimeout(() => lab.forget("copied"), 4000);
  } catch {
    lab.note("copied", {
      kind: "warning",
      text: `This browser does not let a page copy. The ${what}: ${text}`,
    });
  }
}

/** The address of what is shown, with the bits of a run that is over. */
export const addressOf = (lab: Lab): string => `${location.href.replace(/#.*$/s, "")}#${lab.link(true)}`;

/** The style that this page has, for the report that leaves it. */
const styleText = (): string =>
  [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join("\n");

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The report of a run as the command line writes it, drawn by the script and in the style of this page. */
export function reportOf({ config, rows, criticalValue }: Lab): string | undefined {
  if (!config || rows.length === 0) return undefined;
  const page = {
    script: reportScript(),
    style: styleText().replaceAll("</", "<\\/"),
    notice: "Plots drawn by uPlot, (c) 2022 Leon Sorokin, MIT licence.",
    sha256: (text: string) => base64(sha256(new TextEncoder().encode(text))),
  };
  return reportPage(page, {
    title: config.expid,
    summary: summaryTable(rows, criticalValue),
    config: toConfigJson(config, { cmd: "", gitHash: null, version: LAB_VERSION }),
    rows,
    criticalValue,
    status: `${rows.length} of ${config.steps} steps`,
    environment: `central-flows ${LAB_VERSION} in a browser`,
  });
}

/** Fills the sheet of exports, and takes runs that are dropped on the page. */
export function setUpExports(lab: Lab): void {
  const file = (name: string, type: string, text: () => string | undefined) => (): void => {
    const content = text();
    if (content !== undefined) kit().download(name, new Blob([content], { type }));
  };
  const name = "central-flows-lab";
  const rows = (): readonly unknown[] => lab.rows;
  const some =
    (text: () => string): (() => string | undefined) =>
    () =>
      rows().length > 0 ? text() : undefined;
  const items: readonly (readonly [string, string, () => void])[] = [
    ["link", "Link, with bits", () => copy(lab, "link", addressOf(lab))],
    ["command", "Command line", () => copy(lab, "command line", commandOf(lab.pairs))],
    ["program", "TypeScript", () => copy(lab, "program", programOf(lab.pairs))],
    [
      "csv",
      "Numbers as CSV",
      file(
        `${name}.csv`,
        "text/csv",
        some(() => csvOf(lab.rows)),
      ),
    ],
    [
      "json",
      "Run as JSON, to drop back in",
      file(
        `${name}.json`,
        "application/json",
        some(() => saveRun({ link: lab.link(), criticalValue: lab.criticalValue, rows: lab.rows })),
      ),
    ],
    ["report", "report.html", file("report.html", "text/html", () => reportOf(lab))],
    [
      "png",
      "Sharpness as PNG",
      () => document.querySelector<HTMLElement>('#sharpness [data-tool="png"]')?.click(),
    ],
    [
      "svg",
      "Sharpness as SVG",
      () => document.querySelector<HTMLElement>('#sharpness [data-tool="svg"]')?.click(),
    ],
  ];
  byId("exports").replaceChildren(
    ...items.map(([id, words, act]) =>
      element(
        "button",
        {
          type: "button",
          "data-export": id,
          onclick: () => {
            byId("exports").closest("details")?.removeAttribute("open");
            act();
          },
        },
        [words],
      ),
    ),
    element("p", { class: "howto" }, ["Pictures and numbers of one chart: the buttons above it."]),
  );
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    const dropped = event.dataTransfer?.files[0];
    if (dropped) dropped.text().then((text) => drop(lab, text));
  });
}

/** Shows a run that was saved. */
export function drop(lab: Lab, text: string): void {
  try {
    const { link, criticalValue, rows } = readRun(text);
    const first = readLink(link)?.runs[0];
    if (first) lab.show(first, [...rows], criticalValue);
  } catch (error) {
    lab.note("file", { kind: "error", text: (error as Error).message });
  }
}
