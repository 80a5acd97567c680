/** Kernels on blocks of vectors: inner products of all pairs, and combinations. Addresses and strides are in bytes. */
import {
  type Caller,
  type Code,
  type Local,
  loopWhile,
  ModuleWriter,
  type Scope,
} from "../emit/assembler.ts";
import { f64x2, i32, int, v128 } from "../emit/instructions.ts";
import { gain } from "../emit/statements.ts";

/** Runs `body` while at least `count` are left, which it takes off. */
const asLongAs = (left: Local, count: number, body: readonly Code[]): Code =>
  loopWhile(i32.greaterEqual(left.get, int(count)), [...body, left.set(i32.subtract(left.get, int(count)))]);

/**
 * `inner{rows}x{columns}`(x, xStride, y, yStride, out, outStride, n): out_ij = Σ_l x_il·y_jl for a tile of pairs. The sum
 * runs in four parts, l ≡ 0, 1, 2, 3 mod 4, and the last n mod 4 go to the first: (s0 + s1) + (s2 + s3).
 */
function innerTile(module: ModuleWriter, rows: number, columns: number): Caller {
  const name = `inner${rows}x${columns}`;
  return module.function(name, 7, (scope, x, xStride, y, yStride, out, outStride, n) => {
    const sums = scope.locals("v128", 2 * rows * columns);
    const right = scope.locals("v128", columns);
    const left = scope.local("v128");
    const xs = addresses(scope, x, xStride, rows);
    const ys = addresses(scope, y, yStride, columns);
    /** Adds to the sums of one half, from 16·half bytes on. */
    const multiply = (half: number, load: (address: Code, offset: number) => Code): Code[] => [
      ...right.map((one, j) => one.set(load(ys.all[j].get, 16 * half))),
      ...xs.all.flatMap((address, i) => [
        left.set(load(address.get, 16 * half)),
        ...right.map((one, j) => {
          const sum = sums[2 * (i * columns + j) + half];
          return sum.set(f64x2.add(sum.get, f64x2.multiply(left.get, one.get)));
        }),
      ]),
    ];
    const move = (bytes: number): Code[] =>
      [...xs.all, ...ys.all].map((address) => gain(address, int(bytes)));
    const halves = (i: number, j: number): Code => {
      const [a, b] = [sums[2 * (i * columns + j)], sums[2 * (i * columns + j) + 1]];
      const pair = f64x2.add(v128.shuffle(a.get, b.get, 0, 2), v128.shuffle(a.get, b.get, 1, 3));
      return [...left.set(pair), ...left.set(f64x2.add(left.get, v128.shuffle(left.get, left.get, 1, 0)))];
    };
    return [
      ...xs.set,
      ...ys.set,
      ...sums.flatMap((sum) => sum.set(f64x2.constant(0))),
      ...asLongAs(n, 4, [...multiply(0, v128.load), ...multiply(1, v128.load), ...move(32)]),
      ...asLongAs(n, 1, [...multiply(0, v128.loadLow), ...move(8)]),
      ...Array.from({ length: rows }, (_, i) => [
        ...Array.from({ length: columns }, (_, j) => [
          ...halves(i, j),
          ...v128.storeLow(out.get, left.get, 8 * j),
        ]).flat(),
        ...gain(out, outStride.get),
      ]).flat(),
    ];
  });
}

/** Locals for the addresses of `count` vectors that are `stride` apart. */
function addresses(
  scope: Scope,
  first: Local,
  stride: Local,
  count: number,
): { readonly all: readonly Local[]; readonly set: Code } {
  const all = [first, ...scope.locals("i32", count - 1)];
  const set = all.slice(1).flatMap((address, i) => address.set(i32.add(all[i].get, stride.get)));
  return { all, set };
}

/**
 * `combine{terms}x{outputs}`(c, cStride, x, xStride, y, yStride, n): y_j ← y_j + Σ_i c_ji·x_i, four terms as (c0·x0 +
 * c1·x1) + (c2·x2 + c3·x3).
 */
