import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dataSetsOfRows, readHdf5, rowsOfDataSets, writeHdf5 } from "../../src/record/hdf5.ts";
import type { Quantity, StepRow } from "../../src/simulation/rows.ts";
import { findPython } from "../support/python.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hdf5-"));
  path = join(folder, "data.hdf5");
});
afterEach(() => rmSync(folder, { recursive: true }));

const vector = (...data: number[]): Quantity => ({ shape: [data.length], data: Float64Array.from(data) });
const count = (n: number): Quantity => ({ shape: [], data: Float64Array.of(n), integer: true });
const square = (k: number, value: number): Quantity => ({
  shape: [k, k],
  data: new Float64Array(k * k).map((_, i) => value + i),
});

/** Three rows of five planned: eigenvalues come and go, a matrix grows, a count starts late. */
const rows: StepRow[] = [
  {
    index: 0,
    step: 3,
    quantities: { "central/train_loss": 0.5, deltas: vector(), "central/flow_aux/X": square(0, 0) },
  },
  {
    index: 1,
    step: 4,
    quantities: {
      "central/train_loss": -0,
      deltas: vector(1, Infinity),
      "central/flow_aux/X": square(2, 10),
      "central/flow_aux/eig_logs/matvec_count": count(75),
    },
  },
  { index: 2, step: 5, quantities: { deltas: vector(7), "central/flow_aux/X": square(1, 20) } },
];
const plan = { totalSteps: 5, initialStep: 3 };

test("data sets have the largest shape, NaN or 0 elsewhere, and come back from the file", async () => {
  await writeHdf5(path, rows, plan);
  const read = new Map((await readHdf5(path)).map(({ path, shape, data }) => [path, { shape, data }]));
  const N = NaN;
  expect(Object.fromEntries(read)).toEqual({
    step: { shape: [5], data: BigInt64Array.of(3n, 4n, 5n, 6n, 7n) },
    "central/train_loss": { shape: [5], data: Float64Array.of(0.5, -0, N, N, N) },
    deltas: { shape: [5, 2], data: Float64Array.of(N, N, 1, Infinity, 7, N, N, N, N, N) },
    "central/flow_aux/X": {
      shape: [5, 2, 2],
      data: Float64Array.of(N, N, N, N, 10, 11, 12, 13, 20, N, N, N, ...new Array(8).fill(N)),
    },
    "central/flow_aux/eig_logs/matvec_count": { shape: [5], data: BigInt64Array.of(0n, 75n, 0n, 0n, 0n) },
  });
  expect(readdirSync(folder)).toEqual(["data.hdf5"]);
});

test("the authors' reader, h5py, sees the same paths, types, shapes and bits", async (ctx) => {
  const python = findPython("h5py");
  if (!python) return ctx.skip();
  await writeHdf5(path, rows, plan);
  const script = `
import h5py, json, sys
out = {}
def visit(name, node):
    if isinstance(node, h5py.Dataset):
        out[name] = [str(node.dtype), list(node.shape), node[()].tobytes().hex()]
h5py.File(sys.argv[1]).visititems(visit)
print(json.dumps(out))`;
  const seen = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
  const meant = dataSetsOfRows(rows, plan).map(({ path, shape, data }) => [
    path,
    [data instanceof BigInt64Array ? "int64" : "float64", shape, Buffer.from(data.buffer).toString("hex")],
  ]);
  expect(seen).toEqual(Object.fromEntries(meant));
});

test("a run without rows, and a quantity that never has an entry, make a valid file", async () => {
  await writeHdf5(path, [], plan);
  expect((await readHdf5(path)).map(({ path }) => path)).toEqual(["step"]);
  await writeHdf5(path, [rows[0]], plan);
  const deltas = (await readHdf5(path)).find(({ path }) => path === "deltas");
  expect(deltas).toEqual({ path: "deltas", shape: [5, 0], data: new Float64Array(0) });
});

test("a file gives back its rows, padded, without the steps not yet run", async () => {
  await writeHdf5(path, rows, plan);
  const back = rowsOfDataSets(await readHdf5(path));
  expect(back).toHaveLength(3);
  expect(back.map(({ step }) => step)).toEqual([3, 4, 5]);
  expect(back[2].quantities.deltas).toEqual(vector(7, NaN));
  expect(back[1].quantities["central/flow_aux/eig_logs/matvec_count"]).toEqual(count(75));
  await writeHdf5(path, back, plan);
  expect(rowsOfDataSets(await readHdf5(path))).toEqual(back);
});

test("rows that do not fit are refused and the last good file stands", async () => {
  await writeHdf5(path, rows, plan);
  const before = readFileSync(path);
  const odd = (quantity: Quantity): StepRow => ({ index: 3, step: 6, quantities: { deltas: quantity } });
  await expect(writeHdf5(path, [...rows, odd(1)], plan)).rejects.toThrow(/1 axes for deltas, got 0/);
  await expect(writeHdf5(path, rows, { totalSteps: 2, initialStep: 0 })).rejects.toThrow(
    /indices below 2, got 2/,
  );
  const half: StepRow = {
    index: 0,
    step: 0,
    quantities: { n: { shape: [], data: Float64Array.of(0.5), integer: true } },
  };
  await expect(writeHdf5(path, [half], plan)).rejects.toThrow(/integers for n, got 0.5/);
  const clash: StepRow = { index: 0, step: 0, quantities: { central: 1, "central/train_loss": 1 } };
  await expect(writeHdf5(path, [clash], plan)).rejects.toThrow(/a name of its own .*, got central;/);
  const slashes: StepRow = { index: 0, step: 0, quantities: { "central//x": 1 } };
  await expect(writeHdf5(path, [slashes], plan)).rejects.toThrow(/an HDF5 path/);
  expect(readFileSync(path).equals(before)).toBe(true);
  await expect(writeHdf5(join(folder, "absent", "data.hdf5"), rows, plan)).rejects.toThrow(/no such folder/);
});
