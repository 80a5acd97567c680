/** What another page may draw charts with; it is handed over as one function, whose text exported reports carry. */
export { startPage } from "./page.js";
export { color, inLight, watchTheme } from "./plots/theme.js";
export { showRun } from "./run.js";
export { download, save, savePicture } from "./save.js";
