import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dataSetsOfRows, extentsOf } from "../../src/record/columns.ts";
import { LiveHdf5, writeHdf5 } from "../../src/record/hdf5.ts";
import { readHdf5, readStoredRows } from "../../src/record/hdf5-read.ts";
import { type Quantity, rowDifference, type StepRow } from "../../src/simulation/rows.ts";
import { findPython } from "../support/python.ts";
import { plainRow } from "./rows.ts";

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

/** Three rows: eigenvalues come and go, a matrix grows, a count starts late. */
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
const write = (to: string, those: readonly StepRow[]): Promise<void> =>
  writeHdf5(to, extentsOf(those), { rowCount: those.length, rows: () => those });

test("data sets have the largest shape, NaN or 0 elsewhere, and come back from the file", async () => {
  await write(path, rows);
  const read = new Map((await readHdf5(path)).map(({ path, shape, data }) => [path, { shape, data }]));
  const N = NaN;
  expect(Object.fromEntries(read)).toEqual({
    step: { shape: [3], data: BigInt64Array.of(3n, 4n, 5n) },
    "central/train_loss": { shape: [3], data: Float64Array.of(0.5, -0, N) },
    deltas: { shape: [3, 2], data: Float64Array.of(N, N, 1, Infinity, 7, N) },
    "central/flow_aux/X": {
      shape: [3, 2, 2],
      data: Float64Array.of(N, N, N, N, 10, 11, 12, 13, 20, N, N, N),
    },
    "central/flow_aux/eig_logs/matvec_count": { shape: [3], data: BigInt64Array.of(0n, 75n, 0n) },
  });
  expect(readdirSync(folder)).toEqual(["data.hdf5"]);
});

test("the authors' reader, h5py, sees the same paths, types, shapes and bits", async (ctx) => {
  const python = findPython("h5py");
  if (!python) return ctx.skip();
  await write(path, rows);
  const script = `
import h5py, json, sys
out = {}
def visit(name, node):
    if isinstance(node, h5py.Dataset):
        out[name] = [str(node.dtype), list(node.shape), node[()].tobytes().hex()]
h5py.File(sys.argv[1]).visititems(visit)
print(json.dumps(out))`;
  const seen = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
  const meant = dataSetsOfRows(rows).map(({ path, shape, data }) => [
    path,
    [data instanceof BigInt64Array ? "int64" : "float64", shape, Buffer.from(data.buffer).toString("hex")],
  ]);
  expect(seen).toEqual(Object.fromEntries(meant));
});

test("a run without rows, and a quantity that never has an entry, make a valid file", async () => {
  await write(path, []);
  expect((await readHdf5(path)).map(({ path }) => path)).toEqual(["step"]);
  await write(path, [rows[0]]);
  const deltas = (await readHdf5(path)).find(({ path }) => path === "deltas");
  expect(deltas).toEqual({ path: "deltas", shape: [1, 0], data: new Float64Array(0) });
});

test("a file gives back its rows, any stretch of them, as far as padding allows", async () => {
  await write(path, rows);
  const { rowCount, rows: stored } = await readStoredRows(path);
  expect(rowCount).toBe(3);
  const back = [...stored()];
  expect(back.map(({ step }) => step)).toEqual([3, 4, 5]);
  back.forEach((row, i) => {
    expect(rowDifference(rows[i], row)).toBeUndefined();
  });
  expect(back[2].quantities.deltas).toEqual(vector(7));
  expect(back[1].quantities["central/flow_aux/eig_logs/matvec_count"]).toEqual(count(75));
  expect([...stored(1, 2)]).toEqual([back[1]]);
});

test("a file that grows row by row holds what was written, is readable meanwhile, and compact at the end", async () => {
  const many = Array.from({ length: 700 }, (_, i) => ({ ...plainRow(i), index: i }));
  many[300].quantities = { ...many[300].quantities, late: vector(1, 2, 3) };
  const live = await LiveHdf5.load(path);
  const extents = extentsOf([]);
  let read = 0;
  for (let done = 0; done < many.length; ) {
    const block = many.slice(done, done + 37);
    for (const row of block) extents.add(row);
    done += block.length;
    for (const row of block) live.add(extents, row);
    live.update(extents, { rowCount: done, rows: () => many.slice(0, done) });
    if (done % 10 !== 0) continue;
    const copy = join(folder, "copy.hdf5");
    copyFileSync(path, copy);
    const python = findPython("h5py");
    if (!python) continue;
    const script =
      'import h5py,sys\nf=h5py.File(sys.argv[1],"r",swmr=True)\nprint(f["step"].shape[0],f["central/train_loss"][-1])';
    const [length, last] = execFileSync(python, ["-c", script, copy], { encoding: "utf8" }).split(" ");
    expect(Number(length)).toBe(done);
    expect(Number(last)).toBe(1 / done);
    read++;
  }
  live.finish(extents, { rowCount: many.length, rows: () => many });
  live.close();
  if (findPython("h5py")) expect(read).toBeGreaterThan(0);
  const back = [...(await readStoredRows(path)).rows()];
  expect(back).toHaveLength(many.length);
  many.forEach((row, i) => {
    expect(rowDifference(row, back[i])).toBeUndefined();
  });
});

test("rows that do not fit are refused and the last good file stands", async () => {
  await write(path, rows);
  const before = readFileSync(path);
  const odd = (quantity: Quantity): StepRow => ({ index: 3, step: 6, quantities: { deltas: quantity } });
  expect(() => extentsOf([...rows, odd(1)])).toThrow(/1 axes for deltas, got 0/);
  const half: StepRow = {
    index: 0,
    step: 0,
    quantities: { n: { shape: [], data: Float64Array.of(0.5), integer: true } },
  };
  await expect(write(path, [half])).rejects.toThrow(/integers for n, got 0.5/);
  const clash: StepRow = { index: 0, step: 0, quantities: { central: 1, "central/train_loss": 1 } };
  expect(() => extentsOf([clash])).toThrow(/a name of its own .*, got central\/train_loss;/);
  const slashes: StepRow = { index: 0, step: 0, quantities: { "central//x": 1 } };
  expect(() => extentsOf([slashes])).toThrow(/an HDF5 path/);
  const fewer = { rowCount: 3, rows: () => rows.slice(0, 2) };
  await expect(writeHdf5(path, extentsOf(rows), fewer)).rejects.toThrow(/read back/);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(["data.hdf5"]);
  await expect(write(join(folder, "absent", "data.hdf5"), rows)).rejects.toThrow();
});
