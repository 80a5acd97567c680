import { labelOf, processesIn } from "../processes.ts";
import { columnOf, columnsOf } from "../series.ts";
import type { Path, PlaneChart, Stretch } from "./chart.ts";
import { type ChartSource, delaySentence, TERMS } from "./dynamics-charts.ts";

/** A page holds at most so many stretches of a long run, evenly chosen. */
const MOST_STRETCHES = 40;

/** The paths of the processes in the plane that the run has logged; none if it has not. */
export function planeChart(source: ChartSource): PlaneChart[] {
  const stretches = stretchesOf(source);
  if (stretches.length === 0) return [];
  return [
    {
      kind: "plane",
      id: "plane",
      title: "The path in a plane",
      caption: `The weights seen from above, a stretch of steps at a time. Up and down is the direction in which the
        landscape is sharpest, left to right the one in which training moves on. At the edge of stability the optimizer
        zigzags across the valley and the central flow runs through the middle of its path.${delaySentence(source)}
        The two axes have different scales.`,
      terms: [
        ["Along the top eigenvector", "the eigenvector of P⁻¹H with the largest eigenvalue, of length 1"],
        [
          "Along the slow direction",
          "−P⁻¹∇L without its part along the tracked eigenvectors, of length 1 and at right angles to the other",
        ],
        [
          "Stretch",
          "the steps that share these two directions: those of the central flow at its first step, where also the origin is",
        ],
        TERMS.central,
      ],
      axes: ["along the slow direction", "along the top eigenvector"],
      stretches,
      start: startOf(source, stretches),
      wide: true,
    },
  ];
}

function stretchesOf({ rows }: ChartSource): Stretch[] {
  const logged = columnOf(rows, "plane/row");
  const paths = processesIn(rows).flatMap((process) => {
    const [x, y] = columnsOf(rows, `plane/${process}`);
    return x && y ? [{ label: labelOf(process), role: process, x, y }] : [];
  });
  if (!logged) return [];
  // A file of data sets has 0 for an integer that is not there as well; where there are paths, it is the row 0.
  const chosen = logged.map((row, r) =>
    Number.isNaN(row) && paths.some(({ x }) => !Number.isNaN(x[r])) ? 0 : row,
  );
  const starts = [...new Set(chosen.filter((row) => !Number.isNaN(row)))];
  const stride = Math.ceil(starts.length / MOST_STRETCHES);
  return starts
    .filter((_, i) => i % stride === 0)
    .flatMap((start) => {
      const first = chosen.indexOf(start);
      const last = chosen.lastIndexOf(start);
      const cut = paths.map(
        (path): Path => ({ ...path, x: path.x.slice(first, last + 1), y: path.y.slice(first, last + 1) }),
      );
      return last > first ? [{ first, paths: cut }] : [];
    });
}

/** The first stretch with the most rows at the edge. */
function startOf({ edge }: ChartSource, stretches: readonly Stretch[]): number {
  const counts = stretches.map(({ first, paths }) => {
    const end = first + (paths[0]?.x.length ?? 0);
    return edge?.rows.filter((row) => row >= first && row < end).length ?? 0;
  });
  return Math.max(0, counts.indexOf(Math.max(...counts)));
}
