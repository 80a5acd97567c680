import { expect, test } from "vitest";
import { compile, sizeOf, type Tensor } from "../../src/autodiff/index.ts";
import { deviation, inputsFor, modelOf, movedWeights, named, SAMPLES, titleOf } from "./samples.ts";

const EXAMPLES = 3;
/** Roundoffs of the largest observed chain of sums, some forty layers of a few additions each, with room. */
const MOST = 200;

const forwardOf = (sample: (typeof SAMPLES)[number]) => {
  const model = modelOf(sample);
  const run = compile(
    (p: Record<string, Tensor>, x: Tensor) => model.forward(p, x),
    [model.parameters, [EXAMPLES, ...sample.shape.inputShape]],
  );
  return { model, run };
};

test.each(SAMPLES.map((sample) => [titleOf(sample), sample] as const))(
  "%s computes what plain loops compute",
  (_, sample) => {
    const { model, run } = forwardOf(sample);
    const width = sizeOf(sample.shape.inputShape);
    for (let seed = 0; seed < 4; seed++) {
      const weights = named(model.parameters, movedWeights(model, seed));
      const inputs = inputsFor(sample, EXAMPLES, seed);
      const expected = Array.from({ length: EXAMPLES }, (_, i) =>
        sample.naive(weights, inputs.subarray(i * width, (i + 1) * width)),
      ).flat(2);
      expect(deviation(run(weights, inputs), expected), `seed ${seed}`).toBeLessThan(MOST);
    }
  },
);

const sequences = SAMPLES.filter(({ shape }) => shape.vocabulary !== undefined);

test.each(
  sequences.filter(({ name }) => name !== "transformer").map((sample) => [titleOf(sample), sample] as const),
)("%s: a token changes no output before it, to the bit", (_, sample) => {
  const { model, run } = forwardOf(sample);
  const [length] = sample.shape.inputShape;
  const weights = named(model.parameters, movedWeights(model, 1));
  const inputs = inputsFor(sample, EXAMPLES, 1);
  const before = run(weights, inputs);
  const at = Math.floor(length / 2);
  const changed = inputs.slice();
  changed[at] = (changed[at] + 1) % (sample.shape.vocabulary as number);
  const after = run(weights, changed);
  const { outputDim } = sample.shape;
  expect(after.slice(0, at * outputDim)).toEqual(before.slice(0, at * outputDim));
  expect(after.slice(at * outputDim, length * outputDim)).not.toEqual(
    before.slice(at * outputDim, length * outputDim),
  );
});

test.each(sequences.map((sample) => [titleOf(sample), sample] as const))(
  "%s: with one row per sequence it gives the last position's",
  (_, sample) => {
    const all = forwardOf(sample);
    const last = forwardOf({ ...sample, shape: { ...sample.shape, lastOnly: true } });
    const weights = named(all.model.parameters, movedWeights(all.model, 2));
    const inputs = inputsFor(sample, EXAMPLES, 2);
    const [length] = sample.shape.inputShape;
    const { outputDim } = sample.shape;
    const expected = [...all.run(weights, inputs)].filter(
      (_, i) => Math.floor(i / outputDim) % length === length - 1,
    );
    expect([...last.run(weights, inputs)]).toEqual(expected);
    if (sample.name === "mamba") {
      const binary = forwardOf({ ...sample, options: { ...sample.options, binary: true } });
      expect([...binary.run(weights, inputs)]).toEqual(expected);
    }
  },
);

test("a vit without trainable norms is one with gamma 1 and beta 0", () => {
  const sample = SAMPLES.find(({ name }) => name === "vit") as (typeof SAMPLES)[number];
  const full = forwardOf(sample);
  const bare = forwardOf({ ...sample, options: { ...sample.options, trainableLn: false } });
  const weights = named(bare.model.parameters, movedWeights(bare.model, 3));
  const norms = Object.fromEntries(
    Object.entries(full.model.parameters).flatMap(([name, shape]) =>
      /gamma|beta/.test(name)
        ? [[name, new Float64Array(sizeOf(shape)).fill(name.endsWith("gamma") ? 1 : 0)]]
        : [],
    ),
  );
  const inputs = inputsFor(sample, EXAMPLES, 3);
  expect(bare.run(weights, inputs)).toEqual(full.run({ ...weights, ...norms }, inputs));
});
