import { sizeOf, valueError } from "../base/index.ts";
import { isSafetensors, openNpz, openSafetensors } from "../data/index.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

/** An array of which the shape is known before its elements are read. */
interface Lazy {
  readonly shape: readonly number[];
  elements(): Float64Array;
}

/** The arrays of a file by name. */
interface NamedArrays {
  keys(): Iterable<string>;
  has(name: string): boolean;
  get(name: string): Lazy | undefined;
}

/** Weights from a file, and what is worth saying of it. */
export interface WeightsFromFile {
  /** One flat vector, the parameters one after the other in the network's order, each in C order. */
  readonly weights: Float64Array;
  readonly notice: string | undefined;
}

/** What there may be in a file of weights. */
const FORMATS = "an .npz or .safetensors file";
/** As many names are told at most; a wrong file has all of them wrong. */
const MOST_TOLD = 4;

/**
 * Weights of a network from an .npz or .safetensors file, whichever its bytes are: a flat array `w0` or `w`, or else
 * every parameter by its name in its shape, as a PyTorch state dict has them. Nothing is transposed, reshaped or left at
 * its initial value; arrays by other names are left aside, which the notice says.
 *
 * @param path names the file in errors
 * @param parameters the network's, name → shape, in the order of the flat vector
 * @throws InputValueError that names what is missing or does not fit and says what is expected
 */
export function weightsFromFile(path: string, bytes: Uint8Array, parameters: Shapes): WeightsFromFile {
  const arrays = openArrays(path, bytes);
  const flat = ["w0", "w"].find((name) => arrays.has(name));
  const weights =
    flat === undefined ? joined(path, arrays, parameters) : flatWeights(path, arrays.get(flat)!, parameters);
  const bad = weights.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0)
    throw valueError("--init", "finite weights", `${weights[bad]} ${placeOf(bad, parameters)} in ${path}`);
  const unused =
    flat === undefined ? [...arrays.keys()].filter((name) => !Object.hasOwn(parameters, name)) : [];
  return {
    weights,
    notice:
      unused.length > 0
        ? `--init: ${path} has more than this network's parameters; not used: ${list(unused)}`
        : undefined,
  };
}

function openArrays(path: string, bytes: Uint8Array): NamedArrays {
  const what = `--init ${path}`;
  if (isSafetensors(bytes)) return openSafetensors(bytes, what);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return openNpz(bytes, what);
  const advice =
    "in Python, numpy.savez(path, **{name: t.numpy() for name, t in model.state_dict().items()})";
  throw valueError("--init", FORMATS, `${path}, which is neither`, advice);
}

function flatWeights(path: string, array: Lazy, parameters: Shapes): Float64Array {
  const count = Object.values(parameters).reduce((total, shape) => total + sizeOf(shape), 0);
  const given = sizeOf(array.shape);
  if (given !== count) throw valueError("--init", `${count} weights for this network`, `${given} in ${path}`);
  return array.elements();
}

function joined(path: string, arrays: NamedArrays, parameters: Shapes): Float64Array {
  const names = Object.keys(parameters);
  const missing = names.filter((name) => !arrays.has(name));
  if (missing.length > 0) throw missingNames(path, [...arrays.keys()], missing, names);
  const found = names.map((name) => ({ name, shape: parameters[name], array: arrays.get(name)! }));
  const wrong = found.filter(({ shape, array }) => `${shape}` !== `${array.shape}`);
  if (wrong.length > 0) {
    const expected = list(wrong.map(({ name, shape }) => `${name} of shape [${shape}]`));
    throw valueError(
      "--init",
      expected,
      `${list(wrong.map(({ array }) => `[${array.shape}]`))} in ${path}`,
      wrong.some(({ shape, array }) => `${[...shape].reverse()}` === `${array.shape}`)
        ? "PyTorch's weights are [out, in]; transpose it before saving, nothing is transposed here"
        : "give the network's options the sizes that the weights have (--arch.…)",
    );
  }
  const weights = new Float64Array(found.reduce((total, { shape }) => total + sizeOf(shape), 0));
  let offset = 0;
  for (const { shape, array } of found) {
    weights.set(array.elements(), offset);
    offset += sizeOf(shape);
  }
  return weights;
}

function missingNames(path: string, there: string[], missing: string[], names: string[]) {
  // Wrappers of PyTorch put a word before every name: DataParallel "module.", compile "_orig_mod.".
  const prefixed = there.find((name) => missing.some((wanted) => name.endsWith(`.${wanted}`)));
  const prefix = prefixed?.slice(0, -missing.find((wanted) => prefixed.endsWith(`.${wanted}`))!.length);
  return valueError(
    "--init",
    missing.length === names.length
      ? `an array "w0" or "w", or this network's parameters by name, ${list(names)}`
      : `this network's parameters by name, ${list(missing)} among them`,
    `${list(there) || "no array"} in ${path}`,
    prefix === undefined
      ? "give the names that PyTorch's state_dict has for this network"
      : `leave "${prefix}" out of the names`,
  );
}

/** Which entry of which parameter stands at a place of the flat vector. */
function placeOf(at: number, parameters: Shapes): string {
  let offset = 0;
  for (const [name, shape] of Object.entries(parameters)) {
    if (at < offset + sizeOf(shape)) return `at position ${at}, entry ${at - offset} of ${name},`;
    offset += sizeOf(shape);
  }
  return `at position ${at}`;
}

const list = (items: readonly string[]): string =>
  items.length > MOST_TOLD
    ? `${items.slice(0, MOST_TOLD).join(", ")} and ${items.length - MOST_TOLD} more`
    : items.join(", ");
