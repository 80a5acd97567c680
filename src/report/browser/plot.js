import { logTicks, verticalRange } from "./axis.js";
import { tickText } from "./format.js";
import { color } from "./theme.js";

const uPlot = /** @type {{ uPlot: typeof import("uplot") }} */ (/** @type {unknown} */ (globalThis)).uPlot;

/**
 * How each role is drawn: width, dash, and whether it lies over (higher) or under the others.
 * @type {Record<string, { width: number, dash?: number[], layer: number }>}
 */
const STROKES = {
  discrete: { width: 1.25, layer: 0 },
  midpoint: { width: 1.5, dash: [10, 3, 2, 3], layer: 1 },
  stable: { width: 2, dash: [9, 5], layer: 2 },
  stationary: { width: 2, dash: [3, 4], layer: 2 },
  ablated: { width: 2, dash: [12, 4, 3, 4], layer: 2 },
  average: { width: 2, layer: 3 },
  central: { width: 2.75, layer: 4 },
  prediction: { width: 2.25, dash: [2.5, 3.5], layer: 5 },
};
/** How any other role is drawn. */
const PLAIN_STROKE = { width: 2, dash: [6, 3, 2, 3, 2, 3], layer: 2 };

/** @param {string} role */
const strokeOf = (role) => STROKES[role] ?? PLAIN_STROKE;
/** @param {string} role */
const roleColor = (role) => color(`--${role}`) || color("--muted");

/**
 * A chart drawn into its frame.
 * @typedef {object} Plot
 * @property {import("./decode.js").Chart} chart
 * @property {boolean[]} shown per group
 * @property {() => number | null} cursor the row under the cursor
 * @property {(row: number) => void} moveCursor
 * @property {(group: number, shown: boolean) => void} show
 * @property {(log: boolean) => void} setLog
 * @property {(first: number, last: number) => void} zoom to a range of steps
 * @property {() => void} redraw with the colours of now
 */

/**
 * @param {HTMLElement} frame
 * @param {import("./decode.js").Chart} chart
 * @param {Float64Array} steps
 * @param {string} cursors names the plots that move their cursors together
 * @param {{ onCursor: () => void, onZoom: (first: number, last: number) => void, onReset: () => void }} events
 * @returns {Plot}
 */
export function createPlot(frame, chart, steps, cursors, events) {
  const shown = chart.groups.map((group) => group.shown);
  const lines = chart.groups
    .flatMap((group, g) => group.lines.map((line, i) => ({ ...line, role: group.role, g, main: i === 0 })))
    .sort((a, b) => strokeOf(a.role).layer - strokeOf(b.role).layer);
  let log = chart.log;
  /** @type {import("uplot") | undefined} */
  let plot;
  let bounds = [steps[0], steps[steps.length - 1]];

  const draw = () => {
    plot?.destroy();
    const data = [Array.from(steps), ...lines.map((line) => drawable(line.values, log))];
    const options = plotOptions(chart, lines, shown, log, size(frame), cursors, events);
    plot = new uPlot(options, /** @type {import("uplot").AlignedData} */ (data), frame);
    plot.setScale("x", horizontal(bounds));
  };
  draw();
  new ResizeObserver(() => plot?.setSize(size(frame))).observe(frame);

  return {
    chart,
    shown,
    cursor: () => plot?.cursor.idx ?? null,
    moveCursor(row) {
      if (!plot) return;
      plot.setCursor({ left: plot.valToPos(steps[row], "x"), top: plot.over.clientHeight / 2 }, true);
    },
    show(group, visible) {
      shown[group] = visible;
      plot?.batch(() => {
        lines.forEach((line, i) => {
          if (line.g === group) plot?.setSeries(i + 1, { show: visible });
        });
        plot?.setScale("x", horizontal(bounds));
      });
    },
    setLog(next) {
      log = next;
      draw();
    },
    zoom(first, last) {
      bounds = [first, last];
      plot?.setScale("x", horizontal(bounds));
    },
    redraw: () => plot?.redraw(false, true),
  };
}

/** @param {HTMLElement} frame */
function size(frame) {
  const width = Math.max(240, Math.floor(frame.clientWidth));
  return { width, height: Math.round(Math.min(400, Math.max(250, width * 0.52))) };
}

/**
 * A run of one step still needs a range.
 * @param {number[]} bounds
 */
function horizontal([min, max]) {
  return min === max ? { min: min - 1, max: max + 1 } : { min, max };
}

