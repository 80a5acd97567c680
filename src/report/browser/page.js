import { decodeRun } from "./plots/decode.js";
import { watchTheme } from "./plots/theme.js";
import { showRun } from "./run.js";

/** Makes the page of one run, or of many, from the data that it carries. */
export function startPage() {
  const runs = [...document.querySelectorAll(".run-data")].map((data) =>
    showRun(decodeRun(data.textContent ?? "")),
  );
  watchTheme(() => {
    for (const run of runs) run.redraw();
  });

  const measures = [...document.querySelectorAll("[data-axis]")];
  for (const button of measures) {
    /** @type {HTMLElement} */ (button.parentElement).hidden = false;
    button.addEventListener("click", () => {
      for (const each of measures) each.setAttribute("aria-pressed", String(each === button));
      const measure = /** @type {HTMLElement} */ (button).dataset.axis === "times" ? "times" : "steps";
      for (const run of runs) run.setMeasure(measure);
    });
  }

  const seconds = Number(document.documentElement.dataset.reload ?? 0);
  if (seconds > 0)
    setInterval(() => {
      if (!runs.some((run) => run.busy())) location.reload();
    }, 1000 * seconds);
}
