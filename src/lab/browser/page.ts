import { LAB_PRESETS } from "../link/presets.ts";
import { Form } from "./controls/form.ts";
import { LAYOUT } from "./controls/layout.ts";
import { showNotes } from "./controls/notes.ts";
import { byId, element } from "./dom/element.ts";
import { kit } from "./dom/kit.ts";
import { drawnCharts } from "./drawing/charts.ts";
import { Panels } from "./drawing/panels.ts";
import { drawPicture } from "./drawing/picture.ts";
import { Lab, type Phase } from "./state/lab.ts";

const RUN_WORDS: Readonly<Record<Phase, string>> = {
  starting: "Run",
  running: "Pause",
  paused: "Run",
  over: "Run again",
  asking: "Run",
  failed: "Run",
};

/** Milliseconds between drawings of a run with so many rows that drawing takes a while. */
const pause = (rows: number): number => (rows > 1500 ? 250 : rows > 500 ? 80 : 0);

/** Makes the page, and shows what its address says. */
export function startPage(): void {
  document.body.insertAdjacentHTML("afterbegin", LAYOUT);
  const lab = new Lab((words) => {
    byId("events").textContent = words;
  });
  const panels = new Panels(byId("charts"), (section, id) => decorate(lab, section, id));
  const form = new Form(lab);
  let drawn = 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  lab.rowsChanged.watch(() => {
    const { rows, phase } = lab;
    const now = performance.now();
    if (rows.length < 2 || (phase === "running" && (calm.matches || now - drawn < pause(rows.length))))
      return;
    drawn = now;
    panels.draw(
      drawnCharts({ label: "this", rows, criticalValue: lab.criticalValue }, lab.kept, lab.view),
      phase === "running",
    );
    drawPicture(lab);
  });
  lab.changed.watch(() => showState(lab));
  lab.changed.watch(() => showNotes(lab));
  const redraw = (): void => {
    panels.redraw();
    drawPicture(lab);
  };
  kit().watchTheme(redraw);
  byId("run").addEventListener("click", () => lab.toggle());
  byId("step").addEventListener("click", () => lab.step());
  byId("reset").addEventListener("click", () => lab.reset());
  byId("controls").addEventListener("click", ({ target }) => {
    const name = (target as HTMLElement).dataset.preset;
    const preset = LAB_PRESETS.find((each) => each.name === name);
    if (preset) lab.open(`#${preset.link}`);
  });
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) !== lab.link()) lab.open(location.hash);
  });
  lab.open(location.hash);
  void form;
}

function decorate(_lab: Lab, _section: HTMLElement, _id: string): void {}

/** Writes how the run stands. */
function showState(lab: Lab): void {
  const { phase, rows, config, speed } = lab;
  const steps = config?.steps ?? 0;
  document.documentElement.dataset.phase = phase;
  byId("run").textContent = RUN_WORDS[phase];
  const progress = byId<HTMLProgressElement>("progress");
  progress.value = steps > 0 ? rows.length / steps : 0;
  const words = [
    `${rows.length}/${steps}`,
    phase === "running" && speed > 0 ? `${Math.round(speed)} steps/s` : undefined,
  ];
  byId("pace-words").textContent = words.filter((each) => each !== undefined).join(" · ");
  byId("runs").replaceChildren(
    ...lab.kept.map(({ label }, i) =>
      element("span", { class: "run" }, [
        element("i", { class: "swatch", "data-role": `run-${i % 8}` }),
        label,
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
  if (phase !== "starting" && config) history.replaceState(null, "", `#${lab.link()}`);
}