/**
 * What can be drawn, on a logarithmic axis the exponents of ten; the rest are gaps.
 * @param {Float64Array} values
 * @param {boolean} log
 */
function drawable(values, log) {
  return Array.from(values, (x) => {
    if (!Number.isFinite(x) || (log && x <= 0)) return null;
    return log ? Math.log10(x) : x;
  });
}

/**
 * @param {import("./decode.js").Chart} chart
 * @param {{ name: string, role: string, g: number, main: boolean }[]} lines
 * @param {boolean[]} shown
 * @param {boolean} log
 * @param {{ width: number, height: number }} size
 * @param {string} cursors
 * @param {{ onCursor: () => void, onZoom: (first: number, last: number) => void, onReset: () => void }} events
 * @returns {import("uplot").Options}
 */
function plotOptions(chart, lines, shown, log, size, cursors, events) {
  const font = `12px ${color("--font")}`;
  const common = {
    stroke: () => color("--muted"),
    font,
    grid: { stroke: () => color("--grid"), width: 1 },
    ticks: { show: false },
    border: { show: true, stroke: () => color("--rule"), width: 1 },
  };
  return {
    ...size,
    legend: { show: false },
    padding: [10, 14, 0, 0],
    cursor: {
      y: false,
      sync: { key: cursors, setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 7, width: 2, fill: () => color("--paper") },
      bind: {
        dblclick: () => () => {
          events.onReset();
          return null;
        },
      },
    },
    scales: {
      x: { time: false },
      y: {
        range: (u) => {
          const [first, last] = u.series[0].idxs ?? [0, u.data[0].length - 1];
          return verticalRange(chart, shown, first, last, log);
        },
      },
    },
    axes: [
      {
        ...common,
        gap: 6,
        size: 26,
        label: "step",
        labelFont: font,
        labelSize: 16,
        labelGap: 0,
        values: (_, ticks) => ticks.map((x) => (Number.isInteger(x) ? String(x) : "")),
      },
      {
        ...common,
        gap: 7,
        label: chart.axis,
        labelFont: font,
        labelSize: 18,
        labelGap: 2,
        size: (_, ticks) => 14 + 7 * Math.max(2, ...(ticks ?? []).map((text) => [...(text ?? "")].length)),
        values: (_, ticks) => ticks.map((x) => tickText(log ? 10 ** x : x)),
        ...(log && {
          splits: (u, _, low, high) =>
            logTicks(low, high, Math.max(3, u.bbox.height / devicePixelRatio / 32)),
        }),
      },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, shown[line.g]))],
    hooks: {
      draw: [(u) => drawLevel(u, chart.level, log, font)],
      setCursor: [() => events.onCursor()],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width < 1) return;
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          events.onZoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
        },
      ],
    },
  };
}

/**
 * @param {{ name: string, role: string, main: boolean }} line
 * @param {boolean} show
 * @returns {import("uplot").Series}
 */
function seriesOf({ name, role, main }, show) {
  const { width, dash } = strokeOf(role);
  return {
    label: name,
    show,
    stroke: () => roleColor(role),
    alpha: main ? 1 : 0.55,
    width: main ? width : Math.max(1, 0.6 * width),
    dash,
    points: { size: 5, stroke: () => roleColor(role), fill: () => color("--paper") },
  };
}

/**
 * A dashed horizontal line across the plot with its name above it.
 * @param {import("uplot")} u
 * @param {import("./decode.js").Chart["level"]} level
 * @param {boolean} log
 * @param {string} font
 */
function drawLevel(u, level, log, font) {
  if (!level) return;
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const y = Math.round(u.valToPos(log ? Math.log10(level.value) : level.value, "y", true)) + 0.5;
  if (!(y > bbox.top && y < bbox.top + bbox.height)) return;
  ctx.save();
  ctx.strokeStyle = color("--edge");
  ctx.lineWidth = 1.25 * ratio;
  ctx.setLineDash([6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = font.replace("12px", `600 ${12 * ratio}px`);
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  const right = bbox.left + bbox.width - 6 * ratio;
  const { width } = ctx.measureText(level.label);
  ctx.globalAlpha = 0.85;
  ctx.fillStyle = color("--paper");
  ctx.fillRect(right - width - 4 * ratio, y - 20 * ratio, width + 8 * ratio, 17 * ratio);
  ctx.globalAlpha = 1;
  ctx.fillStyle = color("--edge");
  ctx.fillText(level.label, right, y - 4 * ratio);
  ctx.restore();
}
