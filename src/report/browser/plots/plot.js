import { logTicks, verticalRange } from "./axis.js";
import { tickText } from "./format.js";
import { roleColor, strokeOf } from "./strokes.js";
import { nearestRow, tableOf } from "./table.js";
import { color } from "./theme.js";

const uPlot = /** @type {{ uPlot: typeof import("uplot") }} */ (/** @type {unknown} */ (globalThis)).uPlot;

/**
 * A chart drawn into its frame.
 * @typedef {object} Plot
 * @property {import("./decode.js").Chart} chart
 * @property {boolean[]} shown per group
 * @property {() => import("./table.js").Table} table its lines as they are drawn
 * @property {() => number | null} cursor the place under the cursor
 * @property {(place: number) => void} moveCursor
 * @property {(group: number, shown: boolean) => void} show
 * @property {(log: boolean) => void} setLog
 * @property {(bounds: [number, number] | undefined) => void} zoom to a range of places; undefined: everything
 * @property {(measure: import("./decode.js").Measure) => void} setMeasure
 * @property {() => void} rescale after something of its family has changed
 * @property {() => void} redraw with the colours of now
 * @property {(chart: import("./decode.js").Chart, axes: import("./decode.js").Axis[]) => void} update with more rows, or other lines
 * @property {() => void} remove lets go of the page
 * @property {(caption: string) => import("./figure.js").FigureSpec} spec what a saved picture shows
 */

/**
 * What charts of one family agree on: each tells its ranges between two places, or of all.
 * @typedef {{ log: () => boolean, across: () => [number, number], up: (bounds: [number, number]) => [number, number] }} Member
 * @type {Map<string, Member[]>}
 */
const families = new Map();

/** So many lines of a group are dashed, if their role is; dashes are slow to draw, and of sixty lines nobody tells them. */
const DASHED = 4;

/** The words under the horizontal axis. */
const MEASURES = { steps: "step", times: "time η·t" };

/**
 * @param {HTMLElement} frame
 * @param {import("./decode.js").Chart} chart
 * @param {import("./decode.js").Axis[]} axes
 * @param {string} cursors names the plots that move their cursors together
 * @param {{ onCursor: () => void, onZoom: (first: number, last: number) => void, onReset: () => void }} events
 * @returns {Plot}
 */
export function createPlot(frame, chart, axes, cursors, events) {
  const shown = chart.groups.map((group) => group.shown);
  let log = chart.log;
  /** @type {import("./decode.js").Measure} */
  let measure = "steps";
  let table = tableOf(chart, axes, measure);
  /** @type {import("uplot") | undefined} */
  let plot;
  /** @type {[number, number] | undefined} */
  let zoomed;

  const lines = () =>
    table.groups
      .flatMap((group, g) =>
        group.lines.map((line, i) => ({ ...line, role: group.role, g, main: i === 0, dashed: i < DASHED })),
      )
      .sort((a, b) => strokeOf(a.role).layer - strokeOf(b.role).layer);

  /** @type {Member} */
  const member = {
    log: () => log,
    across: () => [table.x[0], table.x[table.x.length - 1]],
    up(bounds) {
      const rows = bounds.map((place) => nearestRow(table.x, place));
      return verticalRange({ ...table, level: chart.level }, shown, rows[0], rows[1], log);
    },
  };
  const family = chart.family === undefined ? [member] : (families.get(chart.family) ?? []);
  if (chart.family !== undefined) {
    family.push(member);
    families.set(chart.family, family);
  }
  /** @param {[number, number][]} ranges @returns {[number, number]} */
  const union = (ranges) => [
    Math.min(...ranges.map(([low]) => low)),
    Math.max(...ranges.map(([, high]) => high)),
  ];
  const across = () => zoomed ?? union(family.map((each) => each.across()));
  const up = () => union(family.filter((each) => each.log() === log).map((each) => each.up(across())));

  /** What is drawn, without its numbers: as long as it is the same, new numbers need no new plot. */
  const form = () =>
    JSON.stringify([chart.axis, chart.along, lines().map(({ name, role, g }) => [name, role, g])]);
  let drawnForm = "";
  const dataOf = (/** @type {ReturnType<typeof lines>} */ drawn) =>
    /** @type {import("uplot").AlignedData} */ (
      /** @type {unknown} */ ([Array.from(table.x), ...drawn.map((line) => drawable(line.values, log))])
    );

  const draw = () => {
    plot?.destroy();
    drawnForm = form();
    const drawn = lines();
    const options = plotOptions(chart, drawn, {
      shown,
      log,
      up,
      measure,
      size: size(frame),
      cursors,
      events,
      level: () => chart.level,
    });
    plot = new uPlot(options, dataOf(drawn), frame);
    plot.setScale("x", horizontal(across()));
  };
  draw();
  const watcher = new ResizeObserver(() => plot?.setSize(size(frame)));
  watcher.observe(frame);

  return {
    get chart() {
      return chart;
    },
    shown,
    table: () => table,
    cursor: () => {
      const row = plot?.cursor.idx;
      return row === undefined || row === null ? null : table.x[row];
    },
    moveCursor(place) {
      if (!plot) return;
      const left = plot.valToPos(table.x[nearestRow(table.x, place)], "x");
      plot.setCursor({ left, top: plot.over.clientHeight / 2 }, true);
    },
    show(group, visible) {
      shown[group] = visible;
      plot?.batch(() => {
        lines().forEach((line, i) => {
          if (line.g === group) plot?.setSeries(i + 1, { show: visible });
        });
        plot?.setScale("x", horizontal(across()));
      });
    },
    setLog(next) {
      log = next;
      draw();
    },
    zoom(bounds) {
      zoomed = bounds;
      plot?.setScale("x", horizontal(across()));
    },
    setMeasure(next) {
      measure = next;
      zoomed = undefined;
      table = tableOf(chart, axes, measure);
      draw();
    },
    rescale: () => plot?.setScale("x", horizontal(across())),
    redraw: () => plot?.redraw(false, true),
    update(nextChart, nextAxes) {
      const before = new Map(chart.groups.map(({ label }, g) => [label, shown[g]]));
      chart = nextChart;
      axes = nextAxes;
      shown.splice(0, shown.length, ...chart.groups.map((group) => before.get(group.label) ?? group.shown));
      table = tableOf(chart, axes, measure);
      if (form() !== drawnForm) return draw();
      plot?.batch(() => {
        plot?.setData(dataOf(lines()), false);
        plot?.setScale("x", horizontal(across()));
      });
    },
    remove() {
      watcher.disconnect();
      plot?.destroy();
    },
    spec(caption) {
      const visible = lines().filter((line) => shown[line.g]);
      return {
        title: chart.title,
        caption,
        labels: [chart.along ?? MEASURES[measure], chart.axis],
        across: across(),
        up: up(),
        log,
        curves: visible.map(({ role, main, values }) => joined(table.x, values, log, role, main)),
        names: table.groups.filter((_, g) => shown[g]),
        ...(chart.level && { level: chart.level }),
      };
    },
  };
}

