/** Many runs in one HDF5 file: scalars of all, stacked [runs, steps], and what tells the runs apart as coordinates. */
import type * as H5 from "h5wasm/node";
import { moveInto, removeIfThere, temporaryBeside } from "./files.ts";
import { FORMAT, groupAt, type Library, library } from "./hdf5-read.ts";

/** Steps of a run that are compressed together. */
const CHUNK = 8192;

/** The numbers of a run. */
export interface StackedRun {
  /** Optimizer steps taken before each row. */
  readonly steps: Float64Array;
  /** The columns of a quantity, one number per row, NaN where a row has none; of a scalar one, or none if no row has it. */
  readonly columns: (path: string) => readonly Float64Array[];
}

/** Runs to be stacked. */
export interface RunStack {
  /** By path, one value per run: numbers or words. */
  readonly coordinates: Readonly<Record<string, readonly number[] | readonly string[]>>;
  /** Paths of the scalars. */
  readonly scalars: readonly string[];
  /** The greatest number of rows of a run. */
  readonly steps: number;
  /** The numbers of each run in the order of the coordinates. One is asked at a time. */
  readonly runs: AsyncIterable<StackedRun>;
}

/**
 * Writes runs to one file, all or nothing: `step` and every scalar as [runs, steps] in float64, NaN where a run has no row
 * or a row no value.
 */
export async function writeStack(
  path: string,
  { coordinates, scalars, steps, runs }: RunStack,
): Promise<void> {
  const h5 = await library();
  const temporary = temporaryBeside(path);
  try {
    const file = new h5.File(temporary, "x", { libver: [...FORMAT] });
    try {
      const groups = new Map<string, H5.Group>([["", file]]);
      for (const [name, values] of Object.entries(coordinates)) writeCoordinate(groups, name, values);
      const names = ["step", ...scalars];
      const sets = names.map((name) => createStack(h5, file, groups, name, steps));
      let run = 0;
      for await (const stacked of runs) {
        const values = valuesOf(stacked, scalars, steps);
        for (const [i, set] of sets.entries()) {
          set.resize([run + 1, steps]);
          if (steps > 0)
            set.write_slice(
              [
                [run, run + 1],
                [0, steps],
              ],
              values[i],
            );
        }
        run++;
      }
    } finally {
      file.close();
    }
    moveInto(temporary, path);
  } finally {
    removeIfThere(temporary);
  }
}

function split(groups: Map<string, H5.Group>, path: string): [H5.Group, string] {
  const slash = path.lastIndexOf("/");
  return [groupAt(groups, path.slice(0, Math.max(slash, 0))), path.slice(slash + 1)];
}

function writeCoordinate(
  groups: Map<string, H5.Group>,
  path: string,
  values: readonly number[] | readonly string[],
): void {
  const [group, name] = split(groups, path);
  const shape = [values.length];
  if (values.every((value) => typeof value === "number"))
    group.create_dataset({ name, data: Float64Array.from(values as readonly number[]), shape, dtype: "<d" });
  else group.create_dataset({ name, data: values.map(String), shape, dtype: "S" });
}

function createStack(
  h5: Library,
  file: H5.File,
  groups: Map<string, H5.Group>,
  path: string,
  steps: number,
): H5.Dataset {
  const [group, name] = split(groups, path);
  group.create_dataset({
    name,
    data: new Float64Array(0),
    shape: [0, steps],
    maxshape: [null, null],
    chunks: [1, Math.max(1, Math.min(steps, CHUNK))],
    dtype: "<d",
    compression: 4,
  });
  const found = file.get(path);
  if (!(found instanceof h5.Dataset)) throw new Error(`expected a data set at ${path}, got none`);
  return found;
}

/** The steps of a run and its scalars, each filled up with NaN. */
function valuesOf(run: StackedRun, scalars: readonly string[], length: number): Float64Array[] {
  const filled = (column: Float64Array | undefined): Float64Array => {
    const values = new Float64Array(length).fill(Number.NaN);
    if (column) values.set(column.subarray(0, length));
    return values;
  };
  return [filled(run.steps), ...scalars.map((path) => filled(run.columns(path)[0]))];
}
