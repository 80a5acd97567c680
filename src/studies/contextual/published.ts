import type { Estimate } from "../statistics/estimate.ts";

/** The regrets that the authors published with their code, in the units of the costs. */
export interface Published {
  /** examples for fitting */
  readonly n: number;
  /** mean and standard error over 50 replications, with the right model and with the wrong one */
  readonly plugIn: { readonly right: Estimate; readonly wrong: Estimate };
  readonly spoPlus: { readonly right: Estimate; readonly wrong: Estimate };
  /** the plug-in rule's regrets in the first three replications */
  readonly first: { readonly right: readonly number[]; readonly wrong: readonly number[] };
}

/** The authors' table `regret_no_kernel.csv` (github.com/CausalML/ContextualLPCode), for four of its sizes. */
export const PUBLISHED: readonly Published[] = [
  {
    n: 50,
    plugIn: {
      right: { mean: 1.0869032528, error: 0.0297 },
      wrong: { mean: 4.7535553472, error: 0.0487 },
    },
    spoPlus: {
      right: { mean: 1.8096819751, error: 0.036 },
      wrong: { mean: 4.0693644104, error: 0.0508 },
    },
    first: {
      right: [0.934265654630862, 0.746536174971539, 1.0188302941720042],
      wrong: [4.347070294864891, 4.592419598244236, 5.5385366577015676],
    },
  },
  {
    n: 100,
    plugIn: {
      right: { mean: 0.4196124235, error: 0.0163 },
      wrong: { mean: 4.4322547562, error: 0.0511 },
    },
    spoPlus: {
      right: { mean: 0.9408038623, error: 0.0157 },
      wrong: { mean: 3.4927784711, error: 0.0382 },
    },
    first: {
      right: [0.3062778328015104, 0.30750009081672963, 0.47107428511465577],
      wrong: [4.336863565842983, 4.514323618857722, 4.710286609416346],
    },
  },
  {
    n: 200,
    plugIn: {
      right: { mean: 0.1745028329, error: 0.0087 },
      wrong: { mean: 4.1517848792, error: 0.0359 },
    },
    spoPlus: {
      right: { mean: 0.4764309054, error: 0.0087 },
      wrong: { mean: 3.0807101504, error: 0.0321 },
    },
    first: {
      right: [0.19096945551308975, 0.18038139457533017, 0.11874568640177165],
      wrong: [4.075782232558983, 4.023580560719023, 4.285025449265938],
    },
  },
  {
    n: 500,
    plugIn: {
      right: { mean: 0.0696582426, error: 0.0032 },
      wrong: { mean: 3.8390391011, error: 0.0213 },
    },
    spoPlus: {
      right: { mean: 0.1895227351, error: 0.0033 },
      wrong: { mean: 2.8611332328, error: 0.0124 },
    },
    first: {
      right: [0.06364068384775293, 0.06030189063604339, 0.0972234200799642],
      wrong: [3.7649188859458302, 4.068923280342346, 3.819111211270348],
    },
  },
];

/** The mean over the authors' 10,000 test examples of what the best path costs. */
export const PUBLISHED_OPTIMUM = 16.850508428220195;
