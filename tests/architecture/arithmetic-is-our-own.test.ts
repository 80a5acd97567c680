import { expect, test } from "vitest";
import { codeOnly, filesBelow } from "./sources.ts";

/** The layers whose numbers must be the same on every JavaScript engine. */
const LAYERS = ["base", "wasm", "autodiff", "linalg", "flows", "models", "simulation"];

/** The functions of `Math` that ECMAScript leaves to the engine: their last bits differ between engines and versions. */
const ENGINE_DEFINED =
  /Math\.(?:acos|acosh|asin|asinh|atan|atan2|atanh|cbrt|cos|cosh|exp|expm1|hypot|log|log10|log1p|log2|pow|random|sin|sinh|tan|tanh)\b/;

/** `**` is left to the engine as well, but exact everywhere for squares and powers of two. */
const POWERS = /([\w.)\]]+)\s*\*\*=?\s*(\(?-?[\w.]*)/g;

const files = LAYERS.flatMap((layer) => filesBelow(`src/${layer}`, ".ts"));

test("no number of a run comes from a function that the engine defines", () => {
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap(({ path, text }) => {
    const match = ENGINE_DEFINED.exec(codeOnly(text));
    return match ? [`${path}: ${match[0]}`] : [];
  });
  expect(found).toEqual([]);
});

test("** is used for squares and powers of two only", () => {
  const found = files.flatMap(({ path, text }) =>
    [...codeOnly(text).matchAll(POWERS)]
      .filter(([, base, exponent]) => base !== "2" && exponent !== "2")
      .map(([all]) => `${path}: ${all}`),
  );
  expect(found).toEqual([]);
});
