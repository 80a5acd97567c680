import type { CurvatureAt, DensityCurve, MatrixName } from "../../analysis/index.ts";
import { alongCharts, densityCharts, MATRIX_LABELS } from "../charts/spectrum-charts.ts";
import { formatNumber } from "../format.ts";
import { type Panel, renderRuns } from "./runs-page.ts";
import type { Table } from "./table.ts";

/** The curvature at one place: a step of a run, or weights that were given. */
export interface AnalysedPoint extends CurvatureAt {
  /** Such as `step 60`. */
  readonly name: string;
  /** The optimizer's steps so far; 0 for given weights. */
  readonly step: number;
  /** One per spectrum. */
  readonly curves: readonly DensityCurve[];
}

/** What was analysed. */
export interface Analysis {
  /** Whose weights, in a few words. */
  readonly title: string;
  readonly points: readonly AnalysedPoint[];
  /** c, the edge of stability, if the matrices are preconditioned by the optimizer's P. */
  readonly edge?: number;
  /** One line on machine and engine. */
  readonly environment: string;
}

const PLUS_MINUS = "±";

/** One line per point and block: ends and trace of each matrix. */
export function spectrumTable({ points }: Pick<Analysis, "points">): Table {
  const [{ spectra }] = points;
  const matrices = [...new Set(spectra.map(({ matrix }) => matrix))];
  const blocks = [...new Set(spectra.map(({ block }) => block.name))];
  const titles = (matrix: MatrixName): string[] => {
    const { letter } = MATRIX_LABELS[matrix];
    return [`${letter} largest`, `${letter} smallest`, `tr ${letter}`, PLUS_MINUS];
  };
  return {
    label: "Table of spectra",
    first: "At",
    columns: [
      { title: "Block", words: true },
      ...["Weights", "Loss", ...matrices.flatMap(titles)].map((title) => ({ title })),
    ],
    rows: points.flatMap(({ name, loss, spectra }) =>
      blocks.map((block) => {
        const own = spectra.filter((each) => each.block.name === block);
        const numbers = own.flatMap(({ largest, smallest, trace }) => [
          largest.values[0],
          smallest.values[0],
          trace.value,
          trace.error,
        ]);
        return {
          name,
          cells: [block, String(own[0].block.size), formatNumber(loss), ...numbers.map(formatNumber)],
        };
      }),
    ),
  };
}

/** The eigenvalues at one point, each with its residual, by block and matrix. */
export function eigenvalueTable({ name, spectra }: AnalysedPoint): Table {
  return {
    label: `Table of eigenvalues at ${name}`,
    first: "Matrix",
    columns: [
      { title: "Block", words: true },
      { title: "End", words: true },
      { title: "Eigenvalue" },
      { title: "Residual" },
    ],
    rows: spectra.flatMap(({ matrix, block, largest, smallest }) =>
      [{ end: "largest", ...largest } as const, { end: "smallest", ...smallest } as const].flatMap(
        ({ end, values, residuals }) =>
          Array.from(values, (value, i) => ({
            name: MATRIX_LABELS[matrix].letter,
            cells: [block.name, end, formatNumber(value), residuals[i].toExponential(1).replace("-", "−")],
          })),
      ),
    ),
  };
}

/** The same, a line per end: its values side by side, and the largest residual. */
function endsTable({ name, spectra }: AnalysedPoint): Table {
  const most = Math.max(
    ...spectra.flatMap(({ largest, smallest }) => [largest.values.length, smallest.values.length]),
  );
  return {
    label: `Table of eigenvalues at ${name}`,
    first: "Matrix",
    columns: [
      { title: "Block", words: true },
      { title: "End", words: true },
      ...Array.from({ length: most }, (_, i) => ({ title: String(i + 1) })),
      { title: "Residuals up to" },
    ],
    rows: spectra.flatMap(({ matrix, block, largest, smallest }) =>
      [{ end: "largest", ...largest } as const, { end: "smallest", ...smallest } as const].map(
        ({ end, values, residuals }) => ({
          name: MATRIX_LABELS[matrix].letter,
          cells: [
            block.name,
            end,
            ...Array.from({ length: most }, (_, i) => formatNumber(values[i])),
            values.length === 0
              ? "–"
              : Math.max(...residuals)
                  .toExponential(1)
                  .replace("-", "−"),
          ],
        }),
      ),
    ),
  };
}

/** Renders spectra as one HTML page: a table of them all, their way along a run, then each point's densities and eigenvalues. */
export function renderSpectra(analysis: Analysis): string {
  const { title, points, edge, environment } = analysis;
  const blocks = [...new Set(points[0].spectra.map(({ block }) => block.name))];
  const along: Panel[] =
    points.length < 2
      ? []
      : blocks.map((block, i) => ({
          id: `along-${i}`,
          title: `Along the run: ${block}`,
          axes: [{ steps: Float64Array.from(points, ({ step }) => step) }],
          charts: alongCharts(points, block),
          small: 3,
        }));
  const each = points.map(
    (point, i): Panel => ({
      id: `point-${i}`,
      title: `Spectrum at ${point.name}`,
      note: `Loss ${formatNumber(point.loss)}, gradient norm ${formatNumber(point.gradientNorm)}`,
      numbers: endsTable(point),
      axes: point.curves.map(({ places }) => ({ steps: places })),
      charts: densityCharts(point.spectra, point.curves),
      small: new Set(point.spectra.map(({ matrix }) => matrix)).size,
    }),
  );
  const whose = edge === undefined ? "" : ` of P⁻¹H, whose edge of stability is ${formatNumber(edge)}`;
  return renderRuns({
    name: "Spectrum",
    kicker: "Spectrum of the Hessian",
    heading: title,
    environment,
    lede: `Both ends, trace and density${whose}; over all examples.`,
    table: spectrumTable(analysis),
    note: `H is the Hessian of the training loss, G its Gauss–Newton part JᵀH_cJ, S = H − G. Traces are by Hutch++, densities by
stochastic Lanczos quadrature, smoothed by a hundredth of their range, per unit of eigenvalue and of integral 1; ± and error bars are
one standard error. Eigenvalues at the ends have residuals of at most 10⁻¹¹ of the largest. A value at step t is of the weights after t steps.`,
    sections: [{ panels: along }, { panels: each }],
  });
}
