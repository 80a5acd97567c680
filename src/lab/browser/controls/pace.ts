import { LAB_PRESETS } from "../../link/presets.ts";
import { argvOf } from "../../link/words.ts";
import { byId, element } from "../dom/element.ts";
import type { Lab, Phase } from "../state/lab.ts";
import { atEdge } from "../state/labels.ts";

const RUN_WORDS: Readonly<Record<Phase, string>> = {
  starting: "Run",
  running: "Pause",
  paused: "Run",
  over: "Run again",
  asking: "Run",
  failed: "Run",
};

let written = "";

/** Writes how the run stands, which runs are kept, and the address. */
export function showState(lab: Lab): void {
  const { phase, rows, config, speed, kept, embed } = lab;
  const steps = config?.steps ?? 0;
  const root = document.documentElement;
  root.dataset.phase = phase;
  // For those who hold the page against the command line, such as the tests.
  root.dataset.digest = lab.bits?.digest ?? "";
  if (embed) root.dataset.embed = embed;
  else delete root.dataset.embed;
  byId("run").textContent = RUN_WORDS[phase];
  byId<HTMLProgressElement>("progress").value = steps > 0 ? rows.length / steps : 0;
  const words = [
    `${rows.length}/${steps}`,
    phase === "running" && speed > 0 ? `${Math.round(speed)} steps/s` : undefined,
    rows.length > 0 && atEdge(rows[rows.length - 1], lab.criticalValue) ? "at the edge" : undefined,
  ];
  byId("pace-words").textContent = words.filter((each) => each !== undefined).join(" · ");
  byId("figures").textContent = lab.p > 0 ? `${lab.p} weights.` : "";
  const preset = LAB_PRESETS.find(({ link }) => link === lab.link());
  byId("says").textContent = preset?.says ?? "";
  for (const button of document.querySelectorAll<HTMLElement>("[data-preset]"))
    button.setAttribute("aria-pressed", String(button.dataset.preset === preset?.name));
  const form = kept.map(({ label, rows: { length } }) => `${label} ${length > 0}`).join("\n");
  if (form !== written || byId("runs").childElementCount === 0) {
    written = form;
    showKept(lab);
  }
  if (phase !== "starting" && config) address(lab);
}

function showKept(lab: Lab): void {
  byId("runs").replaceChildren(
    ...lab.kept.map(({ label, rows }, i) =>
      element("span", { class: "run" }, [
        element("i", { class: "swatch", "data-role": `run-${i % 8}` }),
        rows.length > 0 ? label : `${label} …`,
        element(
          "button",
          { type: "button", class: "tool", "aria-label": `remove ${label}`, onclick: () => lab.drop(i) },
          ["✕"],
        ),
      ]),
    ),
    element(
      "button",
      { type: "button", class: "tool", id: "keep", "aria-keyshortcuts": "K", onclick: () => lab.keep() },
      ["+ keep this run"],
    ),
  );
}

/** Writes the address, where it has changed. Browsers refuse too many changes a second: the next one is as good. */
function address(lab: Lab): void {
  const hash = `#${lab.link()}`;
  if (location.hash === hash) return;
  try {
    history.replaceState(null, "", hash);
  } catch {
    return;
  }
  document.title = `${argvOf(lab.pairs).slice(0, 2).join(" ")} – central-flows lab`;
}
