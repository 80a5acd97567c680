/** A logged quantity: a number or a small row-major array. Integer quantities carry `integer: true`. */
export type Quantity =
  | number
  | { readonly shape: readonly number[]; readonly data: Float64Array; readonly integer?: true };

/** Quantities by name. */
export type Quantities = Record<string, Quantity>;

/** A row of numbers; not copied. */
export function vector(data: Float64Array): Quantity {
  return { shape: [data.length], data };
}

/** A whole number that is logged as one. */
export function count(value: number): Quantity {
  return { shape: [], data: Float64Array.of(value), integer: true };
}
