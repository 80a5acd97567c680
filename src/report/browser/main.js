import { decodeRun } from "./decode.js";
import { showRun } from "./run.js";
import { watchTheme } from "./theme.js";

const redraws = [...document.querySelectorAll(".run-data")].map((data) =>
  showRun(decodeRun(data.textContent ?? "")),
);
watchTheme(() => {
  for (const redraw of redraws) redraw();
});
