import { byId, element } from "../dom/element.ts";
import type { Lab } from "../state/lab.ts";
import { addressOf, copy } from "./exports.ts";

/** What [ and ] multiply η by. */
const NUDGE = 1.1;

/** The panels that the figures 1 to 4 lead to. */
const PANELS = ["#sharpness .plot", "#loss .plot", "#plane .plot", "#picture canvas"];

const KEYS: readonly (readonly [string, string, (lab: Lab) => void])[] = [
  ["Space", "run, pause", (lab) => lab.toggle()],
  ["S", "one step", (lab) => lab.step()],
  ["R", "back to the first row", (lab) => lab.reset()],
  ["[", "smaller η, also while it runs", (lab) => nudge(lab, 1 / NUDGE)],
  ["]", "larger η", (lab) => nudge(lab, NUDGE)],
  ["K", "keep this run beside the next", (lab) => lab.keep()],
  ["L", "copy the link", (lab) => copy(lab, "link", addressOf(lab))],
  ["1", "sharpness", () => focus(0)],
  ["2", "loss", () => focus(1)],
  ["3", "the path", () => focus(2)],
  ["4", "what the network does", () => focus(3)],
  ["?", "this help", () => byId<HTMLDialogElement>("help").showModal()],
];

function nudge(lab: Lab, factor: number): void {
  lab.setRate(Number((lab.rate * factor).toPrecision(3)));
}

function focus(panel: number): void {
  const found = document.querySelector<HTMLElement>(PANELS[panel]);
  found?.focus();
  found?.scrollIntoView({ block: "center" });
}

/** What has keys of its own. */
const TYPING = "input, select, textarea, [contenteditable]";

/** Makes the keys work, and the help that lists them. */
export function setUpKeys(lab: Lab): void {
  const help = byId<HTMLDialogElement>("help");
  help.replaceChildren(
    element("h2", { id: "help-title" }, ["The lab"]),
    element("p", {}, [
      "An optimizer, step by step, beside its central flow: the smooth curve that its time average follows. Change the learning rate while it runs; every address is a command line that gives the same bits elsewhere.",
    ]),
    element(
      "dl",
      { class: "keylist" },
      KEYS.flatMap(([key, words]) => [
        element("dt", {}, [element("kbd", {}, [key])]),
        element("dd", {}, [words]),
      ]),
    ),
    element("p", {}, ["In a chart: arrow keys read values, dragging zooms, Escape shows everything again."]),
    element("button", { type: "button", class: "tool", onclick: () => help.close() }, ["Close"]),
  );
  byId("help-open").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (target.matches?.(TYPING) && (target as HTMLInputElement).type !== "range") return;
    const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (key === "Space" && target.closest?.("button, summary, a")) return;
    const found = KEYS.find(([name]) => name === key);
    if (!found) return;
    event.preventDefault();
    found[2](lab);
  });
}
