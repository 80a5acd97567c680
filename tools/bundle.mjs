// One file of a module and all that it imports, smaller than its sources: what a page loads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

/** Tables of at least so many numbers are packed. */
const PACKED = 64;

/**
 * Bundles and minifies one entry.
 *
 * @param {string} entry path of a module
 * @param {{ format?: "esm" | "iife", banner?: string, sourcemap?: boolean, file?: string, plugins?: import("rolldown").Plugin[], without?: (path: string, code: string) => string | undefined }} options
 *   `file` is where the result is to stand, from which its source map names the sources; nothing is written. `without`
 *   gives a module's text without what it is to lose
 * @returns {Promise<{ code: string, map: string | undefined, modules: string[] }>} `modules` are the paths of what is in it
 */
export async function bundle(
  entry,
  { format = "esm", banner = "", sourcemap = false, file = entry, plugins = [], without } = {},
) {
  const packing = {
    name: "pack-tables",
    transform: { filter: { id: /\.ts$/ }, handler: (code) => packedTables(code) },
  };
  const leaving = { name: "leave-out", transform: (code, id) => without?.(id, code) };
  const all = [leaving, packing, ...plugins];
  const build = await rolldown({ input: entry, plugins: all, logLevel: "silent" });
  try {
    const { output } = await build.generate({ format, minify: true, sourcemap, banner, file });
    const [chunk, ...others] = output.filter(({ type }) => type === "chunk");
    if (others.length > 0) throw new Error(`bundle: expected one file of ${entry}, got ${1 + others.length}`);
    if (chunk.map) chunk.map.sourcesContent = undefined;
    const map = chunk.map ? JSON.stringify(chunk.map) : undefined;
    return { code: chunk.code, map, modules: chunk.moduleIds };
  } finally {
    await build.close();
  }
}

/**
 * What a page does without, by the layer whose index exports it: checks of rules, which are for who writes one, examples with
 * known answers, and solvers for analyses and command-line runs, which no flow needs. `central-flows` and its subpaths have them.
 */
const LEFT_OUT = {
  flows: /^\.\/(rules\/checks\/|edge-examples|rivals\/)/,
  linalg: /\/(derivative|row-space|spectral-density|trace|margin)\.[tj]s$/,
};

/** What stands for a module that only saves time, where a file is to be small: products of few rows take the way of all. */
export function withoutShortcuts(path) {
  return /[/\\]wasm[/\\]dense[/\\]small\.ts$/.test(path)
    ? "export const smallProductCall = () => undefined;"
    : undefined;
}

/** Models that are there to be compared with: no page is small with them. */
const RIVALS = /[/\\]src[/\\]flows[/\\]rivals[/\\](edge-flow|rod|two-step)\.ts$/;

/** What takes the place of the rivals in a page; undefined for any other module. @param {string} place named in refusals */
export function withoutRivals(place, path, text) {
  return RIVALS.test(path)
    ? refusing(text, `${place} has no rival flows: take the package or the command line`)
    : undefined;
}

/** A module whose functions and classes refuse to be called, with a sentence. */
export function refusing(text, sentence) {
  const names = [...text.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map(
    ([, name]) => name,
  );
  return `function refuse() { throw new Error(${JSON.stringify(sentence)}); }
export { ${names.map((name) => `refuse as ${name}`).join(", ")} };`;
}

/**
 * The index of a layer, as source or as declarations, without what min.js does without, and what stands for modules that it
 * loses; undefined for any other file.
 */
export function withoutLeftOut(path, text) {
  const other = withoutShortcuts(path) ?? withoutRivals("central-flows/min", path, text);
  if (other !== undefined) return other;
  const [, layer] = /[/\\](\w+)[/\\]index(?:\.d)?\.ts$/.exec(path) ?? [];
  const left = LEFT_OUT[layer];
  if (!left) return undefined;
  return text.replace(/^export (?:type )?\{[^}]*\} from "([^"]+)";\n/gm, (whole, from) =>
    left.test(from) ? "" : whole,
  );
}

/** Bytes of a text or a file, gzipped as servers do at best. */
export const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/**
 * A module with its long tables of doubles in less room: two are computed as it loads, which takes some milliseconds; the
 * numbers of the others are text that compresses better than decimals, 6.9 bytes a number in place of 9.4. All to the same
 * bits.
 *
 * @param {string} code
 * @returns {string | undefined} undefined where there is no such table
 */
export function packedTables(code) {
  const needed = new Set();
  const packed = code.replace(/(\w+) = new Float64Array\(\[([\s\d.,eE+-]*)\]\)/g, (whole, name, list) => {
    const numbers = list.split(",").flatMap((word) => (word.trim() === "" ? [] : [Number(word)]));
    if (numbers.length < PACKED) return whole;
    const compute = COMPUTED[name];
    if (compute && sameBits(compute(), numbers)) {
      needed.add(compute);
      return `${name} = ${compute.name}()`;
    }
    needed.add(unpacked);
    const [text, columns] = packedBest(numbers);
    return `${name} = unpacked("${text}", ${columns})`;
  });
  return needed.size > 0 ? [packed, ...needed].join("\n") : undefined;
}