/**
 * A line of a saved picture: where only another line has a place, this one goes on.
 * @param {Float64Array} x
 * @param {Float64Array} values
 * @param {boolean} log
 * @param {string} role
 * @param {boolean} main
 */
function joined(x, values, log, role, main) {
  const y = Float64Array.from(values, (value) => (log ? Math.log10(value) : value));
  return { role, main, x, y };
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
 * @param {{ name: string, role: string, g: number, main: boolean, dashed: boolean }[]} lines
 * @param {object} how
 * @param {boolean[]} how.shown
 * @param {boolean} how.log
 * @param {() => [number, number]} how.up the vertical range
 * @param {import("./decode.js").Measure} how.measure
 * @param {{ width: number, height: number }} how.size
 * @param {string} how.cursors
 * @param {() => import("./decode.js").Chart["level"]} how.level
 * @param {{ onCursor: () => void, onZoom: (first: number, last: number) => void, onReset: () => void }} how.events
 * @returns {import("uplot").Options}
 */
function plotOptions(chart, lines, { shown, log, up, measure, size, cursors, events, level }) {
  const font = `12px ${color("--font")}`;
  const several = new Set(chart.groups.flatMap((group) => group.lines.map((line) => line.axis))).size > 1;
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
        range: () => up(),
      },
    },
    axes: [
      {
        ...common,
        gap: 6,
        size: 26,
        label: chart.along ?? MEASURES[measure],
        labelFont: font,
        labelSize: 16,
        labelGap: 0,
        values: (_, ticks) =>
          ticks.map((x) =>
            chart.along !== undefined || measure === "times" || Number.isInteger(x) ? tickText(x) : "",
          ),
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
    series: [{}, ...lines.map((line) => seriesOf(line, shown[line.g], several))],
    hooks: {
      draw: [(u) => drawLevel(u, level(), log, font)],
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
 * @param {{ name: string, role: string, main: boolean, dashed: boolean }} line
 * @param {boolean} show
 * @param {boolean} several whether gaps come from places that only other lines have
 * @returns {import("uplot").Series}
 */
function seriesOf({ name, role, main, dashed }, show, several) {
  const { width, dash } = strokeOf(role);
  return {
    label: name,
    show,
    spanGaps: several,
    stroke: () => roleColor(role),
    alpha: main ? 1 : 0.55,
    width: main ? width : Math.max(1, 0.6 * width),
    ...(dashed && { dash }),
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
