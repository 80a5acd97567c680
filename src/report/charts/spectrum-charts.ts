import type { CurvatureAt, DensityCurve, MatrixName, Spectrum } from "../../analysis/index.ts";
import { type Chart, chart, type Group, group, type Role } from "./chart.ts";

/** H, its Gauss–Newton part and the rest: letter, words and colour. */
export const MATRIX_LABELS: Readonly<
  Record<MatrixName, { readonly letter: string; readonly label: string; readonly role: Role }>
> = {
  hessian: { letter: "H", label: "Hessian H", role: "run-0" },
  "gauss-newton": { letter: "G", label: "Gauss–Newton G", role: "run-1" },
  residual: { letter: "S", label: "rest S = H − G", role: "run-2" },
};

/** Densities below this fraction of the largest are not drawn: a logarithmic axis would show little else. */
const LEAST = 1e-6;

/** One chart per spectrum: the density over its own range, with its error bars. The lines of spectrum i stand on axis i. */
export function densityCharts(spectra: readonly Spectrum[], curves: readonly DensityCurve[]): Chart[] {
  return spectra.flatMap(({ matrix, block, density }, axis) => {
    const { values, errors } = curves[axis];
    const { label, role } = MATRIX_LABELS[matrix];
    const floor = LEAST * Math.max(...values);
    const shown = (sign: number): Float64Array =>
      values.map((value, i) => (value + sign * errors[i] > floor ? value + sign * errors[i] : Number.NaN));
    const lines = [
      { name: "density", values: shown(0), axis },
      { name: "density less a standard error", values: shown(-1), axis },
      { name: "density and a standard error", values: shown(1), axis },
    ];
    return chart({
      id: `density-${axis}`,
      title: `${label}, ${block.name}`,
      caption: "",
      axis: "density",
      along: "eigenvalue",
      log: true,
      groups: group(`density and error bars, ${density.probes.length} probes`, role, lines),
    });
  });
}

/** The ends and the trace of the spectra of one block along the points of a run: lines on axis 0, one entry per point. */
export function alongCharts(points: readonly CurvatureAt[], block: string): Chart[] {
  const groups = (pick: (spectrum: Spectrum) => readonly number[], names: readonly string[]): Group[] =>
    (Object.keys(MATRIX_LABELS) as MatrixName[]).flatMap((matrix) => {
      const found = points.map(({ spectra }) =>
        spectra.find((each) => each.matrix === matrix && each.block.name === block),
      );
      if (found.every((each) => each === undefined)) return [];
      const values = found.map((each) => (each ? pick(each) : []));
      const { letter, label, role } = MATRIX_LABELS[matrix];
      const width = Math.max(...values.map((row) => row.length));
      const lines = Array.from({ length: width }, (_, i) => ({
        name: `${letter} ${names[Math.min(i, names.length - 1)]}${i >= names.length ? ` ${i}` : ""}`,
        values: Float64Array.from(values, (row) => row[i] ?? Number.NaN),
      }));
      return group(label, role, lines);
    });
  return [
    ...chart({
      id: "largest",
      title: "Largest eigenvalues",
      caption: "",
      axis: "eigenvalue",
      groups: groups(({ largest }) => [...largest.values], ["largest"]),
    }),
    ...chart({
      id: "smallest",
      title: "Most negative eigenvalues",
      caption: "",
      axis: "eigenvalue",
      groups: groups(({ smallest }) => [...smallest.values], ["smallest"]),
    }),
    ...chart({
      id: "trace",
      title: "Trace with error bars",
      caption: "",
      axis: "trace",
      groups: groups(
        ({ trace: { value, error } }) => [value, value - error, value + error],
        ["trace", "trace less a standard error", "trace and a standard error"],
      ),
    }),
  ];
}