function combineTile(module: ModuleWriter, terms: 1 | 4, outputs: number): Caller {
  const name = `combine${terms}x${outputs}`;
  return module.function(name, 7, (scope, c, cStride, x, xStride, y, yStride, n) => {
    const factors = scope.locals("v128", terms * outputs);
    const inputs = scope.locals("v128", terms);
    const cs = addresses(scope, c, cStride, outputs);
    const xs = addresses(scope, x, xStride, terms);
    const ys = addresses(scope, y, yStride, outputs);
    const product = (j: number, i: number): Code => f64x2.multiply(factors[j * terms + i].get, inputs[i].get);
    const sum = (j: number): Code =>
      terms === 1
        ? product(j, 0)
        : f64x2.add(f64x2.add(product(j, 0), product(j, 1)), f64x2.add(product(j, 2), product(j, 3)));
    const step = (
      load: (address: Code) => Code,
      store: (address: Code, value: Code) => Code,
      bytes: number,
    ): Code[] => [
      ...inputs.map((input, i) => input.set(load(xs.all[i].get))),
      ...ys.all.map((address, j) => store(address.get, f64x2.add(load(address.get), sum(j)))),
      ...[...xs.all, ...ys.all].map((address) => gain(address, int(bytes))),
    ];
    return [
      ...cs.set,
      ...xs.set,
      ...ys.set,
      ...cs.all.flatMap((address, j) =>
        Array.from({ length: terms }, (_, i) =>
          factors[j * terms + i].set(v128.loadSplat(address.get, 8 * i)),
        ).flat(),
      ),
      ...asLongAs(n, 2, step(v128.load, v128.store, 16)),
      ...asLongAs(n, 1, step(v128.loadLow, v128.storeLow, 8)),
    ];
  });
}

/** Steps through `count` vectors `most` at a time as long as that many are left, then one at a time. */
function tiled(count: Local, most: number, tile: (width: number) => readonly Code[]): Code[] {
  return [asLongAs(count, most, tile(most)), ...(most > 1 ? [asLongAs(count, 1, tile(1))] : [])];
}

/**
 * The module of both kernels:
 * `inner`(x, xStride, rows, y, yStride, columns, out, outStride, n), out_ij = ⟨x_i, y_j⟩, and
 * `combine`(c, cStride, x, xStride, terms, y, yStride, outputs, n), y_j ← y_j + Σ_i c_ji·x_i.
 */
export function vectorModule(): ModuleWriter {
  const module = new ModuleWriter();
  const inner = {
    2: { 2: innerTile(module, 2, 2), 1: innerTile(module, 2, 1) },
    1: { 4: innerTile(module, 1, 4), 1: innerTile(module, 1, 1) },
  };
  module.function("inner", 9, (scope, x, xStride, rows, y, yStride, columns, out, outStride, n) => {
    const [right, left, to] = scope.locals("i32", 3);
    const row = (height: 1 | 2, width: 2 | 4): Code[] => {
      const tiles: Readonly<Record<number, Caller>> = inner[height];
      return [
        right.set(y.get),
        left.set(columns.get),
        to.set(out.get),
        ...tiled(left, width, (count) => [
          tiles[count](x.get, xStride.get, right.get, yStride.get, to.get, outStride.get, n.get),
          gain(right, i32.multiply(yStride.get, int(count))),
          gain(to, int(8 * count)),
        ]),
        gain(x, i32.multiply(xStride.get, int(height))),
        gain(out, i32.multiply(outStride.get, int(height))),
      ];
    };
    return [...asLongAs(rows, 2, row(2, 2)), ...asLongAs(rows, 1, row(1, 4))];
  });
  const combine = {
    4: { 2: combineTile(module, 4, 2), 1: combineTile(module, 4, 1) },
    1: { 2: combineTile(module, 1, 2), 1: combineTile(module, 1, 1) },
  };
  module.function("combine", 9, (scope, c, cStride, x, xStride, terms, y, yStride, outputs, n) => {
    const [factor, to, left] = scope.locals("i32", 3);
    const over = (height: 1 | 4): Code[] => {
      const tiles: Readonly<Record<number, Caller>> = combine[height];
      return [
        factor.set(c.get),
        to.set(y.get),
        left.set(outputs.get),
        ...tiled(left, 2, (width) => [
          tiles[width](factor.get, cStride.get, x.get, xStride.get, to.get, yStride.get, n.get),
          gain(factor, i32.multiply(cStride.get, int(width))),
          gain(to, i32.multiply(yStride.get, int(width))),
        ]),
        gain(x, i32.multiply(xStride.get, int(height))),
        gain(c, int(8 * height)),
      ];
    };
    return [...asLongAs(terms, 4, over(4)), ...asLongAs(terms, 1, over(1))];
  });
  return module;
}