const sameBits = (a, b) => a.length === b.length && a.every((entry, i) => Object.is(entry, b[i]));

/** EXP_TABLE of base/elementary/tables.ts: 2^(j/128) as the double nearest to it and the rest, by fixed point with 192 bits. */
function exponentials() {
  const bits = 192n;
  let root = 2n << bits;
  for (let i = 0; i < 7; i++) {
    // The whole square root, by Newton's method from above.
    const square = root << bits;
    for (let next = root; ; root = next) {
      next = (root + square / root) >> 1n;
      if (next >= root) break;
    }
  }
  const table = [];
  for (let power = 1n << bits; table.length < 256; power = (power * root) >> bits) {
    const high = Number(power) * 2 ** -192;
    table.push(high, Number(power - BigInt(high * 2 ** 192)) * 2 ** -192);
  }
  return Float64Array.from(table);
}

/**
 * LOG_TABLE of the same file: for 128 intervals, 2⁻⁷ of an octave's leading bits long, ρ near the middle's inverse in
 * multiples of 2⁻¹², and −log ρ as a multiple of 2⁻⁴² and the rest, by the series of the area tangent.
 */
function logarithms() {
  const bits = 192n;
  const view = new DataView(new ArrayBuffer(8));
  const from = (high) => {
    view.setUint32(0, high);
    return view.getFloat64(0);
  };
  const table = [];
  for (let word = 0x3fe61000; table.length < 384; word += 8192) {
    const [low, high] = [from(word), from(word + 8192)];
    const reciprocal = low < 1 && high > 1 ? 4096 : Math.round(8192 / (low + high));
    const step = (BigInt(4096 - reciprocal) << bits) / BigInt(4096 + reciprocal);
    let [sum, power] = [0n, step];
    for (let n = 1n; power !== 0n; n += 2n, power = (((power * step) >> bits) * step) >> bits)
      sum += (2n * power) / n;
    const head = Math.round(Number(sum) * 2 ** -150) * 2 ** -42;
    table.push(reciprocal / 4096, head, Number(sum - BigInt(head * 2 ** 192)) * 2 ** -192);
  }
  return Float64Array.from(table);
}

/** Tables that are computed, each with what computes it. Where the bits are others, the table is packed. */
const COMPUTED = { EXP_TABLE: exponentials, LOG_TABLE: logarithms };

/** The text of numbers by the number of columns, of those that divide them, for which it is the shortest compressed. */
function packedBest(numbers) {
  const columns = Array.from({ length: 16 }, (_, i) => i + 1).filter((count) => numbers.length % count === 0);
  const texts = columns.map((count) => [packed(numbers, count), count]);
  const size = ([text]) => deflateRawSync(text, { level: 9 }).length;
  return texts.reduce((best, text) => (size(text) < size(best) ? text : best));
}

/**
 * Eleven characters a number, of 6 bits each: two for sign and exponent, nine for the mantissa. All first characters
 * come first, and so on, each in the order of columns, whose exponents are alike.
 */
function packed(numbers, columns) {
  const rows = numbers.length / columns;
  const view = new DataView(new ArrayBuffer(8));
  const places = Array.from({ length: 11 }, () => "");
  for (let i = 0; i < numbers.length; i++) {
    view.setFloat64(0, numbers[(i % rows) * columns + Math.floor(i / rows)]);
    const high = view.getUint32(0);
    let mantissa = (high % 2 ** 20) * 2 ** 32 + view.getUint32(4);
    let exponent = high >>> 20;
    for (let place = 10; place >= 0; place--) {
      const digit = (place < 2 ? exponent : mantissa) % 64;
      places[place] += digit === 44 ? "~" : String.fromCharCode(48 + digit);
      if (place < 2) exponent = Math.floor(exponent / 64);
      else mantissa = Math.floor(mantissa / 64);
    }
  }
  return places.join("");
}

/** Undoes `packed`; its text goes into the bundle. */
function unpacked(text, columns) {
  const count = text.length / 11;
  const rows = count / columns;
  const view = new DataView(new ArrayBuffer(8));
  return Float64Array.from({ length: count }, (_, at) => {
    const i = Math.floor(at / columns) + (at % columns) * rows;
    const digits = (from, to) => {
      let value = 0;
      for (let place = from; place < to; place++) {
        const character = text.charCodeAt(place * count + i);
        value = 64 * value + (character === 126 ? 44 : character - 48);
      }
      return value;
    };
    const mantissa = digits(2, 11);
    view.setUint32(0, digits(0, 2) * 2 ** 20 + Math.floor(mantissa / 2 ** 32));
    view.setUint32(4, mantissa % 2 ** 32);
    return view.getFloat64(0);
  });
}

/** The version and licence of the package in a folder, for the head of what is made of it. */
export function noticeOf(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const licence = readFileSync(join(folder, "LICENSE"), "utf8").trim();
  return `/*!\n${name} ${version}\n\n${licence}\n*/`;
}
