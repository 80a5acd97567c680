import { type Part, type Settings, settle, type Values, valueError } from "../base/index.ts";
import {
  type Observation,
  type Quantity,
  type StateParts,
  stateParts,
  type UpdateRule,
  vector,
} from "../flows/index.ts";

/** What a quantity of one's own may look at: one process before a step. Arrays are copies. */
export interface SeenProcess {
  /** Its name, such as `central`. */
  readonly process: string;
  readonly loss: number;
  /** All weights in one vector. */
  readonly weights: Float64Array;
  /** ∇L there. */
  readonly gradient: Float64Array;
  /** What the network answers to all examples; empty without examples. */
  readonly outputs: Float64Array;
  /** The largest eigenvalues of the effective Hessian, largest first, where they are tracked. */
  readonly eigenvalues: Float64Array | undefined;
  /** The entries of a parameter by its name. @throws InputValueError where there is none of that name */
  parameter(name: string): Float64Array;
  /** The parts of the optimizer's memory by name. */
  readonly state: StateParts;
}

/** All there is to say of a quantity of one's own. */
export interface OwnQuantity<S extends Settings = Settings> extends Part<S> {
  /** A number, or numbers of which there are always as many, of a process in a row. Depends on what it is given alone. */
  measure(seen: SeenProcess, values: Values<S>): number | ArrayLike<number>;
}

/** Declares a quantity to log; what it says is checked against its settings by the compiler. */
export const quantity = <const N extends string, const S extends Settings>(
  definition: OwnQuantity<S> & { readonly name: N },
): OwnQuantity<S> & { readonly name: N } => definition;

/** Where the rows of a run hold a quantity of one's own, under its process. */
export const OBSERVED = "observed/";

/** Measures a quantity of one process; the path under the process, and the value. */
export type Measure = (process: string, seen: Observation) => readonly [string, Quantity];

/**
 * A quantity of one's own, ready to be measured.
 *
 * @param where names it in errors
 * @param options values of its settings
 * @param parameters the network's, name → shape
 * @throws InputKindError or InputValueError for options that it does not take, or a name that is none
 */
export function measureOf(
  where: string,
  own: OwnQuantity,
  options: object,
  parameters: Readonly<Record<string, readonly number[]>>,
  rule: UpdateRule,
): Measure {
  const values = settle(where, own, options);
  if (!/^[A-Za-z][\w-]*$/.test(own.name))
    throw valueError(
      `${where}, name`,
      "letters, digits, _ and -, which name it in data.hdf5",
      String(own.name),
    );
  let length: number | undefined;
  return (process, seen) => {
    const found = own.measure(seenBy(where, process, seen, parameters, rule), values);
    const measured = typeof found === "number" ? found : numbersIn(where, found);
    const size = typeof measured === "number" ? -1 : measured.length;
    length ??= size;
    if (size !== length)
      throw valueError(
        `${where}, measure`,
        length < 0 ? "a number, as before" : `${length} numbers, as before`,
        size < 0 ? "a number" : `${size} numbers`,
      );
    return [`${OBSERVED}${own.name}`, typeof measured === "number" ? measured : vector(measured)];
  };
}

function numbersIn(where: string, found: unknown): Float64Array {
  const list =
    Array.isArray(found) || ArrayBuffer.isView(found) ? Array.from(found as ArrayLike<unknown>) : [];
  if (list.length > 0 && list.every((entry) => typeof entry === "number")) return Float64Array.from(list);
  throw valueError(
    `${where}, measure`,
    "a number, or a list of at least one number",
    found === undefined
      ? "nothing"
      : Array.isArray(found) && found.length === 0
        ? "an empty list"
        : typeof found,
  );
}

function seenBy(
  where: string,
  process: string,
  seen: Observation,
  parameters: Readonly<Record<string, readonly number[]>>,
  rule: UpdateRule,
): SeenProcess {
  const weights = seen.weights.slice();
  return {
    process,
    loss: seen.loss,
    weights,
    gradient: seen.gradient.slice(),
    outputs: seen.outputs.slice(),
    eigenvalues: seen.pairs?.values.slice(),
    state: Object.fromEntries(
      Object.entries(stateParts(rule, seen.state, weights.length)).map(([name, part]) => [
        name,
        part.slice(),
      ]),
    ),
    parameter(name) {
      let offset = 0;
      for (const [each, shape] of Object.entries(parameters)) {
        const size = shape.reduce((total, axis) => total * axis, 1);
        if (each === name) return weights.slice(offset, offset + size);
        offset += size;
      }
      throw valueError(where, `a parameter of the network (${Object.keys(parameters).join(", ")})`, name);
    },
  };
}
