import type { Quantity } from "../simulation/index.ts";
import type { CurvatureAt, SpectrumEnd } from "./spectrum.ts";

const vector = (data: Float64Array): Quantity => ({ shape: [data.length], data });

/** The nodes and weights of all probes, NaN where one has fewer. */
function probesOf(rows: readonly Float64Array[]): Quantity {
  const width = Math.max(0, ...rows.map((row) => row.length));
  const data = new Float64Array(rows.length * width).fill(Number.NaN);
  rows.forEach((row, i) => {
    data.set(row, i * width);
  });
  return { shape: [rows.length, width], data };
}

/**
 * The curvature at some weights as quantities of an HDF5 file, by paths MATRIX/BLOCK/…: `largest`, `smallest`, their
 * `_residuals` and `_vectors` [pairs, weights of the block], `trace` and `trace_error`, and the density's `density_nodes` and
 * `density_weights` [probes, nodes]; `loss` and `gradient_norm` beside them. A blank in a name is an underscore.
 */
export function spectrumQuantities({ loss, gradientNorm, spectra }: CurvatureAt): Record<string, Quantity> {
  const quantities: Record<string, Quantity> = { loss, gradient_norm: gradientNorm };
  for (const { matrix, block, largest, smallest, trace, density } of spectra) {
    const at = (name: string): string => `${matrix}/${block.name.replaceAll(/[\s/]/g, "_")}/${name}`;
    const addEnd = (name: string, { values, vectors, residuals }: SpectrumEnd): void => {
      quantities[at(name)] = vector(values);
      quantities[at(`${name}_residuals`)] = vector(residuals);
      quantities[at(`${name}_vectors`)] = { shape: [values.length, block.size], data: vectors };
    };
    addEnd("largest", largest);
    addEnd("smallest", smallest);
    quantities[at("trace")] = trace.value;
    quantities[at("trace_error")] = trace.error;
    quantities[at("density_nodes")] = probesOf(density.probes.map(({ nodes }) => nodes));
    quantities[at("density_weights")] = probesOf(density.probes.map(({ weights }) => weights));
  }
  return quantities;
}
