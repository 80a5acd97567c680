import { LAB_PRESETS } from "../link/presets.ts";
import { addressOf, copy, setUpExports } from "./controls/exports.ts";
import { Form } from "./controls/form.ts";
import { setUpKeys } from "./controls/keys.ts";
import { LAYOUT } from "./controls/layout.ts";
import { showNotes } from "./controls/notes.ts";
import { showState } from "./controls/pace.ts";
import { setUpTour } from "./controls/tour-panel.ts";
import { byId } from "./dom/element.ts";
import { kit } from "./dom/kit.ts";
import { type DrawnCharts, drawnCharts } from "./drawing/charts.ts";
import { decorate } from "./drawing/decorate.ts";
import { Panels } from "./drawing/panels.ts";
import { drawPicture } from "./drawing/picture.ts";
import { Lab } from "./state/lab.ts";

/** Milliseconds between two drawings of a run that goes: at least so many, and a multiple of what the last one took. */
const LEAST_PAUSE = 90;
const PAUSES = 5;

/** Makes the page, and shows what its address says. */
export function startPage(): void {
  document.body.insertAdjacentHTML("afterbegin", LAYOUT);
  const lab = new Lab((words) => {
    byId("events").textContent = words;
  });
  setUpDrawing(lab);
  new Form(lab);
  setUpExports(lab);
  setUpKeys(lab);
  setUpTour(lab);
  lab.changed.watch(() => showState(lab));
  lab.changed.watch(() => showNotes(lab));
  byId("run").addEventListener("click", () => {
    if (lab.phase === "over" || lab.phase === "failed") history.pushState(null, "", `#${lab.link()}`);
    lab.toggle();
  });
  byId("step").addEventListener("click", () => lab.step());
  byId("reset").addEventListener("click", () => lab.reset());
  byId("share").addEventListener("click", () => copy(lab, "link", addressOf(lab)));
  byId("controls").addEventListener("click", ({ target }) => {
    const name = (target as HTMLElement).dataset.preset;
    const preset = LAB_PRESETS.find((each) => each.name === name);
    if (!preset) return;
    history.pushState(null, "", `#${preset.link}`);
    lab.open(`#${preset.link}`);
  });
  const follow = (): void => {
    if (location.hash.slice(1) !== lab.link()) lab.open(location.hash, true);
  };
  addEventListener("hashchange", follow);
  addEventListener("popstate", follow);
  lab.open(location.hash, location.hash.length > 1);
}

/** Draws what is computed, the less often the longer it takes, so that computing has the time; once, in the end, for who wants no motion. */
function setUpDrawing(lab: Lab): void {
  const panels = new Panels(byId("charts"), (section, id) => decorate(lab, section, id));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let next = 0;
  lab.rowsChanged.watch(() => {
    const { rows, phase } = lab;
    const now = performance.now();
    if (rows.length < 2 || (phase === "running" && (calm.matches || now < next))) return;
    const run = { label: "this", rows, criticalValue: lab.criticalValue };
    panels.draw(only(lab.embed, drawnCharts(run, lab.kept, lab.view)), phase === "running");
    drawPicture(lab);
    const done = performance.now();
    next = done + Math.max(LEAST_PAUSE, PAUSES * (done - now));
  });
  kit().watchTheme(() => {
    panels.redraw();
    drawPicture(lab);
  });
}

/** The chart that is embedded alone, or all. */
function only(embed: Lab["embed"], { axes, charts }: DrawnCharts): DrawnCharts {
  if (embed === undefined) return { axes, charts };
  const id = embed === "path" ? "plane" : embed;
  return { axes, charts: charts.filter((each) => each.id === id) };
}
