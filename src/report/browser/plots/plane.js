import { padded } from "./axis.js";
import { figureSvg } from "./figure.js";
import { valueText } from "./format.js";
import { strokeOf } from "./strokes.js";

/**
 * Draws paths in a plane, one stretch at a time.
 * @param {HTMLElement} frame
 * @param {import("./decode.js").PlaneChart} chart
 * @param {Float64Array} steps of the run's rows
 */
export function createPlane(frame, chart, steps) {
  const shown = chart.stretches[0].paths.map(() => true);
  let following = false;
  let at = chart.start;
  /** @type {number | undefined} */
  let marked;

  const stretch = () => chart.stretches[at];
  const length = () => stretch().paths[0].x.length;

  /** The row of the stretch that is marked; undefined when it is elsewhere. */
  function markedRow() {
    const row = marked === undefined ? -1 : marked - stretch().first;
    return row >= 0 && row < length() ? row : undefined;
  }

  /**
   * @param {string} caption
   * @returns {import("./figure.js").FigureSpec}
   */
  function spec(caption) {
    const visible = stretch().paths.filter((_, i) => shown[i]);
    const row = markedRow();
    return {
      title: `${chart.title}, ${words()}`,
      caption,
      labels: chart.axes,
      across: range(visible.map(({ x }) => x)),
      up: range(visible.map(({ y }) => y)),
      log: false,
      curves: [...visible]
        .sort((a, b) => strokeOf(a.role).layer - strokeOf(b.role).layer)
        .map(({ role, x, y }) => ({ role, main: true, x, y })),
      names: visible,
      ...(row !== undefined && {
        marks: visible
          .filter(({ x, y }) => Number.isFinite(x[row]) && Number.isFinite(y[row]))
          .map(({ role, x, y }) => ({ role, x: x[row], y: y[row] })),
      }),
    };
  }

  function words() {
    const { first } = stretch();
    return `steps ${steps[first]} to ${steps[first + length() - 1]}`;
  }

  function draw() {
    const width = Math.max(240, Math.floor(frame.clientWidth));
    const height = Math.round(Math.min(430, Math.max(270, 0.42 * width)));
    frame.innerHTML = figureSvg(spec(""), { width, height, alone: false });
  }
  draw();
  const watcher = new ResizeObserver(draw);
  watcher.observe(frame);

  return {
    get chart() {
      return chart;
    },
    shown,
    draw,
    spec,
    words,
    /** The rows of the run that are seen. @returns {[number, number]} */
    rows: () => [stretch().first, stretch().first + length() - 1],
    /** @param {number} row of the run */
    mark(row) {
      const before = markedRow();
      marked = row;
      if (before !== undefined || markedRow() !== undefined) draw();
    },
    /** Whether there is a stretch before and one after. */
    ends: () => [at === 0, at === chart.stretches.length - 1],
    /** @param {number} by */
    move(by) {
      at = Math.max(0, Math.min(chart.stretches.length - 1, at + by));
      draw();
    },
    /** The coordinates of a path at the marked row. @param {number} path */
    text(path) {
      const row = markedRow();
      if (row === undefined) return "";
      const { x, y } = stretch().paths[path];
      return `${valueText(x[row])}, ${valueText(y[row])}`;
    },
    /**
     * Takes more rows, or others.
     * @param {import("./decode.js").PlaneChart} nextChart
     * @param {Float64Array} nextSteps
     * @param {boolean} follow whether the last stretch is shown as it grows
     */
    update(nextChart, nextSteps, follow) {
      const paths = nextChart.stretches[0].paths;
      shown.splice(0, shown.length, ...paths.map((_, i) => shown[i] ?? true));
      if (follow) at = nextChart.stretches.length - 1;
      else if (following || at >= nextChart.stretches.length) at = nextChart.start;
      following = follow;
      chart = nextChart;
      steps = nextSteps;
      draw();
    },
    remove: () => watcher.disconnect(),
    csv() {
      const [first] = this.rows();
      const { paths } = stretch();
      const title = ["step", ...paths.flatMap(({ role }) => [`${role} slow`, `${role} fast`])].join(",");
      const lines = Array.from({ length: length() }, (_, i) =>
        [steps[first + i], ...paths.flatMap(({ x, y }) => [x[i], y[i]])].join(","),
      );
      return `${[title, ...lines].join("\n")}\n`;
    },
  };
}

/** @param {Float64Array[]} columns */
function range(columns) {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns)
    for (const x of column) {
      if (x < low) low = x;
      if (x > high) high = x;
    }
  if (!(low <= high)) return padded(-1, 1);
  const span = high - low || 1;
  return /** @type {[number, number]} */ ([low - 0.05 * span, high + 0.05 * span]);
}
