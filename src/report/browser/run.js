import { csvOf, download } from "./csv.js";
import { valuesAloud, writeValues } from "./legend.js";
import { createPlot } from "./plot.js";

/**
 * Draws the charts of one run into the sections that bear their ids. They zoom together and show their values at one
 * step, apart from other runs on the page.
 * @param {import("./decode.js").RunData} data
 * @returns {() => void} draws them again with the colours of now
 */
export function showRun({ steps, charts }) {
  const lastRow = steps.length - 1;
  /** The cursors of plots with the same key move together. */
  const cursors = charts.map(({ id }) => id).join(" ");

  /** @type {{ section: HTMLElement, plot: import("./plot.js").Plot }[]} */
  const views = [];

  /**
   * @param {number} first
   * @param {number} last
   */
  function zoomAll(first, last) {
    const zoomed = first > steps[0] || last < steps[lastRow];
    for (const { section, plot } of views) {
      plot.zoom(first, last);
      /** @type {HTMLButtonElement} */ (section.querySelector('[data-tool="reset"]')).disabled = !zoomed;
    }
  }

  function resetZoom() {
    zoomAll(steps[0], steps[lastRow]);
  }

  /** The row under the cursor, or the last one when the pointer is elsewhere. */
  let shownRow = -1;

  /** @param {number | null} row */
  function readAt(row) {
    const next = row ?? lastRow;
    if (next === shownRow) return;
    shownRow = next;
    for (const { section, plot } of views) writeValues(section, plot, steps, next);
  }

  /**
   * Where a key moves the cursor to; undefined for keys that do not.
   * @param {KeyboardEvent} event
   * @param {number} row
   */
  function rowAfter({ key, shiftKey }, row) {
    const stride = shiftKey ? 10 : 1;
    if (key === "ArrowLeft") return Math.max(0, row - stride);
    if (key === "ArrowRight") return Math.min(lastRow, row + stride);
    if (key === "Home") return 0;
    if (key === "End") return lastRow;
    return undefined;
  }

  /**
   * @param {HTMLElement} section
   * @param {import("./decode.js").Chart} chart
   */
  function addView(section, chart) {
    const frame = /** @type {HTMLElement} */ (section.querySelector(".plot"));
    const aloud = /** @type {HTMLElement} */ (section.querySelector(".aloud"));
    const tools = /** @type {HTMLElement} */ (section.querySelector(".tools"));
    const plot = createPlot(frame, chart, steps, cursors, {
      onCursor: () => views.length > 0 && readAt(plot.cursor()),
      onZoom: zoomAll,
      onReset: resetZoom,
    });
    views.push({ section, plot });
    tools.hidden = false;

    section.addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement} */ (target).closest("button");
      if (!button) return;
      const pressed = button.getAttribute("aria-pressed") !== "true";
      if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(pressed));
      if (button.dataset.group !== undefined) {
        plot.show(Number(button.dataset.group), pressed);
        writeValues(section, plot, steps, shownRow);
      }
      if (button.dataset.tool === "log") plot.setLog(pressed);
      if (button.dataset.tool === "reset") resetZoom();
      if (button.dataset.tool === "csv") download(`${chart.id}.csv`, csvOf(steps, chart));
    });

    frame.addEventListener("keydown", (event) => {
      if (event.key === "Escape") resetZoom();
      const row = rowAfter(event, shownRow);
      if (row === undefined) return;
      event.preventDefault();
      for (const view of views) view.plot.moveCursor(row);
      readAt(row);
      aloud.textContent = valuesAloud(plot, steps, row);
    });
  }

  for (const chart of charts) addView(/** @type {HTMLElement} */ (document.getElementById(chart.id)), chart);
  readAt(null);
  return () => {
    for (const { plot } of views) plot.redraw();
  };
}
