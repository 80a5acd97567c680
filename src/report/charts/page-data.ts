import type { AnyChart, Line, Stretch } from "./chart.ts";
import type { Axis } from "./dynamics-charts.ts";

/** A run of more rows is thinned for the eye, to about as many columns as a page has pixels. */
const MOST_ROWS = 2000;
const COLUMNS = 1000;

/** Consecutive rows drawn as one column of pixels. */
interface Column {
  readonly first: number;
  readonly end: number;
}

/**
 * The element that carries charts to the page's script: JSON, numbers as base64 of little-endian float64 so that nothing
 * is rounded. Nothing in them can end the element.
 *
 * Of an axis of more than 2000 rows the lines are thinned: of every few rows, as many as share a column of pixels, each
 * line keeps its least and its largest value, in their order; these are float32 where that can hold them. What the eye
 * sees is the same; the numbers themselves are in the run's data.hdf5.
 *
 * @param axes those that the lines of the charts name
 */
export function dataElement(axes: readonly Axis[], charts: readonly AnyChart[], id?: string): string {
  const columns = axes.map(({ steps }) => columnsOf(steps.length));
  const plain = charts
    .map((drawn) => thinned(axes, drawn))
    .map((chart) =>
      chart.kind === "plane"
        ? {
            kind: chart.kind,
            id: chart.id,
            title: chart.title,
            axes: chart.axes,
            start: chart.start,
            stretches: chart.stretches.map(plainStretch),
          }
        : {
            kind: chart.kind,
            id: chart.id,
            title: chart.title,
            axis: chart.axis,
            along: chart.along,
            log: chart.log ?? false,
            level: chart.level,
            family: chart.family,
            groups: chart.groups.map(({ label, role, shown, strays, lines }) => ({
              label,
              role,
              shown,
              strays: strays ?? false,
              lines: lines.map((line) => ({
                name: line.name,
                axis: line.axis ?? 0,
                values: encoded(line.values, columns[line.axis ?? 0] !== undefined),
              })),
            })),
          },
    );
  const placed = axes.map(({ steps, times }, i) => {
    const at = (values: Float64Array) => encoded(columns[i] ? places(values, columns[i]) : values, false);
    return { steps: at(steps), rows: rowsPerColumn(columns[i]), ...(times && { times: at(times) }) };
  });
  const json = JSON.stringify({ axes: placed, charts: plain }).replaceAll("<", "\\u003c");
  return `<script type="application/json" class="run-data"${id === undefined ? "" : ` id="${id}"`}>${json}</script>`;
}

/**
 * A chart with its lines thinned as `dataElement` does it, so that of a long run only one chart at a time has all its numbers.
 * A chart that is thinned already stays as it is.
 */
export function thinned<Kind extends AnyChart>(axes: readonly Axis[], chart: Kind): Kind {
  if (chart.kind === "plane") return chart;
  const columns = axes.map(({ steps }) => columnsOf(steps.length));
  const thin = (line: Line): Line => {
    const axis = line.axis ?? 0;
    const chosen = columns[axis];
    if (!chosen || line.values.length !== axes[axis].steps.length) return line;
    return { ...line, values: extremes(line.values, chosen) };
  };
  return { ...chart, groups: chart.groups.map((each) => ({ ...each, lines: each.lines.map(thin) })) };
}

/** Whether a run of so many rows is thinned. */
export const isThinned = (rows: number): boolean => rows > MOST_ROWS;

/** The columns of a thinned axis; undefined where every row is kept. */
function columnsOf(rows: number): readonly Column[] | undefined {
  if (!isThinned(rows)) return undefined;
  return Array.from({ length: COLUMNS }, (_, i) => ({
    first: Math.floor((i * rows) / COLUMNS),
    end: Math.floor(((i + 1) * rows) / COLUMNS),
  }));
}

/** How many rows share a column, at most; 1 where none do. */
const rowsPerColumn = (columns: readonly Column[] | undefined): number =>
  columns === undefined ? 1 : Math.max(...columns.map(({ first, end }) => end - first));

/** Two places a column: its first row's and its middle row's. */
const places = (values: Float64Array, columns: readonly Column[]): Float64Array =>
  Float64Array.from(columns.flatMap(({ first, end }) => [values[first], values[(first + end) >> 1]]));

/** Least and largest value of each column in the order in which they occur; NaN twice where there is none. */
function extremes(values: Float64Array, columns: readonly Column[]): Float64Array {
  const out = new Float64Array(2 * columns.length);
  columns.forEach(({ first, end }, i) => {
    let least = -1;
    let largest = -1;
    for (let r = first; r < end; r++) {
      if (Number.isNaN(values[r])) continue;
      if (least < 0 || values[r] < values[least]) least = r;
      if (largest < 0 || values[r] > values[largest]) largest = r;
    }
    out[2 * i] = least < 0 ? Number.NaN : values[Math.min(least, largest)];
    out[2 * i + 1] = least < 0 ? Number.NaN : values[Math.max(least, largest)];
  });
  return out;
}

const plainStretch = ({ first, paths }: Stretch) => ({
  first,
  paths: paths.map(({ label, role, x, y }) => ({ label, role, x: encoded(x, false), y: encoded(y, false) })),
});

/** Base64 of little-endian numbers; float32, marked by a leading ~, where that is allowed and no number is lost in it. */
function encoded(values: Float64Array, single: boolean): string {
  const fits =
    single && values.every((x) => Number.isNaN(x) || x === 0 || (Math.abs(x) > 1e-37 && Math.abs(x) < 1e38));
  const width = fits ? 4 : 8;
  const bytes = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((x, i) => {
    if (fits) bytes.setFloat32(4 * i, x, true);
    else bytes.setFloat64(8 * i, x, true);
  });
  return `${fits ? "~" : ""}${base64(new Uint8Array(bytes.buffer))}`;
}

/** Bytes that become characters at once. */
const PIECE = 0x6000;

function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE)
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE))));
  return pieces.join("");
}
