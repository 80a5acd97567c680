import { expect, test } from "vitest";
import {
  cos,
  EPS,
  erf,
  exp,
  expm1,
  log,
  log1p,
  pow,
  Random,
  sigmoid,
  sin,
  softplus,
  tanh,
} from "../../../src/base/index.ts";
import { bitsOf, fromBits } from "./exact.ts";

const SEED = 4;

function samples(name: string, low: number, high: number, count = 20_000): number[] {
  const random = new Random(SEED, name);
  return Array.from({ length: count }, () => low + (high - low) * random.uniform());
}

/** Asserts ratio(x) ≤ 1 for all x; names the worst one. */
function holdsFor(xs: readonly number[], ratio: (x: number) => number): void {
  let worst = 0;
  let at = 0;
  for (const x of xs) {
    const r = ratio(x);
    if (!(r <= worst)) [worst, at] = [r, x];
  }
  expect(worst, `worst at x = ${at}, seed ${SEED}`).toBeLessThanOrEqual(1);
}

test.each(Object.entries({ erf, sin, tanh }))("%s is odd to the bit", (name, f) => {
  const xs = [...samples(name, 0, 7), ...samples(name, 0, 0.2), ...samples(name, 0, 1e-300), 0];
  holdsFor(xs, (x) => (Object.is(f(-x), -f(x)) ? 0 : 2));
});

test("cos is even to the bit and its square completes that of sin", () => {
  const xs = [...samples("cos", 0, 7), ...samples("cos", 0, 2e6), ...samples("cos", 0, 1e300)];
  holdsFor(xs, (x) => (Object.is(cos(-x), cos(x)) ? 0 : 2));
  holdsFor(xs, (x) => Math.abs(sin(x) ** 2 + cos(x) ** 2 - 1) / (3 * EPS));
});

test("sigmoid(x) + sigmoid(−x) is 1 up to the rounding of its terms", () => {
  const xs = [...samples("sigmoid", 0, 3), ...samples("sigmoid", 0, 40)];
  holdsFor(xs, (x) => Math.abs(sigmoid(x) + sigmoid(-x) - 1) / (1.5 * EPS));
});

test("softplus(x) − softplus(−x) is x up to the rounding of its terms", () => {
  holdsFor(
    samples("softplus", 0, 50),
    (x) => Math.abs(softplus(x) - softplus(-x) - x) / (2 * EPS * softplus(x)),
  );
});

test("log undoes exp up to the conditioning of the pair", () => {
  holdsFor(
    samples("log exp", -700, 700),
    (x) => Math.abs(log(exp(x)) - x) / (EPS * Math.max(1, Math.abs(x))),
  );
});

test("log1p undoes expm1 up to the conditioning of the pair", () => {
  const xs = [...samples("log1p", 0, 2), ...samples("log1p", 0, 1e-9)];
  holdsFor(xs, (x) => Math.abs(log1p(expm1(x)) - x) / (2 * EPS * x));
});

test("pow(x, ½) and pow(−x, 2) meet the correctly rounded root and square", () => {
  const xs = samples("pow", 0, 1e6);
  holdsFor(xs, (x) => Math.abs(pow(x, 0.5) - Math.sqrt(x)) / (EPS * Math.sqrt(x)));
  holdsFor(xs, (x) => Math.abs(pow(-x, 2) - x * x) / (EPS * x * x));
});

const increasing = { erf, exp, expm1, log, log1p, sigmoid, softplus, tanh };

test.each(Object.entries(increasing))(
  "%s falls by at most its rounding error between near numbers",
  (name, f) => {
    const random = new Random(SEED, `${name} gaps`);
    holdsFor([...samples(name, 0.01, 3), ...samples(name, 3, 40)], (x) => {
      const next = fromBits(bitsOf(x) + BigInt(1 << random.integer(20)));
      return (f(x) - f(next)) / (2 * EPS * Math.abs(f(x)));
    });
  },
);
