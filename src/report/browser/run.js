import { csvOf } from "./csv.js";
import { valuesAloud, writeValues } from "./legend.js";
import { createPlane } from "./plots/plane.js";
import { createPlot } from "./plots/plot.js";
import { nearestRow } from "./plots/table.js";
import { save } from "./save.js";

/**
 * The charts of a panel on the page.
 * @typedef {object} ShownRun
 * @property {() => void} redraw with the colours of now
 * @property {(measure: import("./plots/decode.js").Measure) => void} setMeasure
 * @property {(data: import("./plots/decode.js").RunData, follow: boolean) => void} update with more rows of the same charts; `follow` the last stretch of a plane
 * @property {() => void} remove lets go of the page
 * @property {() => boolean} busy whether someone is reading: zoomed, or with the cursor in a plot
 */

/**
 * Draws charts into the sections that bear their ids. They zoom together and show their values at one step, apart from
 * other panels of the page.
 * @param {import("./plots/decode.js").RunData} data
 * @returns {ShownRun}
 */
export function showRun({ axes, charts }) {
  /** The cursors of plots with the same key move together. */
  const cursors = charts.map(({ id }) => id).join(" ");
  let { steps } = axes[0];

  /** @type {{ section: HTMLElement, plot: import("./plots/plot.js").Plot }[]} */
  const views = [];
  /** @type {{ section: HTMLElement, plane: ReturnType<typeof createPlane> }[]} */
  const planes = [];
  /** @type {import("./plots/decode.js").Measure} */
  let measure = "steps";
  /** The plot with the pointer in it. @type {import("./plots/plot.js").Plot | undefined} */
  let active;
  let zoomed = false;

  /** @param {[number, number] | undefined} bounds */
  function zoomAll(bounds) {
    zoomed = bounds !== undefined;
    for (const { section, plot } of views) {
      plot.zoom(bounds);
      /** @type {HTMLButtonElement} */ (section.querySelector('[data-tool="reset"]')).disabled = !zoomed;
    }
  }

  /** The place that is read, the last one when the pointer is elsewhere. */
  let shownAt = Number.NaN;

  /** @param {number | null} place */
  function readAt(place) {
    const last = Math.max(...axes.map((axis) => (axis[measure] ?? axis.steps).at(-1) ?? Number.NaN));
    const next = place ?? last;
    if (next === shownAt) return;
    shownAt = next;
    for (const { section, plot } of views) writeValues(section, plot, next, measure);
    for (const { section, plane } of planes) {
      plane.mark(nearestRow(steps, next));
      writePlane(section, plane);
    }
  }

  /**
   * Where a key moves the cursor to; undefined for keys that do not.
   * @param {KeyboardEvent} event
   * @param {Float64Array} x
   * @param {[number, number]} [rows] to stay in
   */
  function placeAfter({ key, shiftKey }, x, [first, last] = [0, x.length - 1]) {
    const stride = shiftKey ? 10 : 1;
    const row = nearestRow(x, shownAt);
    if (key === "ArrowLeft") return x[Math.min(last, Math.max(first, row - stride))];
    if (key === "ArrowRight") return x[Math.max(first, Math.min(last, row + stride))];
    if (key === "Home") return x[first];
    if (key === "End") return x[last];
    return undefined;
  }

  /** @param {number} place */
  function moveTo(place) {
    active = undefined;
    for (const { plot } of views) plot.moveCursor(place);
    readAt(place);
  }

  /**
   * The name of a saved file, and what stands under a saved picture.
   * @param {string} id
   */
  const nameOf = (id) => [document.documentElement.dataset.run, id].filter((part) => part).join("-");
  /** @param {HTMLElement} section */
  const captionOf = (section) =>
    [section.querySelector(".caption")?.textContent, document.querySelector("h1")?.textContent]
      .filter((part) => part)
      .join(" · ");

  /**
   * @param {HTMLElement} section
   * @param {import("./plots/decode.js").Chart} chart
   */
  function addView(section, chart) {
    const frame = /** @type {HTMLElement} */ (section.querySelector(".plot"));
    const aloud = /** @type {HTMLElement} */ (section.querySelector(".aloud"));
    const plot = createPlot(frame, chart, axes, cursors, {
      onCursor: () => active === plot && readAt(plot.cursor()),
      onZoom: (first, last) => zoomAll([first, last]),
      onReset: () => zoomAll(undefined),
    });
    views.push({ section, plot });
    frame.addEventListener("mouseenter", () => {
      active = plot;
    });
    frame.addEventListener("mouseleave", () => {
      active = undefined;
      readAt(null);
    });

    listen(section, chart.id, {
      show(group, pressed) {
        plot.show(group, pressed);
        for (const view of views) if (view.plot.chart.family !== undefined) view.plot.rescale();
        writeValues(section, plot, shownAt, measure);
      },
      tool(name, pressed) {
        if (name === "log") plot.setLog(pressed);
        if (name === "reset") zoomAll(undefined);
      },
      csv: () => csvOf(plot.table(), plot.chart.along ?? (measure === "steps" ? "step" : "time")),
      spec: () => plot.spec(captionOf(section)),
    });
    frame.addEventListener("keydown", (event) => {
      if (event.key === "Escape") zoomAll(undefined);
      const place = placeAfter(event, plot.table().x);
      if (place === undefined) return;
      event.preventDefault();
      moveTo(place);
      aloud.textContent = valuesAloud(plot, place, measure);
    });
  }

  /**
   * @param {HTMLElement} section
   * @param {import("./plots/decode.js").PlaneChart} chart
   */
  function addPlane(section, chart) {
    const frame = /** @type {HTMLElement} */ (section.querySelector(".plot"));
    const plane = createPlane(frame, chart, steps);
    planes.push({ section, plane });
    const turn = (/** @type {number} */ by) => {
      plane.move(by);
      writePlane(section, plane);
    };
    listen(section, chart.id, {
      show(group, pressed) {
        plane.shown[group] = pressed;
        plane.draw();
      },
      tool(name) {
        if (name === "back") turn(-1);
        if (name === "on") turn(1);
      },
      csv: () => plane.csv(),
      spec: () => plane.spec(captionOf(section)),
    });
    frame.addEventListener("keydown", (event) => {
      const place = placeAfter(event, steps, plane.rows());
      if (place === undefined) return;
      event.preventDefault();
      moveTo(place);
      const aloud = /** @type {HTMLElement} */ (section.querySelector(".aloud"));
      aloud.textContent = [
        `step ${place}`,
        ...plane.chart.stretches[0].paths.map(({ label }, i) => `${label} ${plane.text(i)}`),
      ].join("; ");
    });
  }

  for (const chart of charts) {
    const section = /** @type {HTMLElement} */ (document.getElementById(chart.id));
    if (chart.kind === "plane") addPlane(section, chart);
    else addView(section, chart);
  }
  // What a family agrees on is known when all of it is there.
  for (const { plot } of views) if (plot.chart.family !== undefined) plot.rescale();
  readAt(null);
  return {
    redraw() {
      for (const { plot } of views) plot.redraw();
      for (const { plane } of planes) plane.draw();
    },
    setMeasure(next) {
      measure = next;
      zoomAll(undefined);
      for (const { plot } of views) plot.setMeasure(next);
      for (const { plot } of views) plot.rescale();
      shownAt = Number.NaN;
      readAt(null);
    },
    update(data, follow) {
      axes = data.axes;
      steps = axes[0].steps;
      for (const chart of data.charts) {
        if (chart.kind === "plane")
          for (const { plane } of planes.filter((each) => each.plane.chart.id === chart.id))
            plane.update(chart, steps, follow);
        else
          for (const { plot } of views.filter((each) => each.plot.chart.id === chart.id))
            plot.update(chart, axes);
      }
      shownAt = Number.NaN;
      readAt(active?.cursor() ?? null);
    },
    remove() {
      for (const { plot } of views) plot.remove();
      for (const { plane } of planes) plane.remove();
    },
    busy: () => zoomed || active !== undefined,
  };

  /**
   * Makes the buttons of a section work.
   * @param {HTMLElement} section
   * @param {string} id
   * @param {{ show: (group: number, pressed: boolean) => void, tool: (name: string, pressed: boolean) => void, csv: () => string, spec: () => import("./plots/figure.js").FigureSpec }} does
   */
  function listen(section, id, { show, tool, csv, spec }) {
    /** @type {HTMLElement} */ (section.querySelector(".tools")).hidden = false;
    section.addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement} */ (target).closest("button");
      if (!button) return;
      const pressed = button.getAttribute("aria-pressed") !== "true";
      if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(pressed));
      const { group, tool: name } = button.dataset;
      if (group !== undefined) show(Number(group), pressed);
      if (name === "csv" || name === "png" || name === "svg") save(name, nameOf(id), csv, spec);
      else if (name !== undefined) tool(name, pressed);
    });
  }
}

/**
 * Writes which steps are seen, and where the paths are at the step that is read.
 * @param {HTMLElement} section
 * @param {ReturnType<typeof createPlane>} plane
 */
function writePlane(section, plane) {
  const at = /** @type {HTMLElement} */ (section.querySelector(".at"));
  at.textContent = plane.words();
  const [first, last] = plane.ends();
  /** @type {HTMLButtonElement} */ (section.querySelector('[data-tool="back"]')).disabled = first;
  /** @type {HTMLButtonElement} */ (section.querySelector('[data-tool="on"]')).disabled = last;
}
